import { voterSets } from '../../src/raft/state/configuration.js'
import type { Effect } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { after, logIndex } from '../../src/raft/ids.js'
import { quorumValue } from '../../src/raft/quorum.js'
import { applyCommitted } from '../../src/raft/rules/allServers.js'
import { scheduleFlush } from '../../src/raft/rules/shared.js'
import { draftOf, type Server } from '../../src/raft/state/server.js'
import { step } from '../../src/raft/step.js'

/** Mistakes put back round a right `step`, without the invariants that would find them first. */

type Decide = typeof step

/** "Commits log entries from previous terms by counting replicas" (what §5.4.2 forbids). */
export const countsOlderTerms: Decide = (before, event, at) => {
  const stepped = step(before, event, at)
  const { role, log, id, writeProgress, commitIndex } = stepped.server
  if (role._tag !== 'Leader') return stepped
  const N = quorumValue(voterSets(log.configuration), (voter) =>
    voter === id ? writeProgress.index : (role.follower(voter)?.matchIndex ?? 0),
  )
  if (N <= commitIndex) return stepped
  const server = draftOf(stepped.server)
  server.commitIndex = logIndex(N)
  const applies = applyCommitted(server)
  return { server, effects: [...stepped.effects, ...applies, scheduleFlush] }
}

/** The vote is held in memory alone. */
export const forgetsItsVote: Decide = (before, event, at) => {
  const { server, effects } = step(before, event, at)
  return { server, effects: effects.map(withoutVote) }
}

const withoutVote = (effect: Effect): Effect =>
  effect._tag === 'Persist' && effect.write.hardState !== null
    ? { ...effect, write: { ...effect.write, hardState: { ...effect.write.hardState, votedFor: null } } }
    : effect

/** The log ends where an AppendEntries ends, whether anything conflicts or not. */
export const truncatesAlways: Decide = (before, event, at) => step(cutOff(before, event), event, at)

const cutOff = (server: Server, event: RaftEvent): Server => {
  if (event._tag !== 'Received' || event.message._tag !== 'AppendEntries') return server
  const { term, prevLogIndex, prevLogTerm } = event.message
  if (term < server.currentTerm || server.log.termAt(prevLogIndex) !== prevLogTerm) return server
  const cut = draftOf(server)
  cut.log = server.log.truncateFrom(after(prevLogIndex))
  cut.writeProgress = server.writeProgress.truncate(prevLogIndex)
  return cut
}
