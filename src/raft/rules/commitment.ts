import { voterSets } from '../state/configuration.js'
import type { Decisions } from '../decision.js'
import { logIndex } from '../ids.js'
import { quorumValue } from '../quorum.js'
import type { LeaderDraft } from '../state/server.js'
import { applyCommitted } from './allServers.js'
import { scheduleFlush } from './shared.js'

/**
 * Rules for Servers, "Leaders": "If there exists an N such that N > commitIndex, a majority of
 * matchIndex[i] ≥ N, and log[N].term == currentTerm: set commitIndex = N (§5.3, §5.4)."
 *
 * §5.4.2: "Raft never commits log entries from previous terms by counting replicas." They are committed with the first
 * entry of the own term (Figure 8 shows why). No entry up to the majority's index has a newer term than that index has,
 * so looking at it is enough.
 */
export const advanceCommit = (leader: LeaderDraft): Decisions => {
  const { id, role, log, writeProgress, commitIndex, currentTerm } = leader
  const N = logIndex(
    quorumValue(voterSets(log.configuration), (voter) => (voter === id ? writeProgress.index : (role.follower(voter)?.matchIndex ?? 0))),
  )
  const ofOwnTerm = log.termAt(N) === currentTerm
  if (N > commitIndex && ofOwnTerm) {
    leader.commitIndex = N
    // Applies first: the state machine's answers make clients propose, and those commands leave with the new
    // commitIndex.
    return [...applyCommitted(leader), scheduleFlush]
  }
  return applyCommitted(leader)
}
