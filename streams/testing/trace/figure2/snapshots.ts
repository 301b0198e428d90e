import type { TraceEventOf, TraceLine, TraceMessage, TraceMessageOf } from '../line.js'
import { type Change, configurationAt, lastIndex, termAt } from './log.js'
import { type Done, done, type ModelServer, type Storing } from './model.js'
import { must } from './must.js'

/*
 * §7 and Figure 13. What a snapshot holds is bytes to this model; it asks that they are stored whole and in order, and
 * that a log forgets nothing but what is committed, for a snapshot that is on the disk. Whether a server takes a
 * snapshot, or wants a chunk, is its own affair.
 */

const storing = (server: ModelServer, ref: number, snapshot: Storing): void => {
  server.storing = new Map([...server.storing, [ref, snapshot]])
}

/** "Each server takes snapshots independently, covering just the committed entries in its log." */
export const snapshotTaken = (server: ModelServer, { store }: TraceLine, { index, data }: TraceEventOf<'SnapshotTaken'>): Done => {
  const { log, applyingIndex } = server
  for (const piece of store) {
    must(
      index <= applyingIndex && index > log.baseIndex,
      `it takes a snapshot of ${index}, which its state machine has not or the log neither`,
    )
    must(piece.index === index && piece.term === termAt(log, index), 'it stores a snapshot of something else')
    must(piece.offset === 0 && piece.last && piece.data === data, 'it does not store all of its snapshot')
    storing(server, piece.ref, { index, term: piece.term, configuration: configurationAt(log, index), from: null, bytes: data.length / 2 })
  }
  return done()
}

/** InstallSnapshot RPC, from the side of the receiver. */
export const installSnapshot = (server: ModelServer, rpc: TraceMessageOf<'InstallSnapshot'>, line: TraceLine): Done => {
  const { lastIncludedIndex: index, lastIncludedTerm: term, configuration, offset, data, from } = rpc
  // 1. "Reply immediately if term < currentTerm."
  if (rpc.term < server.currentTerm) return done([], null, askFor(server, from, rpc.seq, 0))
  must(server.role !== 'Leader', 'two lead in one term')
  server.role = 'Follower'
  if (isHeld(server, index, term)) return installed(server, { index, term, configuration, from, bytes: 0 }, rpc.seq)

  // 2. "Create new snapshot file if first chunk." 3. "Write data into snapshot file at given offset."
  for (const piece of line.store) {
    const known = server.storing.get(piece.ref)
    must(known === undefined || (known.from === from && known.index === index), 'it puts chunks of two snapshots together')
    must(piece.offset === (known?.bytes ?? 0), `it stores byte ${piece.offset} where byte ${known?.bytes ?? 0} comes next`)
    must(
      piece.offset === offset && piece.data === data && piece.last === rpc.done && piece.index === index && piece.term === term,
      'it stores something else than what came',
    )
    storing(server, piece.ref, { index, term, configuration, from, bytes: offset + data.length / 2 })
  }
  const said = answer(line)
  return done([], null, said === null ? null : askFor(server, from, rpc.seq, said.offset))
}

/** 4. "Reply and wait for more data chunks if done is false." */
export const chunkStored = (server: ModelServer, line: TraceLine, { ref, offset }: TraceEventOf<'ChunkStored'>): Done => {
  const said = answer(line)
  const known = server.storing.get(ref)
  if (said === null) return done()
  must(typeof known?.from === 'string' && offset <= known.bytes, 'it answers for a chunk that no leader sent')
  return done([], null, askFor(server, known.from, said.re, offset))
}

/** All of a snapshot is on the disk: now, and not before, the log may forget. */
export const snapshotStored = (server: ModelServer, line: TraceLine, { ref, size }: TraceEventOf<'SnapshotStored'>): Done => {
  const stored = server.storing.get(ref)
  if (stored === undefined) return done()
  must(stored.bytes === size, `the disk holds ${size} bytes of a snapshot of ${stored.bytes}`)
  server.storing = new Map([...server.storing].filter(([other]) => other !== ref))
  const { index, from } = stored
  if (from !== null) {
    const said = answer(line)
    return said === null ? done() : installed(server, stored, said.re)
  }
  const forgets = line.after.base.index === index && index > server.log.baseIndex
  return forgets ? done([], { _tag: 'Snapshot', ...stored, keepsSuffix: true, kept: Number.POSITIVE_INFINITY }) : done()
}

/** Not in the paper (docs/divergences.md): a state machine that cannot begin with a leader's snapshot does not. */
export const snapshotRefused = (server: ModelServer, { ref }: TraceEventOf<'SnapshotRefused'>): Done => {
  must(server.storing.get(ref)?.from !== null, 'it refuses a snapshot of its own')
  server.storing = new Map([...server.storing].filter(([other]) => other !== ref))
  return done()
}

/** 6. "If existing log entry has same index and term as snapshot's last included entry": or if it is committed here. */
const isHeld = ({ log, commitIndex }: ModelServer, index: number, term: number): boolean =>
  index <= commitIndex || termAt(log, index) === term

const installed = (server: ModelServer, { index, term, configuration, from }: Storing, re: number): Done => {
  const { id, currentTerm, commitIndex } = server
  const reply: TraceMessage = { _tag: 'InstallSnapshotReply', from: id, to: from!, re, term: currentTerm, offset: 0, matchIndex: index }
  // 7. "Discard the entire log." What is committed here is within the snapshot.
  const discards: Change = { _tag: 'Snapshot', index, term, configuration, keepsSuffix: false, kept: commitIndex }
  const held = isHeld(server, index, term)
  server.commitIndex = Math.max(commitIndex, index)
  return done([], held ? null : discards, reply)
}

/** A chunk goes out only from one who leads (sends.ts). */
export const chunkRead = ({ role }: ModelServer, { send }: TraceLine): Done => {
  must(send.length === 0 || role === 'Leader', 'it sends a snapshot and does not lead')
  return done()
}

/**
 * Who has installed a snapshot has all that it stands for. The leader believes it if that is the snapshot that it sent.
 */
export const installSnapshotReply = (server: ModelServer, reply: TraceMessageOf<'InstallSnapshotReply'>, { after }: TraceLine): Done => {
  const { role, currentTerm, log, matchIndex } = server
  if (reply.term < currentTerm) return done(['DropStaleResponse'])
  const known = matchIndex.get(reply.from) ?? 0
  const said = after.followers[reply.from]?.matchIndex
  if (role === 'Leader' && said === reply.matchIndex && said > known && said <= lastIndex(log))
    server.matchIndex = new Map([...matchIndex, [reply.from, said]])
  return done()
}

const answer = ({ send }: TraceLine): TraceMessageOf<'InstallSnapshotReply'> | null =>
  send.flatMap(({ message }) => (message._tag === 'InstallSnapshotReply' ? [message] : []))[0] ?? null

const askFor = ({ id, currentTerm }: ModelServer, to: string, re: number, offset: number): TraceMessage => ({
  _tag: 'InstallSnapshotReply',
  from: id,
  to,
  re,
  term: currentTerm,
  offset,
  matchIndex: 0,
})
