import { either } from 'fp-ts'
import * as t from 'io-ts'
import { Incarnation, NodeId } from '../../../src/raft/ids.js'
import { explain } from '../../sinks/inbound.js'
import { frameOf, frameType } from './frame.js'
import type { TcpSettings } from './options.js'
import type { RefusalCode } from './refusal.js'

/*
 * The handshake. Admission is by what both ends say of themselves, never by the Raft configuration or the address book
 * (thesis §4.1: servers process RPCs without consulting it). Both look for an objection, in the same order, and tell
 * the other its code before they hang up. They tell no value: a stranger who tries must not learn what to say next.
 */

/** The oldest and the newest version of the protocol that a server speaks. */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

/**
 * What this build speaks. `max` is counted up when older servers could misunderstand newer ones; `min` stays as long as
 * this build can still talk like the older ones. 3 gave messages a group, and answers a caller over its own connection.
 */
export const protocolVersions: VersionRange = { min: 3, max: 3 }

/** The version that two servers speak with each other: the newest that both know; null where there is none. */
export const commonVersion = (a: VersionRange, b: VersionRange): number | null => {
  const newest = Math.min(a.max, b.max)
  return newest >= Math.max(a.min, b.min) ? newest : null
}

/** The longest frame from a server whose greeting has not been accepted. */
export const maxGreetingBytes = 4_096

const Greeting = t.readonly(
  t.type({
    /** The newest version of the protocol that the server speaks: the one field that every version has. */
    rxraft: t.number,
    /** The oldest version. Servers before version 3 do not say it, and speak `rxraft` only. */
    oldest: t.number,
    clusterId: t.string,
    from: NodeId,
    incarnation: Incarnation,
    to: t.string,
    constants: t.record(t.string, t.union([t.number, t.string, t.boolean])),
  }),
  'Greeting',
)
export type Greeting = t.TypeOf<typeof Greeting>

const Versions = t.intersection([t.type({ rxraft: t.number }), t.partial({ oldest: t.number })], 'Greeting')

/** The versions that a greeting offers. */
export const versionsOf = ({ rxraft, oldest = rxraft }: t.TypeOf<typeof Versions>): VersionRange => ({ min: oldest, max: rxraft })

/** What this server says of itself to `to`. */
export const greetingTo = (to: NodeId, { clusterId, id, incarnation, constants, maxFrameBytes }: TcpSettings): Greeting => ({
  rxraft: protocolVersions.max,
  oldest: protocolVersions.min,
  clusterId,
  from: id,
  incarnation,
  to,
  constants: { ...constants, maxFrameBytes },
})

export const helloFrame = (greeting: Greeting): Uint8Array => frameOf(frameType.hello, Buffer.from(JSON.stringify(greeting)))
export const welcomeFrame = (greeting: Greeting): Uint8Array => frameOf(frameType.welcome, Buffer.from(JSON.stringify(greeting)))

const parsed = (payload: Uint8Array): either.Either<string, unknown> =>
  either.tryCatch(
    () => JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString()) as unknown,
    () => 'it is no JSON',
  )

/** The greeting in a hello or welcome; Left with the objection where there is none that this version understands. */
export const readGreeting = (payload: Uint8Array, { id }: TcpSettings): either.Either<Objection, Greeting> =>
  either.chain((json: unknown): either.Either<Objection, Greeting> => {
    if (Versions.is(json) && commonVersion(protocolVersions, versionsOf(json)) === null) {
      return either.left({
        code: 'version',
        reason: `${id} speaks ${printRange(protocolVersions)} of the protocol and was greeted in ${printRange(versionsOf(json))}: run versions of rxraft that understand each other.`,
      })
    }
    return either.mapLeft((errors: t.Errors) => notUnderstood(explain(errors)))(Greeting.decode(json))
  })(either.mapLeft(notUnderstood)(parsed(payload)))

const printRange = ({ min, max }: VersionRange): string => (min === max ? `version ${max}` : `versions ${min} to ${max}`)

const notUnderstood = (why: string): Objection => ({ code: 'frame', reason: `the greeting is not understood: ${why}` })

/**
 * The server `peer` can be reached in no way, and no leader has named its data directory: its messages could never be
 * believed.
 */
export const unreachableStranger = (id: NodeId, peer: NodeId): Objection => ({
  code: 'name',
  reason: `${id} has no address of ${peer}, whose data directory no leader has named yet: add ${peer} to the peers of ${id}.`,
})

/** Why a server turns another away: `code` is all that the other end is told, `reason` is for the own operator. */
export interface Objection {
  readonly code: RefusalCode
  readonly reason: string
}

/** Which data directory is known to go with a name; null where none is known yet. */
export type KnownIncarnation = (peer: NodeId) => Incarnation | null

/** Why `greeting` is not accepted; null if it is. */
export const objection = (greeting: Greeting, settings: TcpSettings, known: KnownIncarnation): Objection | null => {
  const { id, clusterId } = settings
  const { from, incarnation } = greeting
  if (greeting.clusterId !== clusterId) {
    return {
      code: 'cluster',
      reason: `${id} belongs to cluster ${quoted(clusterId)} and ${from} to cluster ${quoted(greeting.clusterId)}: correct the address that leads from one to the other.`,
    }
  }
  if (greeting.to !== id) {
    return {
      code: 'name',
      reason: `this is ${id}, but ${from} meant to reach ${quoted(greeting.to)}: correct the address that ${from} has for it.`,
    }
  }
  if (from === id)
    return { code: 'name', reason: `there are two servers called ${id}: stop one of them, or give it another id and data directory.` }
  const ours = greetingTo(from, settings).constants
  const different = [...Object.keys(ours), ...Object.keys(greeting.constants)].find(
    (name) => own(ours, name) !== own(greeting.constants, name),
  )
  if (different !== undefined) {
    const [here, there] = [own(ours, different), own(greeting.constants, different)].map(quoted)
    return {
      code: 'constants',
      reason: `${printable(different)} is ${here} at ${id} and ${there} at ${from}: give all servers of the cluster the same.`,
    }
  }
  const expected = known(from)
  return expected === null || expected === incarnation ? null : otherIncarnation(from, incarnation, expected)
}

/** A name belongs to the data directory that voted and acknowledged under it. */
export const otherIncarnation = (peer: NodeId, incarnation: Incarnation, expected: Incarnation): Objection => ({
  code: 'incarnation',
  reason:
    `${peer} comes with the data directory ${incarnation}, but ${expected} belongs to that name. A server that lost its disk forgot its votes and must not` +
    ` vote as ${peer} again: start it with its former data directory.`,
})

const own = (constants: Greeting['constants'], name: string): number | string | boolean | undefined =>
  Object.hasOwn(constants, name) ? constants[name] : undefined

const quoted = (value: number | string | boolean | undefined): string =>
  value === undefined ? 'not set' : printable(JSON.stringify(value))

/** Foreign text, fit for a log: nothing in it moves a terminal's cursor, and it is short. */
const printable = (text: string): string => text.slice(0, 600).replace(/[^\x20-\x7e]/g, '?')
