import { describe, expect, it } from '@jest/globals'
import {
  anonymous,
  apply,
  decodeSnapshot,
  emptyStore,
  encodeRequest,
  encodeSnapshot,
  eventsSince,
  everything,
  get,
  isAnswer,
  key,
  type KvCommand,
  type KvLimits,
  type KvRefusal,
  range,
  refusalMessage,
  revision,
  type Store,
} from '../../src/kv/index.js'
import fc from 'fast-check'
import { aRefusal } from './arbitraries.js'
import { right } from './right.js'

const run = (store: Store, command: KvCommand) => apply(store, store.appliedIndex + 1, encodeRequest({ caller: anonymous, command }))
const put = (k: string, bytes: number): KvCommand => ({ _tag: 'Put', key: key(k), value: new Uint8Array(bytes), prevKv: false })
const filled = (limits: Partial<KvLimits>, puts: number, bytes = 1): Store => {
  let store = emptyStore(limits)
  for (let i = 0; i < puts; i++) store = run(store, put(`k${i % 7}`, bytes)).store
  return store
}

describe('at the limit and one beyond', () => {
  it.each<{ what: string; at: KvCommand; beyond: KvCommand; refusal: KvRefusal }>([
    { what: 'a key', at: put('k'.repeat(4096), 0), beyond: put('k'.repeat(4097), 0), refusal: { _tag: 'KeyTooLong', maxKeyBytes: 4096 } },
    { what: 'no key', at: put('k', 0), beyond: put('', 0), refusal: { _tag: 'KeyEmpty' } },
    {
      what: 'a value',
      at: put('k', 1024 * 1024),
      beyond: put('k', 1024 * 1024 + 1),
      refusal: { _tag: 'ValueTooLarge', maxValueBytes: 1024 * 1024 },
    },
  ])('$what: taken, and refused', ({ at, beyond, refusal }) => {
    expect(run(emptyStore(), at).result).toMatchObject({ _tag: 'Written' })
    const { store, result, events } = run(emptyStore(), beyond)
    expect(result).toEqual(refusal)
    expect(events).toEqual([])
    expect(store.revision).toBe(1)
  })

  it('an append makes no value larger than a put may', () => {
    const append = (bytes: number): KvCommand => ({ _tag: 'Append', key: key('k'), value: new Uint8Array(bytes), prevKv: false })
    const { store } = run(emptyStore({ maxValueBytes: 10 }), put('k', 6))
    expect(run(store, append(4)).result).toMatchObject({ _tag: 'Written' })
    expect(run(store, append(5)).result).toEqual({ _tag: 'ValueTooLarge', maxValueBytes: 10 })
  })

  it('the store takes no more where it is full, but lets go', () => {
    const { store } = run(emptyStore({ maxLiveBytes: 500 }), put('k', 200))
    expect(run(store, put('l', 0)).result).toEqual({ _tag: 'StoreFull', maxLiveBytes: 500 })
    expect(run(store, put('k', 300)).result).toEqual({ _tag: 'StoreFull', maxLiveBytes: 500 })
    expect(run(store, put('k', 299)).result).toMatchObject({ _tag: 'Written' })
    const emptied = run(store, { _tag: 'Delete', range: everything, prevKv: false })
    expect(emptied.store.liveBytes).toBe(0)
    expect(run(emptied.store, put('l', 0)).result).toMatchObject({ _tag: 'Written' })
    // Restored under a lower limit, it takes what makes it smaller.
    const tooFull = right(decodeSnapshot(encodeSnapshot(store), { maxLiveBytes: 100 }))
    expect([199, 200, 201].map((bytes) => run(tooFull, put('k', bytes)).result._tag)).toEqual(['Written', 'Written', 'StoreFull'])
  })
})

describe('compaction', () => {
  const compact = (r: number): KvCommand => ({ _tag: 'Compact', revision: revision(r) })

  it('leaves its revision readable and watchable, and nothing older', () => {
    const { store, result } = run(filled({}, 9), compact(5))
    expect(result).toEqual({ _tag: 'CompactDone', revision: 10 })
    expect(right(range(store, everything, { revision: revision(5) })).kvs).toHaveLength(4)
    expect([...right(eventsSince(store, revision(5)))].map((change) => change.revision)).toEqual([5, 6, 7, 8, 9, 10])
    const compacted = { _tag: 'Left', left: { _tag: 'Compacted', compactRevision: 5 } }
    expect(range(store, everything, { revision: revision(4) })).toEqual(compacted)
    expect(get(store, key('k0'), { revision: revision(4) })).toEqual(compacted)
    expect(eventsSince(store, revision(4))).toEqual(compacted)
  })

  it('is refused for what was compacted, and for what is to come', () => {
    const { store } = run(filled({}, 9), compact(5))
    expect(run(store, compact(5)).result).toEqual({ _tag: 'Compacted', compactRevision: 5 })
    expect(run(store, compact(11)).result).toEqual({ _tag: 'FutureRevision', revision: 10 })
    expect(run(store, compact(10)).result).toEqual({ _tag: 'CompactDone', revision: 10 })
  })

  it('happens by itself where the history has too many revisions', () => {
    for (let puts = 1; puts < 40; puts++) {
      const { revision: now, compactRevision } = filled({ maxHistoryRevisions: 8 }, puts)
      expect(now - compactRevision + 1).toBeLessThanOrEqual(8)
      expect(now - compactRevision + 1).toBeGreaterThanOrEqual(Math.min(puts + 1, 7))
    }
  })

  it('happens by itself where the history takes too much memory', () => {
    const { history } = filled({ maxHistoryBytes: 20_000 }, 100, 1000)
    expect(history.bytes).toBeLessThanOrEqual(20_000)
    expect(history.bytes).toBeGreaterThan(15_000)
    // The last revision is kept whatever its size.
    const { revision: now, compactRevision } = filled({ maxHistoryBytes: 0, maxHistoryRevisions: 0 }, 20)
    expect(compactRevision).toBe(now)
  })

  it('lets old versions go', () => {
    const before = filled({}, 20_000, 100)
    const { store } = run(before, compact(20_001))
    expect([before, store].map(({ checkpoints, history }) => [checkpoints.length, history.chunks.length])).toEqual([
      [1, 20],
      [0, 1],
    ])
    expect(store.history.bytes).toBeLessThan(1000)
  })
})

describe('a revision to come', () => {
  it('cannot be read, and has no changes yet', () => {
    const store = filled({}, 3)
    const future = { _tag: 'Left', left: { _tag: 'FutureRevision', revision: 4 } }
    expect(range(store, everything, { revision: revision(5) })).toEqual(future)
    expect(get(store, key('k0'), { revision: revision(5) })).toEqual(future)
    expect([...right(eventsSince(store, revision(5)))]).toEqual([])
  })
})

describe('every refusal', () => {
  it('is a sentence that says what to do, and no answer', () => {
    fc.assert(
      fc.property(aRefusal, (refusal) => {
        expect(refusalMessage(refusal)).toMatch(/^[A-Z].*: .*\.$/s)
        expect(isAnswer(refusal)).toBe(false)
      }),
    )
  })
})
