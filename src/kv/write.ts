import type { Append, Delete, Put } from './command.js'
import { nextRevision } from './ids.js'
import { isSingle, type Key, type KeyRange } from './key.js'
import type { Change, KeyValue } from './keyValue.js'
import { headRevision } from './query.js'
import type { KvResult } from './result.js'
import { change, type Draft, growthOf } from './store.js'
import { scan } from './tree.js'

export const put = (draft: Draft, { key, value, prevKv }: Pick<Put, 'key' | 'value' | 'prevKv'>): KvResult => {
  const { limits, liveBytes } = draft
  const { maxKeyBytes, maxValueBytes, maxLiveBytes } = limits
  if (key.length === 0) return { _tag: 'KeyEmpty' }
  if (key.length > maxKeyBytes) return { _tag: 'KeyTooLong', maxKeyBytes }
  if (value.length > maxValueBytes) return { _tag: 'ValueTooLarge', maxValueBytes }

  const changed = putOf(draft, key, value)
  const growth = growthOf(changed)
  if (growth > 0 && liveBytes + growth > maxLiveBytes) return { _tag: 'StoreFull', maxLiveBytes }

  change(draft, changed)
  return { _tag: 'Written', revision: changed.revision, prevKv: prevKv ? changed.prevKv : null }
}

export const append = (draft: Draft, op: Append): KvResult => {
  const { maxValueBytes } = draft.limits
  const former = draft.keys.get(op.key)
  if (former === undefined) return put(draft, op)
  // Before anything is allocated: what an append makes is bounded, too.
  if (former.value.length + op.value.length > maxValueBytes) return { _tag: 'ValueTooLarge', maxValueBytes }
  const value = new Uint8Array(former.value.length + op.value.length)
  value.set(former.value)
  value.set(op.value, former.value.length)
  return put(draft, { ...op, value })
}

export const deleteRange = (draft: Draft, { range, prevKv }: Delete): KvResult => {
  const prevKvs = victims(draft, range)
  for (const kv of prevKvs) change(draft, deleteOf(draft, kv))
  return { _tag: 'Deleted', revision: headRevision(draft), deleted: prevKvs.length, prevKvs: prevKv ? prevKvs : [] }
}

/**
 * The next version of a key. All its versions share one string, which costs less memory and keeps the tree's keys close
 * together.
 */
export const putOf = (draft: Draft, named: Key, value: Uint8Array): Change => {
  const revision = nextRevision(draft.revision)
  const prevKv = draft.keys.get(named) ?? null
  const key = prevKv === null ? named : prevKv.key
  const createRevision = prevKv === null ? revision : prevKv.createRevision
  const version = prevKv === null ? 1 : prevKv.version + 1
  return { _tag: 'Put', revision, key, kv: { key, value, createRevision, modRevision: revision, version }, prevKv }
}

export const deleteOf = (draft: Draft, prevKv: KeyValue): Change => ({
  _tag: 'Delete',
  revision: nextRevision(draft.revision),
  key: prevKv.key,
  kv: null,
  prevKv,
})

const victims = ({ keys }: Draft, range: KeyRange): ReadonlyArray<KeyValue> => {
  const found: KeyValue[] = []
  if (isSingle(range)) {
    const kv = keys.get(range.start)
    if (kv !== undefined) found.push(kv)
  } else {
    scan<Key, KeyValue>(keys, range, (kv) => {
      found.push(kv)
      return true
    })
  }
  return found
}
