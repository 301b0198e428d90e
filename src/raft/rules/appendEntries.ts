import type { Decision, Decisions } from '../decision.js'
import { after, before, logIndex, type LogIndex, maxIndex, minIndex } from '../ids.js'
import type { AppendEntries, AppendEntriesReply, Conflict } from '../messages.js'
import type { Log } from '../state/log.js'
import { leads, type ServerDraft } from '../state/server.js'
import { applyCommitted } from './allServers.js'
import { becomeFollower, disbelieveLeader } from './followers.js'
import { armElectionTimer } from './shared.js'

/**
 * AppendEntries RPC — "invoked by leader to replicate log entries (§5.3); also used as heartbeat (§5.2)".
 *
 * Committed entries stay: a leader "has all committed entries" (§5.4). A leader with other entries leads another
 * history, and is not believed.
 */
export const receiveAppendEntries = (server: ServerDraft, rpc: AppendEntries): Decisions => {
  // 1. Reply false if term < currentTerm (§5.1).
  if (rpc.term < server.currentTerm) return [answer(server, rpc, { success: false })]
  // A term has one leader (§5.2), and this server is it. The sender belongs to another cluster.
  if (leads(server)) return []
  // "If AppendEntries RPC received from new leader: convert to follower."
  becomeFollower(server, rpc.leaderId)
  const armed = armElectionTimer(server)

  // 2. Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm (§5.3).
  const { log } = server
  const compacted = rpc.prevLogIndex < log.base.index // a snapshot replaced only committed entries, and those match
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
    // The entries that stood there are no longer durable: this step must not apply them.
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
      : // Nothing to write: the answer says at once what the disk holds, so that a slow disk deposes no leader.
        answer(server, rpc, { success: true, matchIndex: minIndex(rpc.prevLogIndex, server.writeProgress.index) }),
    ...applyCommitted(server),
  ]
}

/**
 * The first index of the term that stands in the place of the leader's entry, or the end of a log that is too short.
 */
const conflictAt = (log: Log, prevLogIndex: LogIndex): Conflict => {
  const term = log.termAt(prevLogIndex)
  if (term === null) return { term: null, index: after(log.lastIndex) }
  return { term, index: maxIndex(log.firstIndexOf(term), after(log.base.index)) }
}

/**
 * Bounds. A follower whose disk or state machine is behind takes no more entries, and its matchIndex says so. A log
 * that is exactly full takes one more message: the leader's log is not larger, and the next entry may be the no-op
 * without which nothing is committed again.
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
): Decision => ({
  _tag: 'Send',
  message: { _tag: 'AppendEntriesReply', from: id, to: from, re: seq, term: currentTerm, success, matchIndex, conflict },
  after: durably ? 'thisWrite' : null,
})
