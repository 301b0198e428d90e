import { votersOnly } from '../src/raft/state/configuration.js'
import type { Apply, DiscardSnapshots, Persist, Restore, Send, StoreSnapshot } from '../src/raft/effect.js'
import { commandEntry } from '../src/raft/state/entry.js'
import { logIndex, messageSeq, nodeId, snapshotRef, term, writeSeq } from '../src/raft/ids.js'
import type { Message } from '../src/raft/messages.js'

/** Effects as the marble tests name them: each tells itself from others by a number. */

export const message = (re: number): Message => ({
  _tag: 'RequestVoteReply',
  from: nodeId('n1'),
  to: nodeId('n2'),
  re: messageSeq(re),
  term: term(1),
  voteGranted: true,
})

/** A message; with `after`, one that waits for that write. */
export const send = (re: number, after: number | null = null): Send => ({
  _tag: 'Send',
  message: message(re),
  after: after === null ? null : writeSeq(after),
})

export const persist = (seq: number): Persist => ({
  _tag: 'Persist',
  seq: writeSeq(seq),
  write: {
    snapshot: null,
    hardState: { currentTerm: term(seq), votedFor: null },
    truncateFrom: null,
    firstIndex: logIndex(1),
    entries: [],
    commitIndex: logIndex(0),
  },
})

export const persisted = (seq: number) => ({ _tag: 'Persisted', seq: writeSeq(seq) }) as const

/** Commands from `first` to `last`, each of which is one byte: its index. */
export const apply = (first: number, last = first, ofTerm = 1): Apply => ({
  _tag: 'Apply',
  firstIndex: logIndex(first),
  entries: Array.from({ length: last - first + 1 }, (_, i) => commandEntry(term(ofTerm), Uint8Array.of(first + i))),
})

const base = (index: number) => ({ index: logIndex(index), term: term(1), configuration: votersOnly([nodeId('n1')]) })

/** The snapshot `ref`, of three bytes, which holds the state after `index`. */
export const restore = (ref: number, index: number): Restore => ({
  _tag: 'Restore',
  snapshot: { ref: snapshotRef(ref), size: 3 },
  base: base(index),
})

/** A piece of one byte, of the own snapshot or of that of the leader `from`. */
export const piece = (ref: number, offset: number, last = false, from: string | null = null): StoreSnapshot => ({
  _tag: 'StoreSnapshot',
  from: from === null ? null : nodeId(from),
  ref: snapshotRef(ref),
  base: base(9),
  offset,
  data: Uint8Array.of(offset),
  last,
})

/** With `after`, one that waits for that write. */
export const discard = (ref: number, after: number | null = null): DiscardSnapshots => ({
  _tag: 'DiscardSnapshots',
  refs: [snapshotRef(ref)],
  after: after === null ? null : writeSeq(after),
})
