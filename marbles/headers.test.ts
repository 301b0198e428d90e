import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

/** The rows of marbles in the comments of a source. */
const rowsIn = (source: string): ReadonlyArray<string> =>
  [...source.matchAll(/^ \* {3}(?:\w[\w$ ]*?)? {2,}([-\w()^!|#]*--[-\w()^!|#]*)(?: {2,}.*)?$/gm)].map(([, row]) => row!)

const drawn = ['streams/loop', 'streams/sinks']
  .flatMap((room) => readdirSync(new URL(`../${room}`, import.meta.url)).map((file) => ({ path: `${room}/${file}`, file })))
  .map(({ path, file }) => ({ operator: file.replace('.ts', ''), rows: rowsIn(read(path)) }))
  .filter(({ rows }) => rows.length > 0)

it.each(drawn)('what the header of $operator shows is a test', ({ operator, rows }) => {
  const tested = read(`marbles/${operator}.test.ts`)
  expect(rows.filter((row) => !tested.includes(row))).toEqual([])
})

it('every operator has its diagram', () => {
  expect(drawn.map(({ operator }) => operator)).toEqual([
    'ofTag',
    'run',
    'applied',
    'electionTimer',
    'flush',
    'groupCommit',
    'heartbeat',
    'inbound',
    'outbound',
    'proposals',
    'snapshotPolicy',
    'snapshotStore',
  ])
})
