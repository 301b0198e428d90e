import { describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { votersOnly } from '../../src/raft/configuration.js'
import { configurationEntry, noopEntry } from '../../src/raft/entry.js'
import { nodeId, term } from '../../src/raft/ids.js'
import { command, copyOf, crashedAfter, done, found, hardState, persist, plain, temporaryDirectory, withDisk } from './support.js'

/*
 * The format, byte by byte, in golden/: what was once written has to be read for ever. GOLDEN=write
 * rewrites the file, and the difference is then for a reviewer to see.
 */

const golden = join(dirname(fileURLToPath(import.meta.url)), 'golden', 'disk.txt')

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

const written = async (): Promise<string> => {
  const directory = await crashedAfter(script, { segmentBytes: 600 })
  return print(directory)
}

describe('the format', () => {
  it('is what is written', async () => {
    const text = await written()
    if (process.env['GOLDEN'] === 'write') {
      mkdirSync(dirname(golden), { recursive: true })
      writeFileSync(golden, text)
    }
    expect(text).toBe(readFileSync(golden, 'utf8'))
  })

  it('is what is read', async () => {
    const directory = parse(readFileSync(golden, 'utf8'))
    expect(print(copyOf(directory))).toBe(readFileSync(golden, 'utf8'))
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
    const directory = parse(readFileSync(golden, 'utf8'))
    await withDisk(directory, (disk) => done(disk.write([persist({ firstIndex: 5, entries: [command(2 ** 40, 'more')] })])))
    expect((await found(directory)).log.lastIndex).toBe(5)
  })
})
