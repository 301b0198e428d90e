import { voterSets } from '../state/configuration.js'
import type { Effect } from '../effect.js'
import { logIndex } from '../ids.js'
import { quorumValue } from '../quorum.js'
import type { ServerDraft } from '../state/server.js'
import { applyCommitted, scheduleFlush } from './allServers.js'

/**
 * Rules for Servers, "Leaders": "If there exists an N such that N > commitIndex, a majority of
 * matchIndex[i] ≥ N, and log[N].term == currentTerm: set commitIndex = N (§5.3, §5.4)."
 *
 * §5.4.2: "Raft never commits log entries from previous terms by counting replicas." They are
 * committed with the first entry of the own term (Figure 8 shows why). Since the term at the
 * majority's index is the newest up to there, looking at that one index is enough.
 */
export const advanceCommit = (server: ServerDraft): ReadonlyArray<Effect> => {
  const { id, role, log, writeProgress, commitIndex, currentTerm } = server
  if (role._tag !== 'Leader') return []
  const N = logIndex(
    quorumValue(voterSets(log.configuration), (voter) => (voter === id ? writeProgress.index : (role.follower(voter)?.matchIndex ?? 0))),
  )
  const ofOwnTerm = log.termAt(N) === currentTerm
  if (N > commitIndex && ofOwnTerm) {
    server.commitIndex = N
    // Applies first: what the state machine's answers make clients propose then rides with the commit notice.
    return [...applyCommitted(server), scheduleFlush]
  }
  return applyCommitted(server)
}
