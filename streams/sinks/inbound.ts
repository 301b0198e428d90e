import { either } from 'fp-ts'
import type * as t from 'io-ts'
import { map, type OperatorFunction } from 'rxjs'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Incarnation, NodeId } from '../../src/raft/ids.js'
import { Message } from '../../src/raft/messages.js'
import type { Rejected } from '../network/network.js'
import { decodeMessage } from '../wire/message.js'

/**
 * A message from another server, as an event.
 *
 * @example
 * const shown = ({ message: { _tag, from, to } }: Received) => `${from} to ${to}: ${_tag}`
 * server.inspect$.pipe(map(({ event }) => event), ofTag('Received'), map(shown)) // n2 to n1: RequestVoteReply
 */
export type Received = Extract<RaftEvent, { readonly _tag: 'Received' }>

/**
 * Who is known to be at the two ends of a link; null where that is not known.
 *
 * @example
 * const links = (from: NodeId, to: NodeId, incarnation: Incarnation) => inbound({ from, to, incarnation })
 */
export interface LinkEnds {
  readonly from: NodeId | null
  readonly to: NodeId | null
  /** The data directory of `from`, where that is known. */
  readonly incarnation?: Incarnation | null
}

const anyone: LinkEnds = { from: null, to: null }

/**
 * The border, for a network of your own: each value that arrives becomes one event. It is `Received` with a `Message`
 * that the core can take at its word, or `Rejected` with the reason. Nothing throws, and nothing else goes on from
 * here.
 *
 * Values are bytes as `encodeMessage` wrote them, or objects that should be messages (from a `MessagePort`, for
 * example). With `ends`, a message that names another sender or receiver than its link has is rejected too. Give them
 * wherever your transport proves who is at the other end: servers process RPCs without consulting their configuration
 * (thesis §4.1), so this is where a stranger must stop. `ends.incarnation` goes with each message; where storages have
 * incarnations (`diskStorage`), a vote without one does not count.
 *
 *   wire     --b--o--x--b--|     b: a message as bytes, o: as an object, x: none
 *   inbound  --m--m--r--m--|     m: Received, r: Rejected
 *
 * @example
 * // Rejected { reason: 'RequestVote/from is undefined, not NodeId' }
 * of({ _tag: 'RequestVote', term: -1 }).pipe(inbound())
 *
 * @example
 * // A whole network, over a transport that posts bytes to the one other server and emits what arrives from it.
 * const over = (post: (bytes: Uint8Array) => void, arrived$: Observable<unknown>): Network => (message$) =>
 *   merge(
 *     message$.pipe(tap((message) => post(encodeMessage(message))), ignoreElements()),
 *     arrived$.pipe(inbound()),
 *   )
 */
export const inbound = (ends: LinkEnds = anyone): OperatorFunction<unknown, Received | Rejected> => map((wire) => admit(wire, ends))

/** What `inbound` does with one value. */
export const admit = (wire: unknown, ends: LinkEnds = anyone): Received | Rejected => {
  const shaped = wire instanceof Uint8Array ? decodeMessage(wire) : either.right(wire)
  if (either.isLeft(shaped)) return rejected(ends.from, shaped.left)
  const message = shaped.right
  // `is` keeps no account of where it looks and is three times as fast; what it refuses is decoded to say why.
  if (!Message.is(message)) return rejected(ends.from, either.fold(explain, () => 'not a Message')(Message.decode(message)))
  if (ends.from !== null && message.from !== ends.from)
    return rejected(ends.from, `from is ${message.from}, but the link is that of ${ends.from}`)
  if (ends.to !== null && message.to !== ends.to) return rejected(ends.from, `to is ${message.to}, but this is ${ends.to}`)
  const { incarnation = null } = ends
  return incarnation === null ? { _tag: 'Received', message } : { _tag: 'Received', message, incarnation }
}

const rejected = (from: string | null, reason: string): Rejected => ({ _tag: 'Rejected', from, kind: 'message', reason })

/**
 * The first of io-ts's errors as a sentence: the path, what is there and what should be. Numbers are quoted, contents
 * are not.
 */
export const explain = (errors: t.Errors): string => {
  const [error] = errors
  if (error === undefined) return 'refused'
  const inner = error.context.slice(1)
  // In a union the key of a member is its number: its name says more.
  const path = inner.map(({ key, type }) => (/^\d+$/.test(key) ? type.name : key)).join('/') || (error.context[0]?.type.name ?? 'it')
  if (error.message !== undefined) return `${path}: ${error.message}`
  const expected = error.context[error.context.length - 1]?.type.name ?? 'value'
  return `${path} is ${describe(error.value)}, not ${expected}`
}

const describe = (value: unknown): string => {
  if (typeof value === 'string') return `a string of ${value.length} characters`
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value).slice(0, 40)
}
