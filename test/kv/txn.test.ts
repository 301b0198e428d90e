import { describe, expect, it } from '@jest/globals'
import {
  anonymous,
  apply,
  between,
  type Compare,
  emptyStore,
  encodeRequest,
  everything,
  get,
  key,
  type KvCommand,
  type KvLimits,
  type Relation,
  revision,
  single,
  type Store,
  type TxnOp,
  withPrefix,
} from '../../src/kv/index.js'
import { right } from './right.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const put = (k: string, v: string): TxnOp => ({ _tag: 'Put', key: key(k), value: bytes(v), prevKv: false })
const txn = (success: ReadonlyArray<TxnOp>, compares: ReadonlyArray<Compare> = [], failure: ReadonlyArray<TxnOp> = []): TxnOp => ({
  _tag: 'Txn',
  compares,
  success,
  failure,
})
const run = (store: Store, ...commands: ReadonlyArray<KvCommand>) =>
  commands.reduce<ReturnType<typeof apply>>(
    (before, command) => apply(before.store, before.store.appliedIndex + 1, encodeRequest({ caller: anonymous, command })),
    { store, index: 0, result: { _tag: 'KeyEmpty' }, events: [] },
  )
const text = (store: Store, k: string): string | null => {
  const kv = right(get(store, key(k)))
  return kv === null ? null : new TextDecoder().decode(kv.value)
}

describe('a comparison', () => {
  // a: created at 2, written again at 4, version 2; b: created at 3, version 1
  const { store } = run(emptyStore(), put('a', 'm'), put('b', 'n'), put('a', 'm'))
  const holds = (compare: Compare): boolean => {
    const { result } = run(store, txn([], [compare]))
    return result._tag === 'TxnDone' && result.succeeded
  }
  const number = (_tag: 'CreateRevision' | 'ModRevision' | 'Version', k: string, relation: Relation, operand: number): Compare => ({
    _tag,
    range: single(key(k)),
    relation,
    operand,
  })

  it.each([
    [number('CreateRevision', 'a', '=', 2), true],
    [number('CreateRevision', 'a', '=', 4), false],
    [number('ModRevision', 'a', '=', 4), true],
    [number('ModRevision', 'a', '>', 3), true],
    [number('ModRevision', 'a', '>', 4), false],
    [number('Version', 'a', '<', 3), true],
    [number('Version', 'a', '<', 2), false],
    [number('Version', 'a', '!=', 2), false],
    [number('Version', 'a', '!=', 1), true],
    // A key that is not there counts as created, modified and written never.
    [number('CreateRevision', 'z', '=', 0), true],
    [number('Version', 'z', '>', 0), false],
    [number('ModRevision', 'z', '<', 1), true],
  ] as const)('%j holds: %s', (compare, expected) => {
    expect(holds(compare)).toBe(expected)
  })

  it.each([
    ['a', '=', 'm', true],
    ['a', '=', 'mm', false],
    ['a', '<', 'mm', true],
    ['a', '>', 'mm', false],
    ['a', '>', 'l', true],
    ['a', '<', 'l', false],
    ['a', '!=', 'm', false],
    // As in etcd, no value comparison holds for a key that is not there.
    ['z', '=', '', false],
    ['z', '!=', 'm', false],
  ] as const)('the value of %s %s "%s" holds: %s', (k, relation, operand, expected) => {
    expect(holds({ _tag: 'Value', range: single(key(k)), relation, operand: bytes(operand) })).toBe(expected)
  })

  it('of a range holds if it holds for every key in it', () => {
    const version = (relation: Relation, operand: number): Compare => ({ _tag: 'Version', range: everything, relation, operand })
    expect(holds(version('<', 3))).toBe(true)
    expect(holds(version('=', 1))).toBe(false)
    expect(holds(version('=', 2))).toBe(false)
    expect(holds({ ...version('=', 0), range: withPrefix(key('z')) })).toBe(true)
    expect(holds({ ...version('=', 0), range: between(key('b'), key('a')) })).toBe(true)
  })
})

