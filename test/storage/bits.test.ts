import { beforeAll, describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Incarnation, nodeId } from '../../src/raft/ids.js'
import type { Recovered } from '../../src/raft/state/server.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import type { Identity } from '../../streams/storage/disk/identity.js'
import { judge, replay, type Replayed, startOf } from '../../streams/storage/disk/replay.js'
import { readSlots, type Slot } from '../../streams/storage/disk/vote.js'
import {
  command,
  copyOf,
  crashedAfter,
  done,
  edit,
  found,
  hardState,
  hasty,
  incarnation,
  opened,
  persist,
  plain,
  tagOf,
  withDisk,
} from './support.js'

/*
 * Every bit of a small data directory in which all was marked durable, changed one at a time: each is
 * found out, or makes no difference. None is dropped in silence.
 */

const identity: Identity = { id: nodeId('n1'), clusterId: 'test', incarnation: incarnation as Incarnation }
const scriptOf = [
  [persist({ hardState: hardState(1, 'n1'), entries: [command(1, 'a'), command(1, 'b')] })],
  [persist({ firstIndex: 3, entries: [command(1, 'c')], commitIndex: 1 })],
  [persist({ hardState: hardState(3, null), truncateFrom: 3, firstIndex: 3, entries: [command(3, 'd')], commitIndex: 2 })],
  [persist({ hardState: hardState(3, 'n3'), firstIndex: 4, entries: [command(3, 'e')], commitIndex: 3 })],
]

let directory = ''
let truth: unknown
let segments: ReadonlyArray<Buffer> = []
let slots: Buffer = Buffer.alloc(0)

beforeAll(async () => {
  directory = await crashedAfter(scriptOf, { segmentBytes: 500 })
  await withDisk(
    directory,
    ({ recovered }) => {
      // closing marks
      truth = plain(recovered)
      return Promise.resolve()
    },
    { fileSystem: hasty, segmentBytes: 500 },
  )
  segments = readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(directory, name)))
  slots = readFileSync(join(directory, 'vote'))
})

/** What is read of these bytes; null where damage is found. */
const read = (files: ReadonlyArray<Buffer>, slot: Slot | null): Recovered | null => {
  let whole: Replayed | null = null
  for (const [i, bytes] of files.entries()) {
    const progress = replay(bytes, startOf(i + 1, identity, whole), (payload) => payload)
    if (either.isLeft(progress)) return null
    const ending = judge(bytes, progress.right, i === files.length - 1 ? (slot?.durable ?? 0) : null)
    if (either.isLeft(ending)) return null
    whole = progress.right.whole
  }
  return whole
}

const eachBit = (file: Buffer, look: (bit: number) => void): void => {
  for (let bit = 0; bit < file.length * 8; bit++) {
    file[bit >> 3]! ^= 1 << (bit & 7)
    look(bit)
    file[bit >> 3]! ^= 1 << (bit & 7)
  }
}

describe('below the durable marker', () => {
  it('the log is as it was written', () => {
    expect(segments.length).toBeGreaterThan(1)
    expect(plain(read(segments, readSlots(slots, identity))!)).toEqual(truth)
  })

  it('no changed bit of the log goes unnoticed', () => {
    const slot = readSlots(slots, identity)
    const unnoticed: string[] = []
    segments.forEach((file, i) =>
      eachBit(file, (bit) => {
        if (read(segments, slot) !== null) unnoticed.push(`segment ${i + 1} bit ${bit}`)
      }),
    )
    expect(unnoticed).toEqual([])
  })

  it('a changed bit of the vote file costs one slot at most, and is noticed in the other', () => {
    const newest = readSlots(slots, identity)!
    const fates = new Set<string>()
    eachBit(slots, () => {
      const slot = readSlots(slots, identity)
      fates.add(slot?.number === newest.number ? 'newest' : slot?.number === newest.number - 1 ? 'the one before' : 'wrong')
    })
    expect([...fates].sort()).toEqual(['newest', 'the one before'])
  })

  it('a changed bit in any byte of any file is refused, or makes no difference', async () => {
    const outcomes = new Map<string, number>()
    for (const name of readdirSync(directory)) {
      const size = readFileSync(join(directory, name)).length
      const copy = copyOf(directory)
      // The middle of the vote file is empty, and was looked at above.
      for (let at = 0; at < size; at += name === 'vote' && at % 4_096 >= 64 ? 997 : 1) {
        edit(join(copy, name), (bytes) => {
          bytes[at]! ^= 1 << (at % 8)
        })
        const files = name === 'vote' ? copyOf(copy) : copy // a damaged slot is repaired
        const outcome = await opened(diskStorage(files, { fileSystem: hasty })).then(async ({ open }) => {
          const same = JSON.stringify(plain(open.recovered)) === JSON.stringify(truth)
          await done(open.close())
          return same ? 'the same' : 'DIFFERENT'
        }, tagOf)
        const key = `${name} ${outcome}`
        outcomes.set(key, (outcomes.get(key) ?? 0) + 1)
        edit(join(copy, name), (bytes) => {
          bytes[at]! ^= 1 << (at % 8)
        })
      }
    }
    expect([...outcomes.keys()].sort()).toEqual([
      '0000000001.log Corrupt',
      '0000000002.log Corrupt',
      '0000000003.log Corrupt',
      'identity.json Corrupt',
      'identity.json Unsupported', // format 2 has become format 3
      'vote the same',
    ])
    expect(plain(await found(directory))).toEqual(truth)
  })
})
