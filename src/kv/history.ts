import { nextRevision, type Revision, revision } from './ids.js'
import { type Change, pastSizeOf } from './keyValue.js'

type Changes = ReadonlyArray<Change>

const none: Changes = []
const chunkRevisions = 1024

/**
 * The changes of each revision from `first` on, as a persistent value. Guarantees:
 *
 *  1. every revision from `first` up to but without `next` is held, in chunks that begin at multiples of 1024;
 *  2. an older value never changes: a chunk grows in place only where this value ends, and is copied where another has
 *    grown it;
 *  3. appending costs the same at any length; what was dropped can be collected as soon as no older value is held.
 */
export interface History {
  readonly first: Revision
  readonly next: Revision
  readonly chunks: ReadonlyArray<Changes[]>
  /** Memory that nothing but these changes keeps alive, estimated. */
  readonly bytes: number
}

/**
 * The history of an empty store, about to make revision `next`. Its first chunk begins with the revisions that it does
 * not hold.
 */
export const emptyHistory = (next: Revision): History => ({
  first: next,
  next,
  chunks: next % chunkRevisions === 0 ? [] : [new Array<Changes>(next % chunkRevisions).fill(none)],
  bytes: 0,
})

const sizeOfChanges = (changes: Changes): number => {
  let bytes = 0
  for (const change of changes) bytes += pastSizeOf(change)
  return bytes
}

/** The history with one more revision. */
export const append = ({ first, next, chunks, bytes }: History, changes: Changes): History => ({
  first,
  next: nextRevision(next),
  chunks: withTail(chunks, next % chunkRevisions, changes),
  bytes: bytes + sizeOfChanges(changes),
})

const withTail = (chunks: ReadonlyArray<Changes[]>, length: number, changes: Changes): ReadonlyArray<Changes[]> => {
  const tail = chunks[chunks.length - 1]
  if (length === 0 || tail === undefined) return [...chunks, [changes]]
  if (tail.length !== length) return [...chunks.slice(0, -1), [...tail.slice(0, length), changes]]
  tail.push(changes)
  return chunks
}

const chunkOf = (r: number): number => Math.floor(r / chunkRevisions)

/** The changes of revision `r`, in order; none where nothing is held. */
export const changesAt = ({ first, next, chunks }: History, r: Revision): Changes =>
  r < first || r >= next ? none : (chunks[chunkOf(r) - chunkOf(first)]?.[r % chunkRevisions] ?? none)

/** The history from revision `to` on. */
export const dropBelow = (history: History, to: Revision): History => {
  const first = revision(Math.min(Math.max(to, history.first), history.next))
  let dropped = 0
  for (let r = history.first; r < first; r = nextRevision(r)) dropped += sizeOfChanges(changesAt(history, r))

  const [head, ...rest] = history.chunks.slice(chunkOf(first) - chunkOf(history.first))
  const emptied = head?.map((changes, at) => (at < first % chunkRevisions ? none : changes))
  return { first, next: history.next, chunks: emptied === undefined ? [] : [emptied, ...rest], bytes: history.bytes - dropped }
}

/** From which revision on the history takes at most `bytes`. */
export const firstThatFits = (history: History, bytes: number): Revision => {
  let first = history.first
  for (let rest = history.bytes; rest > bytes; first = nextRevision(first)) rest -= sizeOfChanges(changesAt(history, first))
  return first
}
