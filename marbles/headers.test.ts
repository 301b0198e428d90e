import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** The rows of marbles in the comments of a source. */
const rowsIn = (source: string): ReadonlyArray<string> =>
  [...source.matchAll(/^ \* {3}(?:\w[\w$ ]*?)? {2,}([-\w()^!|#]*--[-\w()^!|#]*)(?: {2,}.*)?$/gm)].map(([, row]) => row!)

const drawn = readdirSync(new URL('../streams', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ operator: file.replace('.ts', ''), rows: rowsIn(read(`streams/${file}`)) }))
  .filter(({ rows }) => rows.length > 0)

it.each(drawn)('what the header of $operator shows is a test', ({ operator, rows }) => {
  const tested = read(`marbles/${operator}.test.ts`)
  expect(rows.filter((row) => !tested.includes(row))).toEqual([])
})

it('every operator has its diagram', () => {
  expect(drawn.map(({ operator }) => operator)).toEqual([
    'applied',
    'compaction',
    'durably',
    'electionTimer',
    'heartbeat',
    'inbound',
    'ofTag',
    'outbound',
    'proposals',
    'run',
    'snapshots',
  ])
})
