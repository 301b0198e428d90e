import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Persist } from '../../src/raft/effect.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { originOf, readRecord } from '../../streams/storage/disk/record.js'
import {
  command,
  copyOf,
  crashedAfter,
  done,
  edit,
  errorOf,
  found,
  hardState,
  hasty,
  incarnation,
  persist,
  plain,
  segmentOne,
  withDisk,
} from './support.js'

/*
 * The trap: a bad record at the end of the log may be a write that was never finished, to be cut off in
 * silence, or one that was acknowledged and then damaged, to be refused at any price. Only what
 * follows it, and the durable marker, tell the one from the other.
 */

const former: ReadonlyArray<ReadonlyArray<Persist>> = [
  [persist({ hardState: hardState(1, 'n1'), entries: [command(1, 'a'), command(1, 'b')] })],
  [persist({ firstIndex: 3, entries: [command(1, 'c')], commitIndex: 1 })],
]
const last: ReadonlyArray<Persist> = [
  persist({ firstIndex: 4, entries: [command(1, 'd')] }),
  persist({ truncateFrom: 3, firstIndex: 3, entries: [command(2, 'e'), command(2, 'f')], commitIndex: 3 }),
]
const before = { currentTerm: 1, votedFor: 'n1', commitIndex: 1, entries: ['a', 'b', 'c'].map((text) => [1, 'command', text]) }
const after = {
  ...before,
  commitIndex: 3,
  entries: [
    [1, 'command', 'a'],
    [1, 'command', 'b'],
    [2, 'command', 'e'],
    [2, 'command', 'f'],
  ],
}

const sizeAfter = async (batches: ReadonlyArray<ReadonlyArray<Persist>>): Promise<number> =>
  statSync(segmentOne(await crashedAfter(batches))).size

/** Where the records of a segment begin, and which write each is of. */
const recordsOf = (
  directory: string,
): ReadonlyArray<{ readonly at: number; readonly end: number; readonly write: number; readonly kind: string }> => {
  const bytes = readFileSync(segmentOne(directory))
  const origin = originOf(['log', 'test', 'n1', incarnation, '1'])
  const records = []
  for (let at = readRecord(bytes, 0, originOf(['rxraft log']))!.end; at < bytes.length;) {
    const { end, write, kind } = readRecord(bytes, at, origin)!
    records.push({ at, end, write, kind })
    at = end
  }
  return records
}

const damage = (directory: string, at: number): string => {
  const copy = copyOf(directory)
  edit(segmentOne(copy), (bytes) => {
    bytes[at]! ^= 0x10
  })
  return copy
}

describe('the torn end of the last write', () => {
  it('a write is records in the order hard state, truncation, entries, and the commit hint last', async () => {
    const directory = await crashedAfter([
      ...former,
      [persist({ hardState: hardState(2), truncateFrom: 2, firstIndex: 2, entries: [command(2, 'x')], commitIndex: 2 })],
    ])
    expect(
      recordsOf(directory)
        .filter(({ write }) => write === 4)
        .map(({ kind }) => kind),
    ).toEqual(['hardState', 'truncation', 'entries', 'commit'])
  })

  it('cut at every byte, it is cut off whole, the file ends where the former write did, and what comes after is found', async () => {
    const whole = await crashedAfter([...former, last])
    const start = await sizeAfter(former)
    const size = statSync(segmentOne(whole)).size
    for (let length = start; length < size; length++) {
      const copy = copyOf(whole)
      edit(segmentOne(copy), (bytes) => bytes.subarray(0, length))
      expect(plain(await found(copy))).toMatchObject(before)
      expect(statSync(segmentOne(copy)).size).toBe(start)
      await withDisk(copy, (disk) => done(disk.write(last)))
      expect(plain(await found(copy))).toMatchObject(after)
    }
    expect(plain(await found(whole))).toMatchObject(after)
  })

  it.each([1, 8_192])(
    'its pages may reach the disk in any order: whatever is zero, old or garbled, it is the former state (growBytes %d)',
    async (growBytes) => {
      const large = [...last, persist({ firstIndex: 5, entries: Array.from({ length: 8 }, (_, i) => command(2, 'x'.repeat(1_000 + i))) })]
      const directory = await crashedAfter([...former, large], { growBytes })
      const good = readFileSync(segmentOne(directory))
      const start = await sizeAfter(former)
      const end = await sizeAfter([...former, large])
      const sectorBytes = 512
      const sectors = Math.ceil((end - start) / sectorBytes)
      const fate = fc.constantFrom('written', 'zero', 'garbled')
      await fc.assert(
        fc.asyncProperty(fc.array(fate, { minLength: sectors, maxLength: sectors }), fc.boolean(), async (fates, longer) => {
          fc.pre(fates.some((fate) => fate !== 'written'))
          const bytes = longer ? Buffer.concat([good, Buffer.alloc(700)]) : Buffer.from(good)
          fates.forEach((fate, i) => {
            const from = start + i * sectorBytes
            if (fate !== 'written') bytes.fill(fate === 'zero' ? 0 : 0xa5, from, Math.min(from + sectorBytes, end))
          })
          writeFileSync(segmentOne(directory), bytes)
          expect(plain(await found(directory))).toMatchObject(before)
          // Zeros to the end are as good as a write that never began: room for the next.
          const blank = fates.every((fate) => fate === 'zero')
          expect(statSync(segmentOne(directory)).size).toBe(blank ? bytes.length : start)
        }),
        { numRuns: 60 },
      )
    },
  )
})

