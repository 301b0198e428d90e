import type { Effect } from '../effect.js'
import type { RaftEvent } from '../event.js'
import { after, maxIndex, type MessageSeq, type NodeId } from '../ids.js'
import type { InstallSnapshotReply } from '../messages.js'
import { Progress, type ServerDraft } from '../state/server.js'
import { Sending } from '../state/snapshots.js'
import { nextMessage, scheduleFlush } from './allServers.js'
import { advanceCommit } from './commitment.js'

/**
 * "The leader must occasionally send snapshots to followers that lag behind. This happens when the leader has already discarded the
 * next log entry that it needs to send" (§7). Chunks go one at a time (Figure 13); the follower's answer asks for the next, so that
 * its disk sets the pace, and a chunk that came to nothing is repeated when the follower is heard of and not before.
 */

/** Whether what this follower needs next is no longer in the log. */
export const needsSnapshot = ({ log, snapshots }: ServerDraft, { nextIndex }: Progress): boolean =>
  nextIndex <= log.base.index && snapshots.current !== null

export const startSending = (server: ServerDraft, progress: Progress, effects: Effect[]): Progress => {
  const { role, log, snapshots } = server
  const { current } = snapshots
  if (role._tag !== 'Leader' || current === null) return progress
  const { id, matchIndex, sentCommit, silentHeartbeats } = progress
  readChunk(server, { to: id, snapshot: current, base: log.base }, 0, effects)
  return new Progress(id, after(log.base.index), matchIndex, sentCommit, 'Snapshot', [], silentHeartbeats)
}

const readChunk = (
  server: ServerDraft,
  { to, snapshot, base }: Pick<Sending, 'to' | 'snapshot' | 'base'>,
  offset: number,
  effects: Effect[],
): void => {
  setSending(server, to, new Sending(to, snapshot, base, offset, 'Reading'))
  effects.push({ _tag: 'ReadChunk', peer: to, ref: snapshot.ref, offset, maxBytes: server.settings.maxSnapshotChunkBytes })
}

const setSending = (server: ServerDraft, to: NodeId, transfer: Sending | null): void => {
  if (server.role._tag === 'Leader') server.role = server.role.withSending(to, transfer)
}

const sendingTo = ({ role }: ServerDraft, to: NodeId): Sending | undefined => (role._tag === 'Leader' ? role.sending(to) : undefined)

/** The chunk was read: it goes to its follower, unless the transfer has ended or moved on meanwhile. */
export const chunkRead = (
  server: ServerDraft,
  { peer, ref, offset, data }: Extract<RaftEvent, { readonly _tag: 'ChunkRead' }>,
  at: number,
): ReadonlyArray<Effect> => {
  const transfer = sendingTo(server, peer)
  if (transfer?.chunk !== 'Reading' || transfer.snapshot.ref !== ref || transfer.offset !== offset) return []
  const { snapshot, base } = transfer
  const seq = nextMessage(server)
  setSending(server, peer, new Sending(peer, snapshot, base, offset, { seq, sentAt: at, otherAnswers: 0 }))
  return [
    {
      _tag: 'Send',
      after: null,
      message: {
        _tag: 'InstallSnapshot',
        from: server.id,
        to: peer,
        seq,
        term: server.currentTerm,
        leaderId: server.id,
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

export const receiveInstallSnapshotReply = (server: ServerDraft, reply: InstallSnapshotReply): ReadonlyArray<Effect> => {
  const transfer = reply.term === server.currentTerm ? sendingTo(server, reply.from) : undefined
  if (transfer === undefined) return []
  if (reply.matchIndex === transfer.base.index) return snapshotSent(server, transfer)
  // An answer to a chunk that was given up is late: the next one says again what is wanted.
  if (!isAnswered(transfer, reply.re)) return []
  const effects: Effect[] = []
  if (reply.offset < transfer.snapshot.size) readChunk(server, transfer, reply.offset, effects)
  return effects
}

/** Whether `re` is the request that carried the chunk under way. */
export const isAnswered = ({ chunk }: Sending, re: MessageSeq): boolean => typeof chunk === 'object' && chunk.seq === re

/** The follower has all that the snapshot stands for: its log goes on from there, or from a newer snapshot. */
const snapshotSent = (server: ServerDraft, { to, base }: Sending): ReadonlyArray<Effect> => {
  setSending(server, to, null)
  const { role } = server
  const progress = role._tag === 'Leader' ? role.follower(to) : undefined
  if (role._tag !== 'Leader' || progress === undefined) return []
  const matchIndex = maxIndex(progress.matchIndex, base.index)
  server.role = role.with(new Progress(to, after(matchIndex), matchIndex, progress.sentCommit, 'Replicate', [], 0))
  const effects = advanceCommit(server)
  return effects.includes(scheduleFlush) ? effects : [...effects, scheduleFlush]
}

/** A heartbeat found that the follower's log has come to ours by itself, or that the answer to the last chunk was lost. */
export const endSending = (server: ServerDraft, to: NodeId): void => {
  if (sendingTo(server, to) !== undefined) setSending(server, to, null)
}

/** After so many answers to what was sent later, a chunk is taken for lost: its follower may just have a slow disk. */
const maxOtherAnswers = 3

/** The follower has answered something else than the chunk: it is there. */
export const answeredOtherwise = (server: ServerDraft, from: NodeId): ReadonlyArray<Effect> => {
  const transfer = sendingTo(server, from)
  if (transfer === undefined || transfer.chunk === 'Reading') return []
  const effects: Effect[] = []
  const { to, snapshot, base, offset, chunk } = transfer
  if (chunk === 'Lost' || chunk.otherAnswers + 1 === maxOtherAnswers) readChunk(server, transfer, offset, effects)
  else setSending(server, to, new Sending(to, snapshot, base, offset, { ...chunk, otherAnswers: chunk.otherAnswers + 1 }))
  return effects
}

/** The line is broken, and with it perhaps the chunk. */
export const chunkLost = (server: ServerDraft, peer: NodeId): void => {
  const transfer = sendingTo(server, peer)
  if (transfer === undefined || transfer.chunk === 'Reading') return
  const { to, snapshot, base, offset } = transfer
  setSending(server, to, new Sending(to, snapshot, base, offset, 'Lost'))
}
