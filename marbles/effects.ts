import type { Apply, Persist, Send } from '../src/raft/effect.js'
import { commandEntry } from '../src/raft/entry.js'
import { logIndex, messageSeq, nodeId, term, writeSeq } from '../src/raft/ids.js'
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
