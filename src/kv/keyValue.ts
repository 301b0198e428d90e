import type { Revision } from './ids.js'
import type { Key } from './key.js'

/**
 * A version of a key, in etcd's words. Immutable: do not write into `value`.
 *
 * @example
 * const text = ({ value }: KeyValue) => new TextDecoder().decode(value)
 */
export interface KeyValue {
  readonly key: Key
  readonly value: Uint8Array
  /** The revision that made the key, since it was last absent. */
  readonly createRevision: Revision
  /** The revision that made this version. */
  readonly modRevision: Revision
  /** 1 for a new key, one more with each write; starts again after a delete. */
  readonly version: number
}

/**
 * The change of a key by one command. All changes of a command have the same revision.
 *
 * @example
 * const show = ({ _tag, key, revision }: Change) => `${_tag} ${key} at revision ${revision}`
 */
export type Change =
  | { readonly _tag: 'Put'; readonly revision: Revision; readonly key: Key; readonly kv: KeyValue; readonly prevKv: KeyValue | null }
  | { readonly _tag: 'Delete'; readonly revision: Revision; readonly key: Key; readonly kv: null; readonly prevKv: KeyValue }

/** About the bytes that an object, its place in a tree and the header of its value cost beside the bytes themselves. */
const overheadBytes = 200

/** An estimate of the memory that a version takes, the same on every server. */
export const sizeOf = (kv: KeyValue): number => overheadBytes + kv.key.length + kv.value.length

/** The bytes that the history alone keeps alive for a change: the version that it replaced. */
export const pastSizeOf = (change: Change): number => overheadBytes + (change.prevKv === null ? 0 : sizeOf(change.prevKv))
