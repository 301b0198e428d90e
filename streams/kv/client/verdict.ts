import { isAnswer, refusalMessage } from '../../../src/kv/result.js'
import { isFailure, type KvReply, replyMessage } from '../reply.js'
import type { Delivery } from '../transport.js'
import type { Outcome } from './outcome.js'

/** The meaning of a delivery for one operation of the batch. */
export type Verdict =
  | { readonly _tag: 'Ended'; readonly outcome: Outcome }
  /** Nothing was done. */
  | { readonly _tag: 'Again' }
  /** It may have been done. */
  | { readonly _tag: 'InDoubt'; readonly why: string }
  /** This attempt did nothing, and no later one under this session will. */
  | { readonly _tag: 'SessionEnded' }

/** The state of the server that was asked, by a delivery. */
export type Standing =
  | { readonly _tag: 'Leads' }
  | { readonly _tag: 'DoesNotLead'; readonly leader: string | null; readonly why: string }
  | { readonly _tag: 'Busy'; readonly why: string }
  | { readonly _tag: 'Fails'; readonly why: string }
  /** It takes no batch of this size. */
  | { readonly _tag: 'TakesLess' }

export interface Judged {
  readonly verdicts: ReadonlyArray<Verdict>
  readonly standing: Standing
}

const again: Verdict = { _tag: 'Again' }

/** The meaning of a delivery for a batch of `count` operations. */
export const judge = (count: number, delivery: Delivery): Judged => {
  const all = (verdict: Verdict): ReadonlyArray<Verdict> => new Array<Verdict>(count).fill(verdict)
  switch (delivery._tag) {
    case 'Answered':
      if (delivery.replies.length === count) return judgeReplies(delivery.replies)
      return judge(count, { _tag: 'Lost', message: `the server answered ${delivery.replies.length} of ${count} requests` })
    case 'Misdirected':
      return { verdicts: all(again), standing: { ...delivery, _tag: 'DoesNotLead', why: replyMessage({ ...delivery, _tag: 'NotLeader' }) } }
    case 'Busy':
      return { verdicts: all(again), standing: { _tag: 'Busy', why: delivery.message } }
    case 'NeverSent':
      return { verdicts: all(again), standing: { _tag: 'Fails', why: delivery.message } }
    case 'Lost':
      return { verdicts: all({ _tag: 'InDoubt', why: delivery.message }), standing: { _tag: 'Fails', why: delivery.message } }
    case 'TooLarge':
      return { verdicts: all(count > 1 ? again : tooLarge(delivery.message)), standing: { _tag: 'TakesLess' } }
  }
}

/** A request that is too large alone is too large at every try. */
const tooLarge = (message: string): Verdict => ({
  _tag: 'Ended',
  outcome: { _tag: 'Refused', refusal: { _tag: 'Malformed', reason: message }, message },
})

const judgeReplies = (replies: ReadonlyArray<KvReply>): Judged => ({
  verdicts: replies.map(verdictOf),
  standing: replies.map(standingOf).find(({ _tag }) => _tag !== 'Leads') ?? leads,
})

const verdictOf = (reply: KvReply): Verdict => {
  if (isFailure(reply))
    return reply._tag === 'Indeterminate' ? { _tag: 'InDoubt', why: 'the server stopped leading before it knew' } : again
  if (isAnswer(reply)) return { _tag: 'Ended', outcome: { _tag: 'Done', answer: reply } }
  if (reply._tag === 'UnknownSession') return { _tag: 'SessionEnded' }
  if (reply._tag === 'TooManyUnanswered') return again
  return { _tag: 'Ended', outcome: { _tag: 'Refused', refusal: reply, message: refusalMessage(reply) } }
}

const leads: Standing = { _tag: 'Leads' }

const standingOf = (reply: KvReply): Standing => {
  switch (reply._tag) {
    case 'NotLeader':
      return { _tag: 'DoesNotLead', leader: reply.leader, why: replyMessage(reply) }
    case 'Indeterminate':
      return { _tag: 'DoesNotLead', leader: null, why: replyMessage(reply) }
    case 'Overloaded':
    case 'TooManyUnanswered':
      return { _tag: 'Busy', why: replyMessage(reply) }
    default:
      return leads
  }
}
