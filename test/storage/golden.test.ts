import { describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { configurationEntry, noopEntry } from '../../src/raft/state/entry.js'
import { nodeId, term } from '../../src/raft/ids.js'
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
 * The format, byte by byte, in golden/: what was once written has to be read for ever. GOLDEN=write
 * rewrites the file, and the difference is then for a reviewer to see.
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

  it('with a snapshot is what is read', async () => {
    const directory = parse(readFileSync(golden('snapshot.txt'), 'utf8'))
    expect(print(copyOf(directory))).toBe(readFileSync(golden('snapshot.txt'), 'utf8'))
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

  it('is what is read', async () => {
    const directory = parse(readFileSync(golden('disk.txt'), 'utf8'))
    expect(print(copyOf(directory))).toBe(readFileSync(golden('disk.txt'), 'utf8'))
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

  it('is gone on with', async () => {
    const directory = parse(readFileSync(golden('disk.txt'), 'utf8'))
    await withDisk(directory, (disk) => done(disk.write([persist({ firstIndex: 5, entries: [command(2 ** 40, 'more')] })])))
    expect((await found(directory)).log.lastIndex).toBe(5)
  })
})
