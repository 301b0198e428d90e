import { describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { configurationEntry, noopEntry } from '../../src/raft/state/entry.js'
import { nodeId, snapshotRef, term } from '../../src/raft/ids.js'
import { identityFile, segmentFile, snapshotFile } from '../../streams/storage/disk/layout.js'
import { originOf, readRecord, sealRecord } from '../../streams/storage/disk/record.js'
import { headerOrigin } from '../../streams/storage/disk/replay.js'
import {
  bytesOf,
  command,
  configuration,
  copyOf,
  crashedAfter,
  done,
  found,
  hardState,
  persist,
  plain,
  pointer,
  snapshotBytes,
  temporaryDirectory,
  withDisk,
} from './support.js'

/*
 * The format, byte by byte, in golden/: every version reads what an earlier one wrote. GOLDEN=write rewrites the files
 * of the present format, and the difference is then for a reviewer to see. The files of format 1 are never written
 * again.
 */

const golden = (name: string): string => join(dirname(fileURLToPath(import.meta.url)), 'golden', name)

const script = [
  [persist({ hardState: hardState(1, 'n1'), entries: [noopEntry(term(1)), command(1, 'hello')] })],
  [
    persist({ firstIndex: 3, entries: [command(1, 'doomed')], commitIndex: 2 }),
    persist({
      hardState: hardState(2 ** 40),
      truncateFrom: 3,
      firstIndex: 3,
      entries: [configurationEntry(term(2 ** 40), votersOnly([nodeId('n2')]))],
      commitIndex: 2,
    }),
  ],
  [persist({ hardState: hardState(2 ** 40, 'n3'), firstIndex: 4, entries: [command(2 ** 40, '')] })],
]

/** The files of a directory as text: those that are none as rows of 32 bytes, without those of zeros. */
const print = (directory: string): string =>
  readdirSync(directory)
    .map((name) => {
      const bytes = readFileSync(join(directory, name))
      if (name.endsWith('.json')) return `== ${name}\n${bytes.toString()}`
      const rows = Array.from({ length: Math.ceil(bytes.length / 32) }, (_, i) => {
        const row = bytes.subarray(i * 32, i * 32 + 32)
        const hex = row.toString('hex')
        return /^0+$/.test(hex)
          ? ''
          : `${String(i * 32).padStart(5)}  ${hex.padEnd(64)}  ${row.toString('latin1').replace(/[^ -~]/g, '.')}\n`
      })
      return `== ${name} ${bytes.length} bytes\n${rows.join('')}`
    })
    .join('')

const parse = (text: string): string => {
  const directory = join(temporaryDirectory(), 'n1')
  mkdirSync(directory)
  for (const section of text.split(/^== /m).slice(1)) {
    const [head = '', ...lines] = section.split('\n')
    const [name = '', size] = head.split(' ')
    if (size === undefined) writeFileSync(join(directory, name), lines.join('\n'))
    else {
      const bytes = Buffer.alloc(Number(size))
      for (const line of lines.filter((row) => row !== '')) bytes.write(line.slice(7, 71).trimEnd(), Number(line.slice(0, 5)), 'hex')
      writeFileSync(join(directory, name), bytes)
    }
  }
  return directory
}

/** A snapshot of which the log keeps an entry that stands in an older segment. */
const snapshotScript = [
  [persist({ hardState: hardState(1, 'n1'), entries: ['a', 'b', 'c'].map((text) => command(1, text)), commitIndex: 3 })],
  [persist({ snapshot: pointer(7, 40, 2), firstIndex: 4, entries: [command(1, 'd')], commitIndex: 3 })],
  [persist({ firstIndex: 5, entries: [command(1, 'e')], commitIndex: 4 })],
]

describe('the format', () => {
  it.each([
    { file: 'disk.txt', written: () => crashedAfter(script, { segmentBytes: 600 }) },
    { file: 'snapshot.txt', written: () => crashedAfter(snapshotScript) },
  ])('is what is written: $file', async ({ file, written }) => {
    const text = print(await written())
    if (process.env['GOLDEN'] === 'write') {
      mkdirSync(dirname(golden(file)), { recursive: true })
      writeFileSync(golden(file), text)
    }
    expect(text).toBe(readFileSync(golden(file), 'utf8'))
  })

  it.each(['snapshot.txt', 'format-1-snapshot.txt'])('with a snapshot is what is read: %s', async (file) => {
    const directory = parse(readFileSync(golden(file), 'utf8'))
    expect(print(copyOf(directory))).toBe(readFileSync(golden(file), 'utf8'))
    await withDisk(directory, async (disk) => {
      expect(plain(disk.recovered)).toMatchObject({
        snapshot: { ref: 7, size: 40 },
        base: { index: 2, term: 1, configuration },
        commitIndex: 4,
        entries: ['c', 'd', 'e'].map((text) => [1, 'command', text]),
      })
      expect(await bytesOf(disk, 7, 40)).toEqual(Buffer.from(snapshotBytes(7, 40)))
    })
  })

  it.each(['disk.txt', 'format-1.txt'])('is what is read: %s', async (file) => {
    const directory = parse(readFileSync(golden(file), 'utf8'))
    expect(print(copyOf(directory))).toBe(readFileSync(golden(file), 'utf8'))
    const { log, ...rest } = await found(directory)
    expect(plain({ log, ...rest })).toMatchObject({
      currentTerm: 2 ** 40,
      votedFor: 'n3',
      commitIndex: 2,
      configuration: votersOnly([nodeId('n2')]),
      entries: [
        [1, 'noop', ''],
        [1, 'command', 'hello'],
        [2 ** 40, 'configuration', expect.stringContaining('n2')],
        [2 ** 40, 'command', ''],
      ],
    })
  })

  it.each([
    { file: 'disk.txt', segmentBytes: 64 << 20 },
    { file: 'format-1.txt', segmentBytes: 64 << 20 },
    { file: 'format-1.txt', segmentBytes: 600 },
  ])('is gone on with: $file, segments of $segmentBytes bytes', async ({ file, segmentBytes }) => {
    const directory = parse(readFileSync(golden(file), 'utf8'))
    for (const firstIndex of [5, 6])
      await withDisk(directory, (disk) => done(disk.write([persist({ firstIndex, entries: [command(2 ** 40, 'more')] })])), {
        segmentBytes,
      })
    expect((await found(directory)).log.lastIndex).toBe(6)
  })

  it('of an entry of a later version is its bytes: they are kept as they are', async () => {
    const later = { ...command(1, 'of a later version'), kind: 200 }
    const directory = await crashedAfter([[persist({ hardState: hardState(1), entries: [later] })]])
    expect([...(await found(directory)).log]).toEqual([later])
  })
})

describe('a directory of a later version', () => {
  const advice = 'Nothing was changed. Start this server with the version of rxraft that wrote it, or with a newer one.'

  it.each([
    ['"format": "rxraft data 2"', '"format": "rxraft data 3"', 'has format 3, and this version of rxraft reads formats up to 2'],
    ['"group": 0', '"group": 7', 'belongs to group 7, and this version of rxraft knows no group but 0'],
  ])('is refused by its identity: %s becomes %s', async (present, later, why) => {
    const directory = parse(readFileSync(golden('disk.txt'), 'utf8').replace(present, later))
    await expect(found(directory)).rejects.toEqual({ _tag: 'Unsupported', message: `${identityFile(directory)} ${why}. ${advice}` })
  })

  it.each([
    ['rxraft log 2', 'rxraft log 3', 'has format 3, and this version of rxraft reads formats up to 2'],
    ['"group":0', '"group":7', 'belongs to group 7, and this version of rxraft knows no group but 0'],
  ])('is refused by a segment: %s becomes %s', async (present, later, why) => {
    const directory = parse(readFileSync(golden('disk.txt'), 'utf8'))
    const path = segmentFile(directory, 1)
    resealed(path, headerOrigin, present, later)
    await expect(found(directory)).rejects.toEqual({ _tag: 'Unsupported', message: `${path} ${why}. ${advice}` })
  })

  it('is refused by a snapshot', async () => {
    const directory = parse(readFileSync(golden('snapshot.txt'), 'utf8'))
    const path = snapshotFile(directory, snapshotRef(7))
    resealed(path, originOf(['rxraft snapshot']), 'rxraft snapshot 2', 'rxraft snapshot 9')
    await expect(found(directory)).rejects.toEqual({
      _tag: 'Unsupported',
      message: `${path} has format 9, and this version of rxraft reads formats up to 2. ${advice}`,
    })
  })

  /** The first record of a file with other text of the same length in it, and the checksum that goes with that. */
  const resealed = (path: string, origin: number, text: string, other: string): void => {
    const file = readFileSync(path)
    const record = readRecord(file, 0, origin)!
    file.write(other, file.indexOf(text), 'latin1')
    sealRecord(file, 0, record.end, { ...record, origin, targetAt: 0 })
    writeFileSync(path, file)
  }
})