describe('a transaction', () => {
  it('has one revision, and each operation sees what the former did', () => {
    const { store, result, events } = run(
      emptyStore(),
      put('a', '1'),
      txn([
        put('b', '2'),
        { _tag: 'Append', key: key('b'), value: bytes('3'), prevKv: true },
        { _tag: 'Range', range: everything, limit: null, revision: null, keysOnly: false, count: false },
        { _tag: 'Delete', range: single(key('a')), prevKv: false },
        { _tag: 'Get', key: key('a'), revision: null },
        { _tag: 'Get', key: key('a'), revision: revision(2) },
      ]),
    )
    expect(result).toMatchObject({
      _tag: 'TxnDone',
      revision: 3,
      succeeded: true,
      answers: [
        { _tag: 'Written', revision: 3 },
        { _tag: 'Written', revision: 3, prevKv: { value: bytes('2'), version: 1 } },
        { _tag: 'Ranged', kvs: [{ key: 'a' }, { key: 'b', value: bytes('23'), version: 2, createRevision: 3 }] },
        { _tag: 'Deleted', deleted: 1 },
        { _tag: 'Got', kv: null },
        { _tag: 'Got', kv: { key: 'a', value: bytes('1') } }, // the past does not hold what is pending
      ],
    })
    expect(events.map(({ _tag, key: k, revision: r }) => [_tag, k, r])).toEqual([
      ['Put', 'b', 3],
      ['Put', 'b', 3],
      ['Delete', 'a', 3],
    ])
    expect(store.revision).toBe(3)
  })

  it('takes the other branch where a comparison fails', () => {
    const missing: Compare = { _tag: 'Version', range: single(key('a')), relation: '>', operand: 0 }
    const { store, result } = run(emptyStore(), txn([put('x', '1')], [missing], [put('y', '2')]))
    expect(result).toMatchObject({ _tag: 'TxnDone', succeeded: false })
    expect([text(store, 'x'), text(store, 'y')]).toEqual([null, '2'])
  })

  it('makes nested comparisons before the first operation', () => {
    const isThere: Compare = { _tag: 'Version', range: single(key('a')), relation: '>', operand: 0 }
    const { store } = run(emptyStore(), txn([put('a', '1'), txn([put('b', 'seen')], [isThere], [put('b', 'not seen')])]))
    expect(text(store, 'b')).toBe('not seen')
  })

  it.each<{ why: string; op: TxnOp; refusal: object; limits?: Partial<KvLimits> }>([
    {
      why: 'a value grew too large',
      op: { _tag: 'Append', key: key('a'), value: bytes('345'), prevKv: false },
      refusal: { _tag: 'ValueTooLarge', maxValueBytes: 4 },
      limits: { maxValueBytes: 4 },
    },
    { why: 'a key is empty', op: put('', ''), refusal: { _tag: 'KeyEmpty' } },
    {
      why: 'a revision is to come',
      op: { _tag: 'Get', key: key('a'), revision: revision(3) },
      refusal: { _tag: 'FutureRevision', revision: 2 },
    },
    {
      why: 'a nested one is refused',
      op: txn([put('c', ''), put('k'.repeat(4097), '')]),
      refusal: { _tag: 'KeyTooLong', maxKeyBytes: 4096 },
    },
  ])('does nothing where $why', ({ op, refusal, limits }) => {
    const before = run(emptyStore(limits), put('a', '12')).store
    const { store, result, events } = run(
      before,
      txn([put('b', '1'), { _tag: 'Delete', range: everything, prevKv: false }, put('a', '12'), op]),
    )
    expect(result).toEqual(refusal)
    expect(events).toEqual([])
    expect([text(store, 'a'), text(store, 'b'), text(store, 'c')]).toEqual(['12', null, null])
    expect([store.revision, store.liveBytes]).toEqual([before.revision, before.liveBytes])
    expect(right(get(store, key('a')))).toEqual(right(get(before, key('a'))))
  })

  it('counts its comparisons and operations, nested ones included', () => {
    const compare: Compare = { _tag: 'Version', range: everything, relation: '=', operand: 0 }
    const five = txn([put('a', '1'), txn([], [], [put('b', '2')])], [compare], [put('c', '3')])
    expect(run(emptyStore({ maxTxnOps: 5 }), five).result).toMatchObject({ _tag: 'TxnDone' })
    expect(run(emptyStore({ maxTxnOps: 4 }), five).result).toEqual({ _tag: 'TxnTooLarge', maxTxnOps: 4 })
  })
})

describe('compare and set', () => {
  const cas = (modRevision: number, value: string): KvCommand => ({
    _tag: 'CompareAndSet',
    key: key('a'),
    modRevision: revision(modRevision),
    value: bytes(value),
    prevKv: true,
  })

  it('writes where the mod revision is the expected one, 0 for a key that is not there', () => {
    const created = run(emptyStore(), cas(0, '1'))
    expect(created.result).toEqual({ _tag: 'Written', revision: 2, prevKv: null })
    expect(run(created.store, cas(2, '2')).result).toMatchObject({ _tag: 'Written', revision: 3, prevKv: { value: bytes('1') } })
  })

  it('tells what there is where it is another, and writes nothing', () => {
    const { store } = run(emptyStore(), put('a', '1'))
    for (const expected of [0, 1, 3]) {
      const { result, events } = run(store, cas(expected, '2'))
      expect(result).toMatchObject({ _tag: 'Conflict', revision: 2, kv: { value: bytes('1'), modRevision: 2 } })
      expect(events).toEqual([])
    }
    expect(run(emptyStore(), cas(7, '1')).result).toEqual({ _tag: 'Conflict', revision: 1, kv: null })
  })

  it('refuses what a put refuses', () => {
    expect(run(emptyStore({ maxValueBytes: 1 }), cas(0, '12')).result).toEqual({ _tag: 'ValueTooLarge', maxValueBytes: 1 })
  })
})
