import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import fc from 'fast-check'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  anonymous,
  apply,
  decodeRequest,
  decodeResult,
  emptyStore,
  encodeRequest,
  encodeResult,
  get,
  key,
  type Txn,
} from '../../src/kv/index.js'
import { aRequest, aResult } from './arbitraries.js'
import { golden } from './golden.js'
import { right } from './right.js'

/** Bytes that were right until some were changed, dropped or added. */
const mutated = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(bytes, fc.array(fc.tuple(fc.constantFrom('set', 'drop', 'add'), fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }))
    .map(([sound, damages]) => {
      const damaged = [...sound]
      for (const [how, where, byte] of damages) {
        const at = where % (damaged.length + 1)
        if (how === 'set' && at < damaged.length) damaged[at] = byte
        if (how === 'drop') damaged.splice(at, 1)
        if (how === 'add') damaged.splice(at, 0, byte)
      }
      return Uint8Array.from(damaged)
    })

describe.each([
  { what: 'request', encode: encodeRequest, decode: decodeRequest, some: aRequest },
  { what: 'result', encode: encodeResult, decode: decodeResult, some: aResult },
] as ReadonlyArray<{
  what: string
  encode: (a: unknown) => Uint8Array
  decode: (bytes: Uint8Array) => either.Either<{ reason: string }, unknown>
  some: fc.Arbitrary<unknown>
}>)('the bytes of a $what', ({ encode, decode, some }) => {
  it('come back as what they were', () => {
    fc.assert(
      fc.property(some, (a) => {
        expect(decode(encode(a))).toEqual(either.right(a))
      }),
      { numRuns: 1000 },
    )
  })

  it('are refused with a reason, or are the one encoding of something, whatever they are', () => {
    let refused = 0
    const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated(some.map(encode)))
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const decoded = decode(bytes)
        if (either.isLeft(decoded)) refused++
        const again = either.isLeft(decoded) ? bytes : encode(decoded.right)
        const reason = either.isLeft(decoded) ? decoded.left.reason : 'none is needed'
        expect(again).toEqual(bytes)
        expect(reason).not.toBe('')
      }),
      { numRuns: 5000 },
    )
    expect(refused).toBeGreaterThan(100)
  })

  it('are refused where they end too early', () => {
    fc.assert(
      fc.property(some.map(encode), fc.nat(), (bytes, n) => {
        expect(decode(bytes.subarray(0, n % bytes.length))).toMatchObject({ _tag: 'Left', left: { _tag: 'BadBytes' } })
      }),
    )
  })
})

describe('decoding', () => {
  const put = encodeRequest({ caller: anonymous, command: { _tag: 'Put', key: key('a'), value: Uint8Array.of(1, 2), prevKv: false } })

  it.each([
    { bytes: [], reason: 'the bytes end too early' },
    { bytes: [9], reason: 'no caller has the code 9' },
    { bytes: [0, 99], reason: 'no command has the code 99' },
    { bytes: [0, 9, 0], reason: '1 bytes too many' },
    { bytes: [0, 3, 1, 97, 200, 1, 1], reason: '200 bytes are announced, 1 are left' },
    { bytes: [0, 3, 1, 97, 0, 2], reason: 'a flag is 0 or 1, not 2' },
    { bytes: [0, 8, 0x81, 0], reason: 'a number is longer than it needs to be' },
    { bytes: [0, 8, 255, 255, 255, 255, 255, 255, 255, 16], reason: 'a number is larger than 2^53 - 1' },
    { bytes: [0, 8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1], reason: 'a number is larger than 2^53 - 1' },
    { bytes: [0, 7, 0, 1, 8], reason: 'no operation of a transaction has the code 8' },
    { bytes: [0, 7, 1, 7], reason: 'no comparison has the code 7' },
    { bytes: [0, 5, 1, 1, 97, 2, 97, 0, 0], reason: 'a range of one key has a shorter encoding' },
    { bytes: [1, 5, 1, 1, 9], reason: 'a session cannot register another' },
  ])('says what is wrong with $bytes', ({ bytes, reason }) => {
    expect(decodeRequest(Uint8Array.from(bytes))).toMatchObject({ _tag: 'Left', left: { reason } })
  })

  it('takes 2^53 - 1 and transactions 8 deep, and nothing beyond', () => {
    const compact = Uint8Array.of(0, 8, 255, 255, 255, 255, 255, 255, 255, 15)
    expect(right(decodeRequest(compact)).command).toEqual({ _tag: 'Compact', revision: Number.MAX_SAFE_INTEGER })

    const nested = (depth: number): Txn => ({ _tag: 'Txn', compares: [], success: depth === 0 ? [] : [nested(depth - 1)], failure: [] })
    expect(decodeRequest(encodeRequest({ caller: anonymous, command: nested(8) }))).toMatchObject({ _tag: 'Right' })
    expect(decodeRequest(encodeRequest({ caller: anonymous, command: nested(9) }))).toMatchObject({
      left: { reason: 'nested deeper than 8' },
    })
    expect(decodeRequest(encodeRequest({ caller: anonymous, command: nested(2000) }))).toMatchObject({ _tag: 'Left' })
  })

  it('copies: what happens to the bytes of an entry afterwards does not reach the store', () => {
    const entry = Buffer.from(put)
    const { store } = apply(emptyStore(), 1, entry)
    entry.fill(0)
    const kv = right(get(store, key('a')))
    expect(kv?.value).toEqual(Uint8Array.of(1, 2))
    expect(Buffer.isBuffer(kv?.value)).toBe(false)
  })

  it('bytes that are no command are answered, counted as applied, and change nothing else', () => {
    const before = emptyStore()
    const { store, result, events } = apply(before, 5, Uint8Array.of(0, 99))
    expect(result).toEqual({ _tag: 'Malformed', reason: 'no command has the code 99 (at byte 2)' })
    expect(events).toEqual([])
    expect({ ...store, clients: before.clients }).toEqual({ ...before, appliedIndex: 5 })
  })
})

describe('encoding', () => {
  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('throws on %d, which is no number of ours', (n) => {
    expect(() => encodeRequest({ caller: anonymous, command: { _tag: 'Expire', unusedSince: n, limit: 1 } })).toThrow(RangeError)
  })

  it('throws on a key that is no binary string', () => {
    expect(() => encodeRequest({ caller: anonymous, command: { _tag: 'Get', key: key('€'), revision: null } })).toThrow(
      'make it with keyOfBytes',
    )
  })
})

describe('the golden bytes', () => {
  const file = new URL('golden/codec.txt', `file://${process.cwd()}/test/kv/`)
  const lines = golden.map(([name, bytes]) => `${name} ${Buffer.from(bytes).toString('hex')}`)
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, lines.join('\n') + '\n')

  // What was written to a log once must be read for ever.
  it('are what they were when the format was fixed', () => {
    expect(lines).toEqual(readFileSync(file, 'utf8').trim().split('\n'))
  })
})
