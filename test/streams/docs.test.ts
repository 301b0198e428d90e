import { afterAll, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { filter, firstValueFrom, lastValueFrom } from 'rxjs'
import { tuned } from '../../streams/server/options.js'
import { defaultSnapshots } from '../../streams/sinks/snapshotPolicy.js'
import { server } from './example.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

afterAll(() => server.kill())

it('the page on streams shows test/streams/example.ts, in at most 15 lines', () => {
  const example = read('test/streams/example.ts').replace('export const', 'const')
  expect(read('docs/streams.md')).toContain(`\`\`\`ts\n${example}\`\`\``)
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(15)
})

it('and its sum is right, and its log short', async () => {
  await firstValueFrom(server.role$.pipe(filter((role) => role === 'Leader')))
  const proposals = Array.from({ length: 150 }, (_, i) => server.propose(i + 1))
  expect(await lastValueFrom(proposals[149]!)).toMatchObject({ _tag: 'Applied', result: (150 * 151) / 2 })
  const { log } = await firstValueFrom(server.state$.pipe(filter(({ log }) => log.base.index > 0)))
  expect(log.base.index).toBeGreaterThanOrEqual(100)
})

it('the page on options names the bounds of snapshots with their defaults', () => {
  const page = read('docs/options.md')
  expect(page).toContain(`| \`maxSnapshotChunkBytes\` | ${tuned({}).maxSnapshotChunkBytes >> 20} MiB |`)
  const { everyEntries, everyBytes } = defaultSnapshots
  expect(page).toContain(
    `| \`snapshots.everyEntries\`, \`snapshots.everyBytes\` | ${everyEntries.toLocaleString('en')}, ${everyBytes >> 20} MiB |`,
  )
})
