import { either } from 'fp-ts'
import type { Get, Range } from './command.js'
import { changesAt } from './history.js'
import { nextRevision, type Revision } from './ids.js'
import { contains, everything, type Key, type KeyRange, single } from './key.js'
import type { Change, KeyValue } from './keyValue.js'
import { stateAt, unreadable, type Versions } from './past.js'
import type { Compacted, FutureRevision, KvAnswer } from './result.js'
import { count, scan, type SortedMap } from './tree.js'

type Unreadable = Compacted | FutureRevision
type Got = Extract<KvAnswer, { readonly _tag: 'Got' }>
type Ranged = Extract<KvAnswer, { readonly _tag: 'Ranged' }>

const noBytes = new Uint8Array(0)

/** The revision that an answer carries: what is pending will have the next one. */
export const headRevision = ({ revision, pending }: Versions): Revision => (pending.length > 0 ? nextRevision(revision) : revision)

const stateFor = (versions: Versions, revision: Revision | null, range: KeyRange): SortedMap<Key, KeyValue> =>
  revision === null || (revision === versions.revision && versions.pending.length === 0)
    ? versions.keys
    : stateAt(versions, revision, range)

export const readKey = (versions: Versions, { key, revision }: Get): Got | Unreadable => {
  const refusal = revision === null ? null : unreadable(versions, revision)
  if (refusal !== null) return refusal
  const kv = stateFor(versions, revision, single(key)).get(key) ?? null
  return { _tag: 'Got', revision: headRevision(versions), kv }
}

export const readRange = (versions: Versions, query: Range): Ranged | Unreadable => {
  const { range, revision, limit, keysOnly } = query
  const refusal = revision === null ? null : unreadable(versions, revision)
  if (refusal !== null) return refusal
  const keys = stateFor(versions, revision, range)
  const kvs: KeyValue[] = []
  let more = false
  scan(keys, range, (kv) => {
    more = limit !== null && kvs.length >= limit
    if (!more) kvs.push(keysOnly ? { ...kv, value: noBytes } : kv)
    return !more
  })
  return { _tag: 'Ranged', revision: headRevision(versions), kvs, more, count: query.count ? count(keys, range) : null }
}

/**
 * The value of `key`, now or right after a revision.
 *
 * @returns `null` where there is no such key; `Compacted` or `FutureRevision` where that revision cannot be read
 *
 * @example
 * const store = emptyStore()
 * // either.right({ key, value, createRevision, modRevision, version })
 * get(store, key('users/ada'), { revision: revision(2) })
 */
export const get = (
  store: Versions,
  key: Key,
  options: { readonly revision?: Revision } = {},
): either.Either<Unreadable, KeyValue | null> => {
  const read = readKey(store, { _tag: 'Get', key, revision: options.revision ?? null })
  return read._tag === 'Got' ? either.right(read.kv) : either.left(read)
}

/**
 * The keys of a range in byte order, now or as they were right after a revision. Costs what it returns, `count` what
 * the range holds, and the past at most some thousand steps more.
 *
 * @example
 * const store = emptyStore()
 * range(store, withPrefix(key('users/')), { limit: 100 }) // either.right({ kvs, more, … })
 */
export const range = (
  store: Versions,
  keys: KeyRange,
  options: Partial<Pick<Range, 'limit' | 'revision' | 'keysOnly' | 'count'>> = {},
): either.Either<Unreadable, Ranged> => {
  const read = readRange(store, { _tag: 'Range', range: keys, limit: null, revision: null, keysOnly: false, count: false, ...options })
  return read._tag === 'Ranged' ? either.right(read) : either.left(read)
}

/**
 * The changes from revision `from` on up to the present, in order, as a lazy iterable over this value of the store. To
 * watch without gap or duplicate: iterate, then go on with the `events` of later commands, or from `store.revision +
 * 1`.
 *
 * @returns `Compacted` where some of them were forgotten; no changes for a revision that is yet to come
 *
 * @example
 * const store = emptyStore()
 * eventsSince(store, revision(2), withPrefix(key('users/')))
 */
export const eventsSince = (store: Versions, from: Revision, keys: KeyRange = everything): either.Either<Compacted, Iterable<Change>> =>
  from < store.compactRevision
    ? either.left({ _tag: 'Compacted', compactRevision: store.compactRevision })
    : either.right({ [Symbol.iterator]: () => changesFrom(store, from, keys) })

function* changesFrom({ history, revision }: Versions, from: Revision, keys: KeyRange): IterableIterator<Change> {
  for (let r = from; r <= revision; r = nextRevision(r))
    for (const change of changesAt(history, r)) if (contains(keys, change.key)) yield change
}
