import { PersistentTree } from './persistentTree.js'
import { byNumber, type SortedTree } from './tree.js'

/** An entry of a table that knows when each was last used. */
export interface Used<V> {
  /** The log index of its last use; no two entries of a table have the same. */
  readonly usedAt: number
  /** Its part of the table's sum of bytes. */
  readonly bytes: number
  readonly value: V
}

/**
 * Entries by name and by last use, so that the longest unused is found at once; "used" is told by the log, and so alike
 * on all servers.
 */
export class UsedTable<K, V> {
  private constructor(
    private byName: PersistentTree<K, Used<V>>,
    private byUse: PersistentTree<number, K>,
    private sum: number,
  ) {}

  static empty<K, V>(compare: (a: K, b: K) => number): UsedTable<K, V> {
    return new UsedTable<K, V>(PersistentTree.empty(compare), PersistentTree.empty(byNumber), 0)
  }

  /** A table of its own, that begins as this one, which is sealed. */
  fork(): UsedTable<K, V> {
    return new UsedTable(this.byName, this.byUse, this.sum)
  }

  /** From now on, only forks can be changed. */
  seal(): void {
    this.byName.seal()
    this.byUse.seal()
  }

  get size(): number {
    return this.byName.size
  }

  get bytes(): number {
    return this.sum
  }

  get(name: K): Used<V> | undefined {
    return this.byName.get(name)
  }

  /** The longest unused, and since when. */
  oldest(): { readonly name: K; readonly usedAt: number } | null {
    const usedAt = this.byUse.minKey()
    const name = usedAt === undefined ? undefined : this.byUse.get(usedAt)
    return usedAt === undefined || name === undefined ? null : { name, usedAt }
  }

  /** All entries, the longest unused first, to be visited at leisure. */
  inOrderOfUse(): { readonly size: number; readonly entries: Iterable<readonly [name: K, used: Used<V>]> } {
    return { size: this.size, entries: inOrder(this.byUse.copy(), this.byName.copy()) }
  }

  set(name: K, used: Used<V>): void {
    const former = this.byName.get(name)
    this.byName = this.byName.edit()
    this.byName.set(name, used, former)
    this.sum += used.bytes - (former?.bytes ?? 0)
    if (former?.usedAt === used.usedAt) return
    this.byUse = this.byUse.edit()
    if (former !== undefined) this.byUse.delete(former.usedAt, name)
    this.byUse.set(used.usedAt, name, undefined)
  }

  drop(name: K): void {
    const former = this.byName.get(name)
    if (former === undefined) return
    this.byName = this.byName.edit()
    this.byUse = this.byUse.edit()
    this.byName.delete(name, former)
    this.byUse.delete(former.usedAt, name)
    this.sum -= former.bytes
  }
}

function* inOrder<K, V>(byUse: SortedTree<number, K>, byName: SortedTree<K, Used<V>>): Generator<readonly [K, Used<V>], void> {
  for (const name of byUse.values()) yield [name, byName.get(name) as Used<V>]
}
