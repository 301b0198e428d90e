import { either } from 'fp-ts'
import * as t from 'io-ts'
import { Incarnation, NodeId } from '../../../src/raft/ids.js'
import { explain } from '../../inbound.js'
import type { Rejected } from '../network.js'
import { frameOf, frameType } from './frame.js'
import type { TcpSettings } from './options.js'

/*
 * The handshake. Admission is by what both ends say of themselves, never by the Raft configuration
 * (thesis §4.1: servers process RPCs without consulting it). Both look for an objection, in the same
 * order, and tell it to the other before they hang up.
 */

/** Counted up when older servers could misunderstand newer ones. */
export const protocolVersion = 1

/** The longest frame from somebody whose greeting has not been accepted. */
export const maxGreetingBytes = 4_096

const Greeting = t.readonly(
  t.type({
    /** The protocol's version: the one field that every version has. */
    rxraft: t.number,
    clusterId: t.string,
    from: NodeId,
    incarnation: Incarnation,
    to: t.string,
    constants: t.record(t.string, t.union([t.number, t.string, t.boolean])),
  }),
  'Greeting',
)
export type Greeting = t.TypeOf<typeof Greeting>

const Version = t.type({ rxraft: t.number }, 'Greeting')

const Close = t.readonly(t.type({ kind: t.keyof({ frame: null, message: null, handshake: null, limit: null }), reason: t.string }), 'Close')
/** Why a connection ends. */
export type Close = Pick<Rejected, 'kind' | 'reason'>

/** What this server says of itself to `to`. */
export const greetingTo = (to: NodeId, { clusterId, id, incarnation, constants, maxFrameBytes }: TcpSettings): Greeting => ({
  rxraft: protocolVersion,
  clusterId,
  from: id,
  incarnation,
  to,
  constants: { ...constants, maxFrameBytes },
})

export const helloFrame = (greeting: Greeting): Uint8Array => frameOf(frameType.hello, Buffer.from(JSON.stringify(greeting)))
export const welcomeFrame = (greeting: Greeting): Uint8Array => frameOf(frameType.welcome, Buffer.from(JSON.stringify(greeting)))
export const closeFrame = (close: Close): Uint8Array => frameOf(frameType.close, Buffer.from(JSON.stringify(close)))

const parsed = (payload: Uint8Array): either.Either<string, unknown> =>
  either.tryCatch(
    () => JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString()) as unknown,
    () => 'it is no JSON',
  )

/** The greeting in a hello or welcome; Left with the objection where there is none that this version understands. */
export const readGreeting = (payload: Uint8Array, { id }: TcpSettings): either.Either<string, Greeting> =>
  either.chain((json: unknown) => {
    if (Version.is(json) && json.rxraft !== protocolVersion) {
      return either.left(
        `${id} speaks version ${protocolVersion} of the protocol and was greeted in version ${json.rxraft}: run versions of rxraft that understand each other.`,
      )
    }
    return either.mapLeft((errors: t.Errors) => `the greeting is not understood: ${explain(errors)}`)(Greeting.decode(json))
  })(either.mapLeft((reason: string) => `the greeting is not understood: ${reason}`)(parsed(payload)))

/** What the other end said when it hung up. */
export const readClose = (payload: Uint8Array): Close => {
  const close = either.chain((json: unknown) => either.mapLeft(() => 'it is no Close')(Close.decode(json)))(parsed(payload))
  if (either.isLeft(close)) return { kind: 'frame', reason: 'for a reason that is not understood' }
  return { kind: close.right.kind, reason: printable(close.right.reason) }
}

/** Who has been met in this run, and with which data directory. */
export type Acquaintances = Map<NodeId, Incarnation>

/**
 * Why `greeting` is not accepted, as a sentence that says what to do; null if it is. It is then
 * remembered which data directory its sender has.
 */
export const objection = (greeting: Greeting, settings: TcpSettings, met: Acquaintances): string | null => {
  const { id, clusterId, peers } = settings
  const { from, incarnation } = greeting
  if (greeting.clusterId !== clusterId) {
    return `${id} belongs to cluster ${quoted(clusterId)} and ${from} to cluster ${quoted(greeting.clusterId)}: correct the address that leads from one to the other.`
  }
  if (greeting.to !== id) {
    return `this is ${id}, but ${from} meant to reach ${quoted(greeting.to)}: correct the address that ${from} has for it.`
  }
  if (from === id) return `there are two servers called ${id}: stop one of them, or give it another id and data directory.`
  if (!Object.hasOwn(peers, from)) return `${from} is not among the peers of ${id}: add it there, or correct the id of ${from}.`
  const ours = greetingTo(from, settings).constants
  const different = [...Object.keys(ours), ...Object.keys(greeting.constants)].find(
    (name) => own(ours, name) !== own(greeting.constants, name),
  )
  if (different !== undefined) {
    const [here, there] = [own(ours, different), own(greeting.constants, different)].map(quoted)
    return `${printable(different)} is ${here} at ${id} and ${there} at ${from}: give all servers of the cluster the same.`
  }
  const known = met.get(from)
  if (known !== undefined && known !== incarnation) {
    return (
      `${from} comes with the data directory ${incarnation}, but had ${known} before. A server that lost its disk forgot its votes and must not` +
      ` vote as ${from} again: start it with its former data directory, or let it join under a new id.`
    )
  }
  met.set(from, incarnation)
  return null
}

const own = (constants: Greeting['constants'], name: string): number | string | boolean | undefined =>
  Object.hasOwn(constants, name) ? constants[name] : undefined

const quoted = (value: number | string | boolean | undefined): string =>
  value === undefined ? 'not set' : printable(JSON.stringify(value))

/** Somebody else's text, fit for a log: nothing that moves a terminal's cursor, and not too much of it. */
const printable = (text: string): string => text.slice(0, 600).replace(/[^\x20-\x7e]/g, '?')
