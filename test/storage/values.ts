import { votersOnly } from '../../src/raft/state/configuration.js'
import type { HardState, Persist, SnapshotPointer, StoreSnapshot, Write } from '../../src/raft/effect.js'
import { commandEntry, type Entry } from '../../src/raft/state/entry.js'
import { logIndex, nodeId, snapshotRef, term, writeSeq } from '../../src/raft/ids.js'
import type { Recovered } from '../../src/raft/state/server.js'

/*
 * What is written to a storage and found there, in short. Free of jest.
 */

export const configuration = votersOnly(['n1', 'n2', 'n3'].map(nodeId))
export const incarnation = '0123456789abcdef0123456789abcdef'

export const command = (term_: number, text: string): Entry =>
  commandEntry(
    term(term_),
    Uint8Array.from(text, (c) => c.charCodeAt(0)),
  )

export const hardState = (currentTerm: number, votedFor: string | null = null): HardState => ({
  currentTerm: term(currentTerm),
  votedFor: votedFor === null ? null : nodeId(votedFor),
})

/** A write, of which only what matters is given. */
export const persist = (
  write: Partial<{ [Field in keyof Write]: Write[Field] | number }> & { readonly entries?: ReadonlyArray<Entry> } = {},
): Persist => ({
  _tag: 'Persist',
  seq: writeSeq(1),
  write: {
    snapshot: null,
    hardState: null,
    truncateFrom: null,
    firstIndex: logIndex(1),
    entries: [],
    commitIndex: logIndex(0),
    ...write,
  } as Write,
})

/** A state as values that can be compared, whatever the log is made of. */
export const plain = ({ currentTerm, votedFor, log, commitIndex, snapshot }: Recovered): unknown => ({
  currentTerm,
  votedFor,
  commitIndex,
  snapshot,
  base: log.base,
  configuration: log.configuration,
  entries: [...log].map(({ term, kind, command }) => [term, kind, Buffer.from(command).toString('latin1')]),
})

/** The bytes of snapshot `ref`, of which no two blocks look the same. */
export const snapshotBytes = (ref: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >> 8) * 13 + ref
  return bytes
}

/** Snapshot `ref` of entry `index`, of which the log keeps what follows. */
export const pointer = (ref: number, size: number, index: number, { term: t = 1, keepsSuffix = true } = {}): SnapshotPointer => ({
  ref: snapshotRef(ref),
  size,
  base: { index: logIndex(index), term: term(t), configuration },
  keepsSuffix,
})

/** The snapshot that `pointer` points to, in pieces of `pieceBytes`. */
export const piecesOf = ({ ref, size, base }: SnapshotPointer, pieceBytes = Math.max(1, size)): ReadonlyArray<StoreSnapshot> => {
  const bytes = snapshotBytes(ref, size)
  return Array.from({ length: Math.max(1, Math.ceil(size / pieceBytes)) }, (_, i) => {
    const offset = i * pieceBytes
    return {
      _tag: 'StoreSnapshot',
      from: null,
      ref,
      base,
      offset,
      data: bytes.subarray(offset, offset + pieceBytes),
      last: offset + pieceBytes >= size,
    }
  })
}
