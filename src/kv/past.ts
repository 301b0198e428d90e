import { changesAt, type History } from './history.js'
import { type Revision, revision } from './ids.js'
import { contains, type Key, type KeyRange } from './key.js'
import type { Change, KeyValue } from './keyValue.js'
import type { Compacted, FutureRevision } from './result.js'
import type { PersistentTree } from './persistentTree.js'
import type { SortedTree } from './tree.js'

/**
 * All keys as they were right after a revision: the tree of that time, which shares most of its nodes with the present
 * one.
 */
export interface Checkpoint {
  readonly revision: Revision
  readonly keys: SortedTree<Key, KeyValue>
}

/** A checkpoint stands at least so many changes after the former: this bounds how many a read of the past undoes. */
export const checkpointChanges = 16_384

/** The keys of every revision that is kept. */
export interface Versions {
  readonly revision: Revision
  readonly compactRevision: Revision
  readonly keys: PersistentTree<Key, KeyValue>
  /** Changes that are in `keys` and not yet part of a revision. */
  readonly pending: ReadonlyArray<Change>
  readonly history: History
  /** In order of revision. */
  readonly checkpoints: ReadonlyArray<Checkpoint>
}

export const unreadable = ({ revision, compactRevision }: Versions, r: Revision): Compacted | FutureRevision | null => {
  if (r < compactRevision) return { _tag: 'Compacted', compactRevision }
  return r > revision ? { _tag: 'FutureRevision', revision } : null
}

/**
 * The keys of a range as they were right after revision `at` (others may be of any revision): what came later is
 * undone, newest first, from the nearest checkpoint back.
 */
export const stateAt = (versions: Versions, at: Revision, range: KeyRange): SortedTree<Key, KeyValue> => {
  const nearest = versions.checkpoints.find((checkpoint) => checkpoint.revision >= at)
  const keys = nearest === undefined ? versions.keys.copy() : nearest.keys.clone()
  const undoAll = (changes: ReadonlyArray<Change>) => {
    for (let i = changes.length - 1; i >= 0; i--) {
      const change = changes[i] as Change
      if (!contains(range, change.key)) continue
      if (change.prevKv === null) keys.delete(change.key)
      else keys.set(change.key, change.prevKv)
    }
  }
  if (nearest === undefined) undoAll(versions.pending)
  for (let r = (nearest ?? versions).revision; r > at; r = revision(r - 1)) undoAll(changesAt(versions.history, r))
  return keys
}
