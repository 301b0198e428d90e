import { function as F } from 'fp-ts'
import { isFailure, type KvReply } from '../reply.js'
import type { GatewayOutcome, NotLeader, Overloaded } from './outcome.js'
import type { PeerDelivery } from './peerTransport.js'

/** The meaning of an attempt for a request. */
export type Verdict<Answer> =
  | { readonly _tag: 'Ended'; readonly outcome: GatewayOutcome<Answer> }
  /** Nothing was done: it may be tried again. `refusal` is what this server said, if it was asked. */
  | { readonly _tag: 'NotDone'; readonly refusal: NotLeader | Overloaded | null }
  /** It may have been done. */
  | { readonly _tag: 'InDoubt' }

const inDoubt: Verdict<never> = { _tag: 'InDoubt' }

/** The verdict of a reply of this server. */
export const verdictOfReply = (reply: KvReply): Verdict<never> => {
  if (!isFailure(reply)) return { _tag: 'Ended', outcome: { _tag: 'Replied', result: reply } }
  return reply._tag === 'Indeterminate' ? inDoubt : { _tag: 'NotDone', refusal: reply }
}

/** The verdict of what became of a request at another server. */
export const verdictOfDelivery = <Answer>(delivery: PeerDelivery<Answer>): Verdict<Answer> => {
  switch (delivery._tag) {
    case 'Answered':
      return { _tag: 'Ended', outcome: { _tag: 'Forwarded', answer: delivery.answer } }
    case 'NotLeader':
    case 'NeverSent':
      return { _tag: 'NotDone', refusal: null }
    case 'Indeterminate':
    case 'Lost':
      return inDoubt
    default:
      return F.absurd(delivery)
  }
}
