import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  anonymous,
  apply,
  applyAll,
  emptyStore,
  encodeRequest,
  encodeSnapshot,
  eventsSince,
  everything,
  get,
  key,
  type KvCommand,
  range,
  revision,
  type Store,
} from '../../src/kv/index.js'
import { aKey, aKeyCommand, aRange } from './arbitraries.js'
import { right } from './right.js'
import { emptyTwin, revisionOf, twinApply } from './twin.js'

const encode = (command: KvCommand): Uint8Array => encodeRequest({ caller: anonymous, command })

/** Everything that can be seen of a store. */
const view = (store: Store) => {
  const readable = Array.from({ length: store.revision - store.compactRevision + 1 }, (_, i) => revision(store.compactRevision + i))
  return {
    states: readable.map((r) => right(range(store, everything, { revision: r })).kvs),
    current: right(range(store, everything)),
    changes: [...right(eventsSince(store, store.compactRevision))],
  }
}

describe('the store and its slow twin', () => {
  it('answer alike, tell the same changes, and show the same states at every revision', () => {
    fc.assert(
      fc.property(fc.array(aKeyCommand, { maxLength: 40 }), (commands) => {
        let store = emptyStore()
        let twin = emptyTwin
        commands.forEach((command, i) => {
          const ours = apply(store, i + 1, encode(command))
          const theirs = twinApply(twin, command)
          expect(ours.result).toEqual(theirs.result)
          expect(ours.events).toEqual(theirs.events)
          store = ours.store
          twin = theirs.twin
        })
        expect(store.revision).toBe(revisionOf(twin))
        expect(store.compactRevision).toBe(twin.compactRevision)
        expect(view(store).states).toEqual(twin.states.slice(twin.compactRevision))
        expect(view(store).changes).toEqual(twin.changes.filter((change) => change.revision >= twin.compactRevision))
      }),
      { numRuns: 300 },
    )
  })

  it('agree on one key and on one range at any revision', () => {
    fc.assert(
      fc.property(fc.array(aKeyCommand, { maxLength: 30 }), aKey, aRange, fc.nat({ max: 30 }), (commands, k, keys, at) => {
        const { store } = applyAll(
          emptyStore(),
          commands.map((command, i) => ({ index: i + 1, command: encode(command) })),
        )
        const twin = commands.reduce((before, command) => twinApply(before, command).twin, emptyTwin)
        const r = revision(at)
        const got = twinApply(twin, { _tag: 'Get', key: k, revision: r }).result
        expect(get(store, k, { revision: r })).toEqual(got._tag === 'Got' ? { _tag: 'Right', right: got.kv } : { _tag: 'Left', left: got })
        const ranged = twinApply(twin, { _tag: 'Range', range: keys, limit: 2, revision: r, keysOnly: true, count: true }).result
        const ours = range(store, keys, { limit: 2, revision: r, keysOnly: true, count: true })
        expect(ours).toEqual(ranged._tag === 'Ranged' ? { _tag: 'Right', right: ranged } : { _tag: 'Left', left: ranged })
      }),
      { numRuns: 300 },
    )
  })
})

describe('a store is a value', () => {
  it('older stores show what they showed, whatever was made of them since, and may be gone on from', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ command: aKeyCommand, from: fc.nat() }), { maxLength: 40 }), fc.boolean(), (steps, lookAtOnce) => {
        const stores = [emptyStore()]
        const twins = [emptyTwin]
        for (const { command, from } of steps) {
          // Mostly on from the newest, sometimes from any older one.
          const parent = from % 4 === 0 ? from % stores.length : stores.length - 1
          const before = stores[parent] as Store
          stores.push(apply(before, before.appliedIndex + 1, encode(command)).store)
          twins.push(twinApply(twins[parent] ?? emptyTwin, command).twin)
          if (lookAtOnce) view(before) // from here on it has a tree of its own
        }
        const seen = stores.map((store) => view(store).states)
        expect(seen).toEqual(twins.map((twin) => twin.states.slice(twin.compactRevision)))
      }),
      { numRuns: 200 },
    )
  })

  it('a batch is what its commands are one by one', () => {
    fc.assert(
      fc.property(fc.array(aKeyCommand, { maxLength: 30 }), (commands) => {
        const entries = commands.map((command, i) => ({ index: 2 * i + 1, command: encode(command) }))
        const batch = applyAll(emptyStore(), entries)
        let store = emptyStore()
        const applied = entries.map(({ index, command }) => {
          const { store: next, ...rest } = apply(store, index, command)
          store = next
          return rest
        })
        expect(batch.applied).toEqual(applied)
        expect(encodeSnapshot(batch.store)).toEqual(encodeSnapshot(store))
      }),
    )
  })

  it('a batch that throws in its midst leaves the store as it was', () => {
    const put = (index: number) => ({
      index,
      command: encode({ _tag: 'Put', key: key(`k${index}`), value: new Uint8Array(1), prevKv: false }),
    })
    const { store } = applyAll(emptyStore(), [put(1), put(2)])
    const before = encodeSnapshot(store)
    expect(() => applyAll(store, [put(3), put(3)])).toThrow('an entry is applied once')
    expect(encodeSnapshot(store)).toEqual(before)
    expect(right(range(apply(store, 3, put(3).command).store, everything)).kvs.map((kv) => kv.key)).toEqual(['k1', 'k2', 'k3'])
  })

  it('an entry is applied once: its index must come after the last', () => {
    const { store } = apply(emptyStore(), 7, encode({ _tag: 'Put', key: key('a'), value: new Uint8Array(1), prevKv: false }))
    expect(() => apply(store, 7, encode({ _tag: 'Register' }))).toThrow('entry 7 comes after entry 7 was applied')
    expect(apply(store, 8, encode({ _tag: 'Register' })).result).toEqual({ _tag: 'Registered', revision: 2, session: 8 })
  })
})

describe('a long history', () => {
  const count = 40_000
  const keys = Array.from({ length: 1000 }, (_, i) => key(`k${(i * 7919) % 1000}`))
  const value = (i: number): Uint8Array => Uint8Array.of(i & 255, (i >> 8) & 255)
  const put = (i: number): Uint8Array =>
    encode(
      i % 10 === 9
        ? { _tag: 'Delete', range: { start: key('k5'), end: key('k51') }, prevKv: false }
        : { _tag: 'Put', key: keys[i % 1000] ?? key('k'), value: value(i), prevKv: false },
    )

  it('is read at any revision, over the checkpoints in it', () => {
    let store = emptyStore()
    const states = new Map<number, string>()
    for (let i = 0; i < count; i++) {
      store = apply(store, i + 1, put(i)).store
      if (i % 1873 === 0) states.set(store.revision, print(store))
    }
    expect(store.checkpoints.length).toBeGreaterThan(1)
    for (const [r, was] of states) expect(print(store, r)).toEqual(was)
  })

  const print = (store: Store, at: number = store.revision): string =>
    JSON.stringify(right(range(store, everything, { revision: revision(at) })).kvs)
})
