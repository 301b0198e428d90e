import type { IncomingMessage } from 'node:http'
import type { KvRefusal } from '../../../src/kv/result.js'
import { indeterminate, type NotLeader } from '../gateway/outcome.js'
import { replyMessage } from '../reply.js'

/** An answer over HTTP. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
}

/** A short text, a value, or a body that is too long to be in memory as a whole. */
export type Body = string | Uint8Array | Sliced | PassedOn

/** Made while it is sent; its length is not known before. */
export interface Sliced {
  readonly _tag: 'Sliced'
  /** Bytes that it keeps in memory until it is sent. */
  readonly holds: number
  readonly slices: Iterable<string | Uint8Array>
}

/** The answer of another server, sent on as it arrives. */
export interface PassedOn {
  readonly _tag: 'PassedOn'
  readonly from: IncomingMessage
}

/** All answers are JSON, except values, metrics and batches. */
export const json = (
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer & { readonly body: string } => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: `${JSON.stringify(value)}\n`,
})

/** A refusal or failure: a word for programs, and a sentence that says what to do. */
export const problem = (
  status: number,
  tag: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  details: Readonly<Record<string, unknown>> = {},
): HttpAnswer & { readonly body: string } => json(status, { error: { tag, message }, ...details }, headers)

const refusalStatus: Readonly<Record<KvRefusal['_tag'], number>> = {
  Malformed: 400,
  Compacted: 410,
  FutureRevision: 400,
  KeyEmpty: 400,
  KeyTooLong: 400,
  ValueTooLarge: 413,
  TxnTooLarge: 413,
  StoreFull: 507,
  UnknownSession: 410,
  SerialAnswered: 409,
  TooManyUnanswered: 429,
  DifferentCommand: 422,
  IdempotencyKeyUnfit: 400,
}

const soon = { 'retry-after': '1' }

export const refused = (refusal: KvRefusal): HttpAnswer => {
  const { _tag, ...details } = refusal
  const status = refusalStatus[_tag]
  return problem(status, _tag, replyMessage(refusal), status === 429 ? soon : {}, details)
}

export const overloaded = (limit: string): HttpAnswer =>
  problem(429, 'Overloaded', `Overloaded: ${limit} is reached. Nothing was done; try again when some of what is under way is done.`, soon)

/** To a read: sending what it asks for would take more memory than there may be of answers. */
export const noRoom = (): HttpAnswer =>
  problem(503, 'NoRoom', 'maxAnswerBytes is reached: too many answers wait for clients that read slowly. Try again.', soon)

/**
 * To another server or a client of ours: both know what to do. Requests of other clients are forwarded, or wait for a
 * leader.
 */
export const misdirected = (notLeader: NotLeader, peers: Readonly<Record<string, string>>): HttpAnswer => {
  const { leader } = notLeader
  const url = leader === null ? undefined : peers[leader]
  return problem(421, 'NotLeader', replyMessage(notLeader), url === undefined ? {} : { 'rxraft-leader': url }, { leader })
}

export const noLeader = (waitedMs: number): HttpAnswer =>
  problem(
    503,
    'NoLeader',
    `No leader was found within ${waitedMs} ms, and nothing was done: check that a majority runs, and try again.`,
    soon,
  )

/** To a read. It changes nothing, so nothing is in doubt. */
export const noAnswer = (waitedMs: number): HttpAnswer =>
  problem(503, 'NoAnswer', `The read was not answered within ${waitedMs} ms: try again.`, soon)

export const outcomeUnknown = (): HttpAnswer => problem(504, indeterminate._tag, replyMessage(indeterminate))
