import type { Effect } from '../effect.js'
import { after, before, logIndex, type LogIndex, maxIndex, minIndex } from '../ids.js'
import type { AppendEntries, AppendEntriesReply, Conflict } from '../messages.js'
import type { Log } from '../state/log.js'
import type { ServerDraft } from '../state/server.js'
import { applyCommitted, armElectionTimer, thisWrite } from './allServers.js'
import { becomeFollower, disbelieveLeader } from './followers.js'

/**
 * AppendEntries RPC — "invoked by leader to replicate log entries (§5.3); also used as heartbeat (§5.2)".
 *
 * What is committed stays: a leader "has all committed entries" (§5.4). One that has others leads another history, and is not believed.
 */
export const receiveAppendEntries = (server: ServerDraft, rpc: AppendEntries): ReadonlyArray<Effect> => {
  // 1. Reply false if term < currentTerm (§5.1).
  if (rpc.term < server.currentTerm) return [answer(server, rpc, { success: false })]
  // Two leaders in one term cannot be (§5.2): whoever says so is not one of us.
  if (server.role._tag === 'Leader') return []
  // "If AppendEntries RPC received from new leader: convert to follower."
  becomeFollower(server, rpc.leaderId)
  const armed = armElectionTimer(server)

  // 2. Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm (§5.3).
  const { log } = server
  const compacted = rpc.prevLogIndex < log.base.index // what a snapshot replaced was committed, and therefore matches
  const matches = compacted || log.termAt(rpc.prevLogIndex) === rpc.prevLogTerm
  if (!matches && rpc.prevLogIndex <= server.commitIndex) return [armed, ...disbelieveLeader(server, rpc.leaderId)]
  if (!matches) return [armed, answer(server, rpc, { success: false, conflict: conflictAt(log, rpc.prevLogIndex) })]

  const entries = hasRoom(server) ? rpc.entries : []
  const lastNew = logIndex(rpc.prevLogIndex + entries.length)
  // 3. If an existing entry conflicts with a new one (same index but different terms),
  //    delete the existing entry and all that follow it (§5.3).
  // 4. Append any new entries not already in the log.
  for (let i = 0; i < entries.length; i++) {
    const index = after(rpc.prevLogIndex, i + 1)
    if (index < log.base.index || log.termAt(index) === entries[i]!.term) continue
    if (index <= server.commitIndex) return [armed, ...disbelieveLeader(server, rpc.leaderId)]
    server.log = log.truncateFrom(index).append(i === 0 ? entries : entries.slice(i))
    // What stood there is no longer durable, already for what this very step applies.
    if (index <= log.lastIndex) server.writeProgress = server.writeProgress.truncate(before(index))
    break
  }

  // 5. If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry).
  const commitIndex = minIndex(rpc.leaderCommit, lastNew)
  if (commitIndex > server.commitIndex) server.commitIndex = commitIndex

  return [
    armed,
    entries.length > 0
      ? answer(server, rpc, { success: true, matchIndex: lastNew, durably: true })
      : // Nothing to write: answered at once with what the disk holds, so that a slow disk deposes no leader.
        answer(server, rpc, { success: true, matchIndex: minIndex(rpc.prevLogIndex, server.writeProgress.index) }),
    ...applyCommitted(server),
  ]
}

/** The first index of the term that stands where the leader's entry should, or the end of a log that is too short. */
const conflictAt = (log: Log, prevLogIndex: LogIndex): Conflict => {
  const term = log.termAt(prevLogIndex)
  if (term === null) return { term: null, index: after(log.lastIndex) }
  return { term, index: maxIndex(log.firstIndexOf(term), after(log.base.index)) }
}

/**
 * Bounds: a follower that is behind with its disk or its state machine takes no more entries, and says so by its matchIndex. A log that is
 * exactly full takes one more message: its leader's is not larger, and what follows may be the no-op without which nothing is committed again.
 */
const hasRoom = ({ commitIndex, lastApplied, writeProgress, log, settings }: ServerDraft): boolean =>
  commitIndex - lastApplied < settings.maxUnapplied &&
  writeProgress.pending.length < settings.maxPendingWrites &&
  log.bytes <= settings.maxLogBytes

const answer = (
  { id, currentTerm }: ServerDraft,
  { from, seq }: AppendEntries,
  {
    success,
    matchIndex = logIndex(0),
    conflict = null,
    durably = false,
  }: Pick<AppendEntriesReply, 'success'> & Partial<AppendEntriesReply> & { readonly durably?: boolean },
): Effect => ({
  _tag: 'Send',
  message: { _tag: 'AppendEntriesReply', from: id, to: from, re: seq, term: currentTerm, success, matchIndex, conflict },
  after: durably ? thisWrite : null,
})
