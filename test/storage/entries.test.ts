import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Entry } from '../../src/raft/state/entry.js'
import { term } from '../../src/raft/ids.js'
import { entriesByteLength, entryHeaderBytes, readEntries, writeEntries } from '../../streams/wire/entries.js'

const anEntry: fc.Arbitrary<Entry> = fc
  .record({
    term: fc.integer({ min: 0, max: 2 ** 48 - 1 }).map(term),
    kind: fc.constantFrom<Entry['kind']>('command', 'noop', 'configuration', 3, 255),
    command: fc.uint8Array({ maxLength: 40 }),
  })
  .map((entry) => ({ ...entry, size: entry.command.length }))

/** The slow, obvious twin: the same layout through a DataView, field by field. */
const slowly = (entries: ReadonlyArray<Entry>): Uint8Array => {
  const fields = entries.flatMap(({ term, kind, size, command }) => {
    const head = new DataView(new ArrayBuffer(entryHeaderBytes))
    head.setUint8(0, typeof kind === 'number' ? kind : { command: 0, noop: 1, configuration: 2 }[kind])
    head.setUint32(1, term % 2 ** 32, true)
    head.setUint16(5, Math.floor(term / 2 ** 32), true)
    head.setUint32(7, size, true)
    return [...new Uint8Array(head.buffer), ...command]
  })
  return Uint8Array.from(fields)
}

const packed = (entries: ReadonlyArray<Entry>): Uint8Array => {
  const bytes = new Uint8Array(entriesByteLength(entries))
  expect(writeEntries(entries, bytes, 0)).toBe(bytes.length)
  return bytes
}

describe('entries as bytes', () => {
  it('are laid out as documented', () => {
    const entry: Entry = { term: term(0x0605_0403_0201), kind: 'configuration', size: 2, command: Uint8Array.of(0xaa, 0xbb) }
    expect(Buffer.from(packed([entry])).toString('hex')).toBe('02010203040506' + '02000000' + 'aabb')
  })

  it('are what the slow twin writes, and read back as they were', () => {
    fc.assert(
      fc.property(fc.array(anEntry, { maxLength: 20 }), (entries) => {
        const bytes = packed(entries)
        expect(bytes).toEqual(slowly(entries))
        expect(readEntries(bytes)).toEqual(entries)
      }),
    )
  })

  it('are written behind what stands before them, and touch nothing else', () => {
    fc.assert(
      fc.property(fc.array(anEntry, { maxLength: 5 }), fc.nat(20), (entries, offset) => {
        const length = entriesByteLength(entries)
        const target = new Uint8Array(offset + length + 3).fill(0xee)
        expect(writeEntries(entries, target, offset)).toBe(offset + length)
        expect(target.subarray(offset, offset + length)).toEqual(packed(entries))
        expect([...target.subarray(0, offset), ...target.subarray(offset + length)].every((byte) => byte === 0xee)).toBe(true)
      }),
    )
  })

  it('are views: reading copies no command', () => {
    const bytes = packed([{ term: term(1), kind: 'command', size: 1, command: Uint8Array.of(7) }])
    expect(readEntries(bytes)?.[0]?.command.buffer).toBe(bytes.buffer)
  })

  it('cut off anywhere but between two entries are none', () => {
    fc.assert(
      fc.property(fc.array(anEntry, { minLength: 1, maxLength: 4 }), (entries) => {
        const bytes = packed(entries)
        const between = new Set(entries.map((_, i) => entriesByteLength(entries.slice(0, i))))
        for (let length = 0; length < bytes.length; length++) {
          expect(readEntries(bytes.subarray(0, length)) === null).toBe(!between.has(length))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('of a kind of a later version keep its number and their bytes', () => {
    const bytes = Uint8Array.of(7, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0xbb)
    const entries = readEntries(bytes)
    expect(entries).toEqual([{ term: 1, kind: 7, size: 2, command: Uint8Array.of(0xaa, 0xbb) }])
    expect(packed(entries!)).toEqual(bytes)
  })
})
