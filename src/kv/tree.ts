import { EmptyBTree } from 'sorted-btree'
import type { KeyRange } from './key.js'

/** The ordered map that queries need. */
export interface SortedMap<K, V> {
  readonly size: number
  get(key: K): V | undefined
  /**
   * Visits the pairs with `low <= key < high` (`<= high`) in order, until `visit` gives something. Returns how many it
   * visited, or that break.
   */
  forRange(low: K, high: K, includeHigh: boolean, visit?: (key: K, value: V) => { readonly break: number } | undefined): number
}

/** The part of sorted-btree that we use. */
export interface SortedTree<K, V> extends SortedMap<K, V> {
  set(key: K, value: V): boolean
  delete(key: K): boolean
  minKey(): K | undefined
  entries(from?: K): IterableIterator<[K, V]>
  values(): IterableIterator<V>
  /** Costs the same at any size: from then on both copies give up a node, by copying it, before they change it. */
  clone(): SortedTree<K, V>
}

type TreeConstructor = new <K, V>(entries: undefined, compare: (a: K, b: K) => number) => SortedTree<K, V>

// sorted-btree is a CommonJS module with a default export, which Node, bundlers and the CommonJS build all see
// differently; a named export they see alike.
const BTree = EmptyBTree.constructor as unknown as TreeConstructor

/** An empty map in the order of `compare`. */
export const emptyTree = <K, V>(compare: (a: K, b: K) => number): SortedTree<K, V> => new BTree(undefined, compare)

// `<` first: of the comparisons on the way down a tree, at most one finds an equal key.
export const byString = (a: string, b: string): number => (a < b ? -1 : a === b ? 0 : 1)
export const byNumber = (a: number, b: number): number => a - b

/** Higher than every key, as no byte reaches 256. */
const afterEveryKey = '\u0100'

/** Visits the pairs of a range in order, until `visit` returns false. */
export const scan = <K extends string, V>(tree: SortedMap<K, V>, { start, end }: KeyRange, visit: (value: V) => boolean): void => {
  const high = end ?? afterEveryKey
  if (start < high) tree.forRange(start as string as K, high as K, false, (_, value) => (visit(value) ? undefined : stop))
}

const stop = { break: 0 } as const

/** How many keys lie in a range. */
export const count = <K extends string, V>(tree: SortedMap<K, V>, { start, end }: KeyRange): number => {
  const high = end ?? afterEveryKey
  return start < high ? tree.forRange(start as string as K, high as K, false) : 0
}
