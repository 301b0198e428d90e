import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { findLaterWrite, originOf, readRecord, recordHeaderBytes, type RecordKind, sealRecord } from '../../streams/storage/disk/record.js'

const origin = originOf(['log', 'test', 'n1', '1'])

const record = (payload: Uint8Array, { kind = 'entries' as RecordKind, write = 7, last = true, at = 0, from = origin } = {}): Buffer => {
  const bytes = Buffer.concat([Buffer.alloc(recordHeaderBytes), payload])
  sealRecord(bytes, 0, bytes.length, { kind, write, last, origin: from, targetAt: at })
  return bytes
}

const payload = fc.uint8Array({ maxLength: 60 })

describe('a record', () => {
  it('reads as it was written, wherever it stands', () => {
    const kind = fc.constantFrom<RecordKind>(
      'segment',
      'hardState',
      'truncation',
      'entries',
      'commit',
      'vote',
      'pointer',
      'snapshot',
      'block',
    )
    fc.assert(
      fc.property(payload, kind, fc.nat(2 ** 40), fc.boolean(), fc.nat(50), (bytes, kind, write, last, at) => {
        const file = Buffer.concat([Buffer.alloc(at, 0xee), record(bytes, { kind, write, last, at })])
        const read = readRecord(file, at, origin)
        expect(read).toEqual({ kind, write, last, payload: Buffer.from(bytes), end: file.length })
      }),
    )
  })

  it('with any bit changed is none', () => {
    fc.assert(
      fc.property(payload, (bytes) => {
        const good = record(bytes)
        for (let bit = 0; bit < good.length * 8; bit++) {
          good[bit >> 3]! ^= 1 << (bit & 7)
          expect(readRecord(good, 0, origin)).toBeNull()
          good[bit >> 3]! ^= 1 << (bit & 7)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('at another place, or of another owner or file, is none', () => {
    const moved = Buffer.concat([Buffer.alloc(1), record(Buffer.from('a'))])
    expect(readRecord(moved, 1, origin)).toBeNull()
    for (const owner of [
      ['log', 'test', 'n2', '1'],
      ['log', 'prod', 'n1', '1'],
      ['log', 'test', 'n1', '2'],
    ]) {
      expect(readRecord(record(Buffer.from('a')), 0, originOf(owner))).toBeNull()
    }
  })

  it('cut short is none', () => {
    const good = record(Buffer.from('abc'))
    for (let length = 0; length < good.length; length++) expect(readRecord(good.subarray(0, length), 0, origin)).toBeNull()
  })

  it('of zeros is none', () => {
    expect(readRecord(Buffer.alloc(64), 0, 0)).toBeNull()
  })
})

describe('findLaterWrite', () => {
  it('finds a record at any byte, of a later write only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 1, max: 20 }), (before, write) => {
        const file = Buffer.concat([before, record(Buffer.from('a'), { write, at: before.length })])
        expect(findLaterWrite(file, 0, origin, write - 1)).toBe(before.length)
        expect(findLaterWrite(file, 0, origin, write)).toBeNull()
      }),
    )
  })

  it('takes no command for a record, though it holds the bytes of one', () => {
    const inner = record(Buffer.from('a'), { write: 9 })
    const file = Buffer.concat([Buffer.from('bad'), inner])
    expect(findLaterWrite(file, 0, origin, 1)).toBeNull()
  })

  it('is quick where nothing but lookalikes stand', () => {
    // Every byte seems to begin a record of write 258 with a length of 257.
    const file = Buffer.alloc(1 << 16, Uint8Array.of(1, 0, 0, 2, 0))
    expect(findLaterWrite(file, 0, origin, 1)).toBeNull()
  })
})
