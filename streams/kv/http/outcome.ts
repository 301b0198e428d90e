import { function as F } from 'fp-ts'
import type { KvResult } from '../../../src/kv/result.js'
import type { GatewayOutcome } from '../gateway/outcome.js'
import { type HttpAnswer, misdirected, noAnswer, noLeader, outcomeUnknown, overloaded } from './answer.js'
import { type PeerAnswer, returned } from './peers.js'

/** The answer to a client whose request ended so. `render` makes the answer of what the store said. */
export const answerOf = (
  outcome: GatewayOutcome<PeerAnswer>,
  peers: Readonly<Record<string, string>>,
  render: (result: KvResult) => HttpAnswer,
): HttpAnswer => {
  switch (outcome._tag) {
    case 'Replied':
      return render(outcome.result)
    case 'Forwarded':
      return returned(outcome.answer)
    case 'NotLeader':
      return misdirected(outcome, peers)
    case 'NoLeader':
      return noLeader(outcome.waitedMs)
    case 'Overloaded':
      return overloaded(outcome.limit)
    case 'NoAnswer':
      return noAnswer(outcome.waitedMs)
    case 'Indeterminate':
      return outcomeUnknown()
    default:
      return F.absurd(outcome)
  }
}
