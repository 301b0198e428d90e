import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { crc32 } from '../../src/kv/crc32.js'
import { append, changesAt, dropBelow, emptyHistory, firstThatFits } from '../../src/kv/history.js'
import { type Revision, revision } from '../../src/kv/ids.js'
import { between, bytesOfKey, contains, from, isSingle, key, keyOfBytes, single, withPrefix } from '../../src/kv/key.js'
import { type Change, pastSizeOf } from '../../src/kv/keyValue.js'
import { PersistentTree } from '../../src/kv/persistentTree.js'
import { byNumber } from '../../src/kv/tree.js'
import { anyKey } from './arbitraries.js'

describe('a key', () => {
  it('is its bytes, of any number', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: 4090, maxLength: 9000 })), (bytes) => {
        expect(bytesOfKey(keyOfBytes(bytes))).toEqual(bytes)
      }),
    )
  })

  it('is ordered as its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
        expect(keyOfBytes(a) < keyOfBytes(b)).toBe(Buffer.compare(a, b) < 0)
      }),
    )
  })

  it('is in the range of its prefix exactly where it begins with it', () => {
    fc.assert(
      fc.property(anyKey, fc.oneof(fc.uint8Array({ maxLength: 2 }), fc.array(fc.constant(255), { maxLength: 2 })), (k, bytes) => {
        const prefix = keyOfBytes(Uint8Array.from(bytes))
        expect(contains(withPrefix(prefix), k)).toBe(k.startsWith(prefix))
        expect(contains(withPrefix(prefix), key(prefix + k))).toBe(true)
        expect(contains(single(k), prefix)).toBe(k === prefix)
      }),
    )
  })

  it.each([
    { prefix: 'a', end: 'b' },
    { prefix: 'a\xff', end: 'b' },
    { prefix: '\xff', end: null },
    { prefix: '', end: null },
  ])('the keys with prefix $prefix end before $end', ({ prefix, end }) => {
    expect(withPrefix(key(prefix)).end).toBe(end)
  })

  it('alone is told from other ranges', () => {
    expect([single(key('a')), between(key('a'), key('b')), from(key('a')), between(key('a'), key('b\0'))].map(isSingle)).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

describe('crc32', () => {
  it('is that of zlib, in one go or in parts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 100 }), (bytes, at) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes))
        expect(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at)))).toBe(zlibCrc32(bytes))
      }),
    )
  })
})

describe('the persistent tree and its slow twin', () => {
  const anEdit = fc.record({ key: fc.nat({ max: 60 }), value: fc.option(fc.nat()) })
  const aStep = fc.record({ parent: fc.nat(), edits: fc.array(anEdit, { maxLength: 40 }), look: fc.nat() })

  it('every version holds what it held, from whichever it was made, whenever it is looked at', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 30 }), (steps) => {
        const empty = PersistentTree.empty<number, number>(byNumber)
        empty.seal()
        const trees = [empty]
        const twins: ReadonlyMap<number, number>[] = [new Map()]
        const expectSame = (i: number) =>
          expect([...(trees[i]?.copy().entries() ?? [])]).toEqual([...(twins[i] ?? [])].sort(([a], [b]) => a - b))
        for (const { parent, edits, look } of steps) {
          const at = parent % 3 === 0 ? parent % trees.length : trees.length - 1
          const tree = (trees[at] as PersistentTree<number, number>).edit()
          const twin = new Map(twins[at])
          for (const { key: k, value } of edits) {
            const former = tree.get(k)
            expect(former).toBe(twin.get(k))
            if (value !== null) {
              tree.set(k, value, former)
              twin.set(k, value)
            } else if (former !== undefined) {
              tree.delete(k, former)
              twin.delete(k)
            }
          }
          tree.seal()
          trees.push(tree)
          twins.push(twin)
          expectSame(look % trees.length)
        }
        trees.forEach((_, i) => expectSame(i))
      }),
      { numRuns: 300 },
    )
  })

  it('a copy stands by itself', () => {
    const tree = PersistentTree.empty<number, number>(byNumber)
    for (let i = 0; i < 100; i++) tree.set(i, i, undefined)
    const copy = tree.copy()
    for (let i = 0; i < 100; i++) tree.delete(i, i)
    copy.set(100, 100)
    expect([tree.size, copy.size]).toEqual([0, 101])
  })

  it('a sealed version cannot be changed', () => {
    const tree = PersistentTree.empty<number, number>(byNumber)
    tree.seal()
    expect(() => tree.set(1, 1, undefined)).toThrow('a sealed version was about to change')
    expect(() => tree.delete(1, 1)).toThrow('a sealed version was about to change')
  })

  // Who keeps the first version for ever must not keep all edits.
  it('an old version depends on some thousand edits at most', () => {
    const first = PersistentTree.empty<number, number>(byNumber)
    first.seal()
    let tree = first
    for (let i = 0; i < 50_000; i++) {
      tree = tree.edit()
      tree.set(i % 10, i, tree.get(i % 10))
      tree.seal()
    }
    let chain = 0
    for (let version = first as unknown as { newer: typeof version | null }; version.newer !== null; version = version.newer) chain++
    expect(chain).toBeLessThan(20_000)
    expect([first.size, tree.size]).toEqual([0, 10])
  })
})

