import { kv } from 'rxraft/kv'

const text = new TextEncoder()
const request = (command: kv.KvCommand): Uint8Array => kv.encodeRequest({ caller: kv.anonymous, command })
const key = kv.keyOfBytes(text.encode('users/ada'))

const empty = kv.emptyStore()
const first = kv.apply(empty, 1, request({ _tag: 'Put', key, value: text.encode('1815'), prevKv: false }))
const second = kv.apply(first.store, 2, request({ _tag: 'Delete', range: kv.single(key), prevKv: true }))

export const seen = [
  first.result, // { _tag: 'Written', revision: 2, prevKv: null }
  kv.get(first.store, key), // still there: first.store is a value
  kv.get(second.store, key), // either.right(null)
  kv.get(second.store, key, { revision: kv.revision(2) }), // the past is there until it is compacted
  kv.eventsSince(second.store, kv.revision(2)), // either.right of both changes, in order
]
