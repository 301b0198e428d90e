import { function as F } from 'fp-ts'
import type { LimitName } from '../../src/raft/error.js'
import { isAnswer, type KvAnswer, type KvRefusal, type KvResult, refusalMessage, sizeOfResult } from '../../src/kv/result.js'

/** The bounds that a read can meet, or a reply that carries values, by the names they have in the options. */
export type ReplyLimit = 'maxReads' | 'maxBatchReplyBytes' | 'maxAnswerBytes'

/** A server did not answer. The kind says whether the request was done. */
export type KvFailure =
  /** Nothing was done. `leader` is the server to ask, as far as this server knows. */
  | { readonly _tag: 'NotLeader'; readonly leader: string | null }
  /** Nothing was done: a bound is reached, `limit` names it. */
  | { readonly _tag: 'Overloaded'; readonly limit: LimitName | ReplyLimit }
  /**
   * It may have been done or may yet be: this server stopped leading, or stopped, before it knew, or there was no room
   * for the values that the answer to a write carries. A read is never indeterminate.
   */
  | { readonly _tag: 'Indeterminate' }

/** The reply of a server to a request: an answer or a refusal of the store, or a failure before there was one. */
export type KvReply = KvResult | KvFailure

const failures: Readonly<Record<KvFailure['_tag'], true>> = { NotLeader: true, Overloaded: true, Indeterminate: true }

export const isFailure = (reply: KvReply): reply is KvFailure => reply._tag in failures

/**
 * Whether the store carried the command out.
 *
 * @example
 * const show = (reply: KvReply) => console.log(isDone(reply) ? 'done' : replyMessage(reply))
 */
export const isDone = (reply: KvReply): reply is KvAnswer => !isFailure(reply) && isAnswer(reply)

/**
 * The reply where there is no room for the values that it carries. A read can be asked again. A write was done, so its
 * outcome is unknown.
 */
export const withoutRoom = (reply: KvReply, limit: ReplyLimit): KvReply => {
  if (!carriesValues(reply)) return reply
  return reply._tag === 'Got' || reply._tag === 'Ranged' ? { _tag: 'Overloaded', limit } : { _tag: 'Indeterminate' }
}

/** An estimate of the memory that a reply takes. */
export const sizeOfReply = (reply: KvReply): number => (isFailure(reply) ? 0 : sizeOfResult(reply))

const carriesValues = (reply: KvReply): boolean => {
  switch (reply._tag) {
    case 'Got':
    case 'Conflict':
      return reply.kv !== null
    case 'Written':
      return reply.prevKv !== null
    case 'Ranged':
      return reply.kvs.length > 0
    case 'Deleted':
      return reply.prevKvs.length > 0
    case 'TxnDone':
      return reply.answers.some(carriesValues)
    default:
      return false
  }
}

/**
 * A refusal or failure as a sentence that says what to do.
 *
 * @example
 * const show = (reply: KvFailure) => console.log(replyMessage(reply))
 */
export const replyMessage = (reply: KvRefusal | KvFailure): string => {
  if (!isFailure(reply)) return refusalMessage(reply)
  switch (reply._tag) {
    case 'NotLeader':
      return reply.leader === null ? 'No leader is known here: try again soon.' : `Not the leader: ask ${reply.leader}.`
    case 'Overloaded':
      return `Overloaded: ${reply.limit} is reached. Nothing was done; try again when some of what is under way is done.`
    case 'Indeterminate':
      return 'The outcome is unknown: it may have been done. Read what is there, or retry under the same session serial or idempotency key.'
    default:
      return F.absurd(reply)
  }
}
