import type { KeyValue } from '../../../src/kv/keyValue.js'
import { textOfKey } from '../text.js'
import type { WatchMessage } from '../transport.js'

/**
 * A version of a key, as users see it.
 *
 * @example
 * const item: KvItem | null = await client.get('greeting')
 * const text = item === null ? 'no greeting' : new TextDecoder().decode(item.value)
 */
export interface KvItem {
  readonly key: string
  readonly value: Uint8Array
  /** The revision that made the key. */
  readonly createRevision: number
  /** The revision that made this version. */
  readonly modRevision: number
  /** 1 for a new key, one more with each write. */
  readonly version: number
}

/**
 * The changes of one revision to the keys that are watched.
 *
 * @example
 * client.watch('users/').subscribe(({ revision, events }: KvChanges) => console.log(revision, events.length))
 */
export interface KvChanges {
  readonly revision: number
  readonly events: ReadonlyArray<KvEvent>
}

/**
 * A change of one key, as a watch tells it.
 *
 * @example
 * const keyOf = (event: KvEvent) => (event._tag === 'Put' ? event.item.key : event.key)
 */
export type KvEvent = { readonly _tag: 'Put'; readonly item: KvItem } | { readonly _tag: 'Delete'; readonly key: string }

export const itemOf = (kv: KeyValue): KvItem => ({ ...kv, key: textOfKey(kv.key) })

export const changesOf = ({ revision, events }: WatchMessage): KvChanges => ({
  revision,
  events: events.map((event) =>
    event._tag === 'Put' ? { _tag: 'Put', item: itemOf(event.kv) } : { _tag: 'Delete', key: textOfKey(event.key) },
  ),
})
