import type { Decision, Decisions } from '../decision.js'
import type { RaftEvent } from '../event.js'
import { after, maxIndex, type NodeId } from '../ids.js'
import type { InstallSnapshotReply } from '../messages.js'
import type { Progress } from '../state/progress.js'
import type { LeaderDraft } from '../state/server.js'
import { Sending } from '../state/snapshots.js'
import { advanceCommit } from './commitment.js'
import { nextMessage, scheduleFlush } from './shared.js'

/**
 * "The leader must occasionally send snapshots to followers that lag behind. This happens when the leader has already
 * discarded the next log entry that it needs to send" (§7). One chunk is under way at a time (Figure 13). The
 * follower's answer asks for the next, so that its disk sets the pace. A lost chunk is sent again when the follower
 * answers anything, and not before.
 */

/** Whether the log does not hold the follower's next entry any more. */
export const needsSnapshot = ({ log, snapshots }: LeaderDraft, { nextIndex }: Progress): boolean =>
  nextIndex <= log.base.index && snapshots.current !== null

export const startSending = (leader: LeaderDraft, progress: Progress): Decisions => {
  const { log, snapshots } = leader
  const { current } = snapshots
  if (current === null) return []
  leader.role = leader.role.withProgress(progress.with({ flow: 'Snapshot', nextIndex: after(log.base.index), inflight: [] }))
  return [readChunk(leader, new Sending(progress.id, current, log.base, 0, 'Reading'))]
}

/** The chunk from `sending.offset` on comes next. */
const readChunk = (leader: LeaderDraft, sending: Sending): Decision => {
  const { to: peer, snapshot, offset } = sending
  leader.role = leader.role.withSending(sending.with({ chunk: 'Reading' }))
  return { _tag: 'ReadChunk', peer, ref: snapshot.ref, offset, maxBytes: leader.settings.maxSnapshotChunkBytes }
}

/**
 * The chunk was read. It goes to its follower, unless the snapshot is no longer sent, or another chunk of it comes
 * next.
 */
export const chunkRead = (
  leader: LeaderDraft,
  { peer, ref, offset, data }: Extract<RaftEvent, { readonly _tag: 'ChunkRead' }>,
  at: number,
): Decisions => {
  const sending = leader.role.sending(peer)
  if (sending?.chunk !== 'Reading' || sending.snapshot.ref !== ref || sending.offset !== offset) return []
  const { snapshot, base } = sending
  const seq = nextMessage(leader)
  leader.role = leader.role.withSending(sending.with({ chunk: { seq, sentAt: at, otherAnswers: 0 } }))
  return [
    {
      _tag: 'Send',
      after: null,
      message: {
        _tag: 'InstallSnapshot',
        from: leader.id,
        to: peer,
        seq,
        term: leader.currentTerm,
        leaderId: leader.id,
        lastIncludedIndex: base.index,
        lastIncludedTerm: base.term,
        configuration: base.configuration,
        offset,
        data,
        done: offset + data.length >= snapshot.size,
      },
    },
  ]
}

export const receiveInstallSnapshotReply = (leader: LeaderDraft, reply: InstallSnapshotReply): Decisions => {
  const sending = leader.role.sending(reply.from)
  if (sending === undefined || reply.term !== leader.currentTerm) return []
  if (reply.matchIndex === sending.base.index) return snapshotSent(leader, sending)
  // The answer to a chunk that was given up comes late. The next answer says again which byte the follower wants.
  if (!sending.isSentAs(reply.re)) return []
  return reply.offset < sending.snapshot.size ? [readChunk(leader, sending.with({ offset: reply.offset }))] : []
}

/** The follower has all that the snapshot stands for. Its log goes on from there, or from a newer snapshot. */
const snapshotSent = (leader: LeaderDraft, { to, base }: Sending): Decisions => {
  leader.role = leader.role.withoutSending(to)
  const progress = leader.role.follower(to)
  if (progress === undefined) return []
  const matchIndex = maxIndex(progress.matchIndex, base.index)
  const next = progress.with({ flow: 'Replicate', nextIndex: after(matchIndex), matchIndex, inflight: [], silentHeartbeats: 0 })
  leader.role = leader.role.withProgress(next)
  const commits = advanceCommit(leader)
  return commits.includes(scheduleFlush) ? commits : [...commits, scheduleFlush]
}

/**
 * After so many answers to later requests the leader takes a chunk for lost. With fewer, its follower may just have a
 * slow disk.
 */
const maxOtherAnswers = 3

/** The follower has answered something else than the chunk: it can be reached. */
export const answeredOtherwise = (leader: LeaderDraft, from: NodeId): Decisions => {
  const sending = leader.role.sending(from)
  if (sending === undefined || sending.chunk === 'Reading') return []
  const { chunk } = sending
  if (chunk === 'Lost' || chunk.otherAnswers + 1 === maxOtherAnswers) return [readChunk(leader, sending)]
  leader.role = leader.role.withSending(sending.with({ chunk: { ...chunk, otherAnswers: chunk.otherAnswers + 1 } }))
  return []
}

/** The line is broken, and the chunk may be lost with it. */
export const chunkLost = (leader: LeaderDraft, peer: NodeId): void => {
  const sending = leader.role.sending(peer)
  if (sending !== undefined && sending.chunk !== 'Reading') leader.role = leader.role.withSending(sending.with({ chunk: 'Lost' }))
}