describe('room for more', () => {
  it('is made in large pieces, written into, and gone from a full segment', async () => {
    const directory = await crashedAfter([], { growBytes: 1_024 })
    const sizes: number[] = []
    const options = { fileSystem: hasty, growBytes: 1_024, segmentBytes: 1_500 }
    for (let i = 1; i <= 12; i++) {
      // Opened anew for each: what is found is room, not a torn end.
      const entries = [command(1, 'x'.repeat(100))]
      await withDisk(directory, (disk) => done(disk.write([persist({ firstIndex: i, entries })])), options)
      sizes.push(statSync(segmentOne(directory)).size)
      expect((await found(directory)).log.lastIndex).toBe(i)
    }
    const full = sizes.at(-1)!
    expect([...new Set(sizes)]).toEqual([1_024, 1_500, full])
    expect(readFileSync(segmentOne(directory)).at(-1)).not.toBe(0)
    expect(readFileSync(join(directory, '0000000002.log')).length).toBe(1_024)
  })

  it('is no damage where another segment follows, and counts as occupied', async () => {
    const directory = await crashedAfter([...former], { growBytes: 4_096 })
    const options = { fileSystem: hasty, growBytes: 1, segmentBytes: 1 }
    const sizeBytes = await withDisk(directory, (disk) => done(disk.write(last)).then(() => disk.sizeBytes()), options)
    const second = statSync(join(directory, '0000000002.log')).size
    expect(sizeBytes).toBe(4_096 + second + statSync(join(directory, 'vote')).size)
    expect(plain(await found(directory))).toMatchObject(after)
  })

  it('below the durable marker it is a write that is gone', async () => {
    const directory = await crashedAfter([...former, last], { growBytes: 4_096 })
    const start = await sizeAfter(former)
    await withDisk(directory, () => Promise.resolve()) // closing marks
    edit(segmentOne(directory), (bytes) => bytes.fill(0, start))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({ _tag: 'Corrupt' })
  })
})

describe('damage', () => {
  it('in the last write, with good records of the same write behind it, is a torn end', async () => {
    const directory = await crashedAfter([...former, last])
    const records = recordsOf(directory).filter(({ write }) => write === 4)
    expect(records.map(({ kind }) => kind)).toEqual(['entries', 'truncation', 'entries', 'commit'])
    for (const { at } of records) expect(plain(await found(damage(directory, at + 6)))).toMatchObject(before)
  })

  it('in a write that a later one follows is corruption, in whichever of its records', async () => {
    const directory = await crashedAfter([...former, last])
    for (const { at } of recordsOf(directory).filter(({ write }) => write < 4)) {
      const copy = damage(directory, at + 6)
      const damaged = readFileSync(segmentOne(copy))
      const error = await errorOf(diskStorage(copy).open())
      expect(error).toMatchObject({ _tag: 'Corrupt', message: expect.stringContaining(`0000000001.log is damaged at byte ${at}:`) })
      expect(error.message).toContain('a later write follows')
      expect(readFileSync(segmentOne(copy))).toEqual(damaged)
    }
  })

  it('of a length hides no record that follows it', async () => {
    const directory = await crashedAfter([...former, last])
    const { at } = recordsOf(directory)[0]!
    for (const length of [0, 1, 0xffff_ffff]) {
      const copy = copyOf(directory)
      edit(segmentOne(copy), (bytes) => {
        bytes.writeUInt32LE(length, at + 4)
      })
      expect(await errorOf(diskStorage(copy).open())).toMatchObject({ _tag: 'Corrupt' })
    }
  })

  it('in the last write is corruption once the durable marker says that it was on disk', async () => {
    const directory = await crashedAfter([...former, last])
    const marked = copyOf(directory)
    await withDisk(marked, () => Promise.resolve()) // closing marks
    for (const { at } of recordsOf(marked).filter(({ write }) => write === 4)) {
      expect(plain(await found(damage(directory, at + 6)))).toMatchObject(before)
      expect(await errorOf(diskStorage(damage(marked, at + 6)).open())).toMatchObject({
        _tag: 'Corrupt',
        message: expect.stringContaining('all writes up to 4 were on disk'),
      })
    }
  })

  it('that takes away the end of the file is corruption below the durable marker', async () => {
    const marked = await crashedAfter([...former, last])
    await withDisk(marked, () => Promise.resolve())
    const size = statSync(segmentOne(marked)).size
    for (let length = 0; length < size; length += 3) {
      const copy = copyOf(marked)
      edit(segmentOne(copy), (bytes) => bytes.subarray(0, length))
      expect(await errorOf(diskStorage(copy).open())).toMatchObject({ _tag: 'Corrupt' })
    }
  })

  it('at the end of a segment that another follows is corruption', async () => {
    const directory = await crashedAfter([...former, last], { segmentBytes: 500 })
    expect(readFileSync(join(directory, '0000000002.log')).length).toBeGreaterThan(0)
    const size = statSync(segmentOne(directory)).size
    for (const length of [size - 1, size - 20]) {
      const copy = copyOf(directory)
      edit(segmentOne(copy), (bytes) => bytes.subarray(0, length))
      expect(await errorOf(diskStorage(copy).open())).toMatchObject({
        _tag: 'Corrupt',
        message: expect.stringContaining('another segment follows'),
      })
    }
  })

  it('by a write that was lost though it was reported done is corruption once another followed', async () => {
    const directory = await crashedAfter([...former, last])
    const [from, to] = [3, 4].map((n) => recordsOf(directory).find(({ write }) => write === n)!.at)
    edit(segmentOne(directory), (bytes) => {
      bytes.fill(0, from, to)
    })
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({ _tag: 'Corrupt' })
  })
})