describe('the history and its slow twin', () => {
  const changes = (r: Revision, n: number): ReadonlyArray<Change> => {
    const kv = { key: key(`k${n}`), value: new Uint8Array(n), createRevision: r, modRevision: r, version: 1 }
    return [{ _tag: 'Delete', revision: r, key: kv.key, kv: null, prevKv: kv }]
  }
  const aStep = fc.oneof(
    fc.record({ _tag: fc.constant('append'), parent: fc.nat(), count: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ _tag: fc.constant('drop'), parent: fc.nat(), to: fc.nat({ max: 3000 }) }),
  )

  it('hold the same, through forks and compactions', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 12 }), fc.integer({ min: 1, max: 3000 }), (steps, first) => {
        const histories = [emptyHistory(revision(first))]
        const twins: { first: number; all: ReadonlyArray<Change>[] }[] = [{ first, all: [] }]
        for (const step of steps) {
          const at = step.parent % 2 === 0 ? step.parent % histories.length : histories.length - 1
          let history = histories[at] as (typeof histories)[number]
          const twin = twins[at] as (typeof twins)[number]
          if (step._tag === 'append') {
            const added = Array.from({ length: step.count }, (_, i) => changes(revision(history.next + i), (step.parent + i) % 5))
            for (const one of added) history = append(history, one)
            twins.push({ first: twin.first, all: [...twin.all, ...added] })
          } else {
            const to = Math.min(Math.max(twin.first, first + step.to), twin.first + twin.all.length)
            history = dropBelow(history, revision(first + step.to))
            twins.push({ first: to, all: twin.all.slice(to - twin.first) })
          }
          histories.push(history)
        }
        histories.forEach((history, i) => {
          const twin = twins[i] as (typeof twins)[number]
          expect([history.first, history.next]).toEqual([twin.first, twin.first + twin.all.length])
          expect(twin.all.map((_, n) => changesAt(history, revision(twin.first + n)))).toEqual(twin.all)
          expect(changesAt(history, revision(twin.first - 1))).toEqual([])
          expect(changesAt(history, history.next)).toEqual([])
          const sizes = twin.all.map((one) => one.reduce((sum, change) => sum + pastSizeOf(change), 0))
          expect(history.bytes).toBe(sizes.reduce((a, b) => a + b, 0))
          const fits = firstThatFits(history, 5000)
          const restOf = (r: number) => sizes.slice(r - twin.first).reduce((a, b) => a + b, 0)
          expect(restOf(fits)).toBeLessThanOrEqual(5000)
          expect(fits === history.first || restOf(fits - 1) > 5000).toBe(true)
        })
      }),
      { numRuns: 60 },
    )
  })
})
