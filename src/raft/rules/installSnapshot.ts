import type { Decision, Decisions } from '../decision.js'
import { logIndex, maxIndex, type MessageSeq, type NodeId, type SnapshotRef } from '../ids.js'
import { type LogBase, logFrom } from '../state/log.js'
import type { InstallSnapshot } from '../messages.js'
import { leads, type ServerDraft } from '../state/server.js'
import type { Receiving } from '../state/snapshots.js'
import { applyCommitted } from './allServers.js'
import { becomeFollower, disbelieveLeader } from './followers.js'
import { armElectionTimer } from './shared.js'

/** InstallSnapshot RPC (Figure 13) — "invoked by leader to send chunks of a snapshot to a follower". */
export const receiveInstallSnapshot = (server: ServerDraft, rpc: InstallSnapshot): Decisions => {
  // 1. Reply immediately if term < currentTerm.
  if (rpc.term < server.currentTerm) return [askFor(server, rpc.from, rpc.seq, 0)]
  if (leads(server)) return [] // as with AppendEntries
  becomeFollower(server, rpc.leaderId)
  const armed = armElectionTimer(server)
  const { commitIndex, log } = server
  const committed = rpc.lastIncludedIndex <= commitIndex ? log.termAt(rpc.lastIncludedIndex) : null
  // As with AppendEntries: another history.
  if (committed !== null && committed !== rpc.lastIncludedTerm) return [armed, ...disbelieveLeader(server, rpc.leaderId)]
  return [armed, ...receiveChunk(server, rpc)]
}

const receiveChunk = (server: ServerDraft, rpc: InstallSnapshot): Decisions => {
  const { from, seq: re, offset, data, done: last } = rpc
  const base: LogBase = { index: rpc.lastIncludedIndex, term: rpc.lastIncludedTerm, configuration: rpc.configuration }
  if (holds(server, base)) return alreadyHeld(server, { from, re, base })

  const { snapshots } = server
  const known = snapshots.receiving !== null && isOf(snapshots.receiving, rpc) ? snapshots.receiving : null
  // It came again while its first copy is stored: the answer is for this copy as well.
  if (known?.storing === true) {
    if (known.re !== re) server.snapshots = snapshots.with({ receiving: { ...known, re } })
    return []
  }
  // 2. Create new snapshot file if first chunk (offset is 0).
  const receiving: Receiving = known ?? { ref: snapshots.nextRef, base, from, re, offset: 0, storing: false }
  // "Leaders always send chunks in order": out of order, a chunk before it was lost, or the answer to one.
  if (offset !== receiving.offset) return [askFor(server, from, re, receiving.offset)]
  // 3. Write data into snapshot file at given offset.
  server.snapshots = snapshots.with({
    receiving: { ...receiving, re, storing: true },
    lastRef: known === null ? receiving.ref : snapshots.lastRef,
  })
  return [{ _tag: 'StoreSnapshot', from, ref: receiving.ref, base, offset, data, last }]
}

/**
 * A leader has one snapshot of an index in a term. Another leader's has other bytes: a new term forgets the chunks of
 * the old one.
 */
const isOf = ({ base }: Receiving, rpc: InstallSnapshot): boolean => base.index === rpc.lastIncludedIndex

/** 4. Reply and wait for more data chunks if done is false. */
export const chunkStored = (server: ServerDraft, ref: SnapshotRef, offset: number): Decisions => {
  const { receiving } = server.snapshots
  if (receiving?.ref !== ref || !receiving.storing) return []
  server.snapshots = server.snapshots.with({ receiving: { ...receiving, offset, storing: false } })
  return [askFor(server, receiving.from, receiving.re, offset)]
}

/** 5. Save snapshot file, discard any existing or partial snapshot with a smaller index. */
export const snapshotInstalled = (server: ServerDraft, receiving: Receiving, size: number): Decisions => {
  const { ref, base, from, re } = receiving
  if (holds(server, base)) return alreadyHeld(server, receiving)
  const { snapshots, commitIndex, writeProgress } = server
  // An own snapshot under way is older: it covers committed entries, and those end before this snapshot's last.
  server.snapshots = snapshots.with({ current: { ref, size }, receiving: null, taking: null })
  // 7. Discard the entire log.
  server.log = logFrom(base)
  server.writeProgress = writeProgress.truncate(commitIndex)
  server.commitIndex = base.index
  // 8. Reset state machine using snapshot contents, once the write that points to the snapshot is on disk.
  return [installed(server, from, re, base), ...applyCommitted(server)]
}

/** Nothing of it is kept. The state machine goes on with its own state. */
export const snapshotRefused = (server: ServerDraft, ref: SnapshotRef): Decisions => {
  const { receiving } = server.snapshots
  if (receiving?.ref !== ref) return []
  server.snapshots = server.snapshots.with({ receiving: null })
  return [{ _tag: 'Ignored', from: receiving.from, why: 'UnreadableSnapshot' }]
}

/** Whether the log has the snapshot's last included entry, or a snapshot has already replaced it. */
const holds = ({ commitIndex, log }: ServerDraft, { index, term }: LogBase): boolean => index <= commitIndex || log.termAt(index) === term

/**
 * 6. "If existing log entry has same index and term as snapshot's last included entry, retain log entries following it
 *    and reply." The
 * entries before it stay too: they are equal, and the state machine goes on with them. An own snapshot replaces them
 * later.
 */
const alreadyHeld = (
  server: ServerDraft,
  { from, re, base }: { readonly from: NodeId; readonly re: MessageSeq; readonly base: LogBase },
): Decisions => {
  if (server.snapshots.receiving !== null) server.snapshots = server.snapshots.with({ receiving: null })
  server.commitIndex = maxIndex(server.commitIndex, base.index)
  return [installed(server, from, re, base), ...applyCommitted(server)]
}

/** Asks for the bytes from `offset` on. The answer promises nothing, so it waits for nothing. */
const askFor = ({ id: from, currentTerm: term }: ServerDraft, to: NodeId, re: MessageSeq, offset: number): Decision => ({
  _tag: 'Send',
  message: { _tag: 'InstallSnapshotReply', from, to, re, term, offset, matchIndex: logIndex(0) },
  after: null,
})

/** Says that everything up to the last included index is here, once it is on the disk. */
const installed = ({ id: from, currentTerm: term }: ServerDraft, to: NodeId, re: MessageSeq, { index }: LogBase): Decision => ({
  _tag: 'Send',
  message: { _tag: 'InstallSnapshotReply', from, to, re, term, offset: 0, matchIndex: index },
  after: 'thisWrite',
})
