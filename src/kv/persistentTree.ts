import { emptyTree, type SortedMap, type SortedTree } from './tree.js'

/** After so many edits a version keeps a tree of its own, which ends the chain of edits that older ones depend on. */
const editsPerCopy = 16_384

/** The value of a key before an edit, undefined where it had none; then the edit before that one. */
interface Undo<K, V> {
  readonly key: K
  readonly former: V | undefined
  readonly next: Undo<K, V> | null
}

/**
 * An ordered map as a persistent value, fastest where the newest version is the one in use. Guarantees:
 *
 *  1. a version that is sealed never changes;
 *  2. editing the newest version changes one tree in place: nothing is copied;
 *  3. an older version costs nothing until it is read; then its tree is the newest one's copy-on-write clone, with the
 *    edits since undone, of which there are never more than some thousands;
 *  4. what only older versions need can be collected as soon as they are not held.
 *
 * This is Baker's "shallow binding" (as in Conchon and Filliâtre, "A persistent union-find data structure", 2007) over
 * a B+ tree. A clone per command would copy a path of nodes each time, which costs three times as much.
 */
export class PersistentTree<K, V> implements SortedMap<K, V> {
  private newer: PersistentTree<K, V> | null = null
  /** The edits that lead from `newer` back to this version, the last one first. */
  private undo: Undo<K, V> | null = null
  /** While this version is open: the one it was made from, if that one depends on it. */
  private older: PersistentTree<K, V> | null = null

  private constructor(
    private tree: SortedTree<K, V> | null,
    private edits: number,
    private open: boolean,
  ) {}

  /** An open version, without pairs, in the order of `compare`. */
  static empty<K, V>(compare: (a: K, b: K) => number): PersistentTree<K, V> {
    return new PersistentTree<K, V>(emptyTree(compare), 0, true)
  }

  /** This version while it is open, else an open one that begins as this one. */
  edit(): PersistentTree<K, V> {
    if (this.open) return this
    const tree = this.current()
    if (this.edits >= editsPerCopy) return new PersistentTree(tree.clone(), 0, true)
    const next = new PersistentTree<K, V>(tree, this.edits, true)
    this.tree = this.undo = null
    this.newer = next
    next.older = this
    return next
  }

  seal(): void {
    this.open = false
    this.older = null
  }

  /** A tree of one's own with the pairs of this version: free to be changed, or to be visited at leisure. */
  copy(): SortedTree<K, V> {
    return this.current().clone()
  }

  get size(): number {
    return this.current().size
  }

  get(key: K): V | undefined {
    return this.current().get(key)
  }

  minKey(): K | undefined {
    return this.current().minKey()
  }

  forRange(low: K, high: K, includeHigh: boolean, visit?: (key: K, value: V) => { readonly break: number } | undefined): number {
    return this.current().forRange(low, high, includeHigh, visit)
  }

  /** @param former what `get(key)` gives, which callers have at hand */
  set(key: K, value: V, former: V | undefined): void {
    this.note(key, former)
    this.current().set(key, value)
  }

  delete(key: K, former: V): void {
    this.note(key, former)
    this.current().delete(key)
  }

  private note(key: K, former: V | undefined): void {
    if (!this.open) throw new TypeError('a sealed version was about to change')
    this.edits++
    if (this.older !== null) this.older.undo = { key, former, next: this.older.undo }
  }

  private current(): SortedTree<K, V> {
    if (this.tree !== null) return this.tree
    const versions: PersistentTree<K, V>[] = [this]
    let newest = this.newer as PersistentTree<K, V>
    while (newest.tree === null) {
      versions.push(newest)
      newest = newest.newer as PersistentTree<K, V>
    }
    const tree = newest.tree.clone()
    for (const version of versions.reverse()) {
      for (let edit = version.undo; edit !== null; edit = edit.next) {
        if (edit.former === undefined) tree.delete(edit.key)
        else tree.set(edit.key, edit.former)
      }
    }
    this.tree = tree
    this.newer = this.undo = null
    this.edits = 0
    return tree
  }
}
