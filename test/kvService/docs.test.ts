import { expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { NEVER } from 'rxjs'
import { tunedClient } from '../../streams/kv/client/options.js'
import { tunedHttp } from '../../streams/kv/http/options.js'
import { createKvServer } from '../../streams/kv/server/kvServer.js'
import { kvServerDefaults } from '../../streams/kv/server/options.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { seen, told } from './example.js'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const clientPage = read('docs/client.md')
const httpPage = read('docs/http.md')

/** The options with a number as default, as a page lists them. */
const listed = (page: string): Record<string, number> => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([\d,]+)( MiB)? \|/gm)]
  return Object.fromEntries(
    rows.map(([, name = '', n = '', unit]) => [name, Number(n.replaceAll(',', '')) * (unit === undefined ? 1 : 1 << 20)]),
  )
}
const numbersIn = (options: object): Record<string, number> =>
  Object.fromEntries(Object.entries(options).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))

it('the page on the client shows test/kvService/example.ts, but for what it exports', () => {
  const example = read('test/kvService/example.ts')
    .replaceAll('export const', 'const')
    .replace(/const seen = .*\n/, '')
  expect(/```ts\n([\s\S]*?)```/.exec(clientPage)?.[1]).toBe(example)
})

it('and it does what its comments say', () => {
  expect(told).toEqual([2, 3])
  expect(seen).toMatchObject([
    { _tag: 'Written', revision: 3 },
    { _tag: 'Conflict', item: { key: 'greeting', modRevision: 3 } },
    { key: 'greeting', value: new TextEncoder().encode('hi'), createRevision: 2, modRevision: 3, version: 2 },
  ])
})

it('the page on the client names every bound with its default', () => {
  const { backoffMs, ...tuning } = tunedClient({ transport: { send: () => NEVER, watch: () => NEVER }, endpoints: ['n1'] })
  expect(listed(clientPage)).toEqual(numbersIn(tuning))
  expect(clientPage).toContain(`| \`backoffMs\` | ${backoffMs.min} to ${backoffMs.max.toLocaleString('en')} |`)
})

it('the page on HTTP names every bound with its default', () => {
  const server = createKvServer({ id: 'n1', network: memoryNetwork().join('n1'), storage: memoryStorage(['n1']) })
  const { port: _, ...tuning } = tunedHttp({ server, port: 0 })
  expect(listed(httpPage)).toEqual({ ...numbersIn(tuning), ...numbersIn(kvServerDefaults) })
})

it('the page on HTTP lists every tag under its status, and no other', () => {
  const sources = readdirSync(new URL('streams/kv/http', root))
    .map((name) => read(`streams/kv/http/${name}`))
    .join('\n')
  const problems = [...sources.matchAll(/problem\(\s*(\d{3}),\s*'(\w+)'/g)].map(([, status, tag]) => `${status} ${tag}`)
  const table = /refusalStatus[^{]+\{([\s\S]*?)\n\}/.exec(sources)?.[1] ?? ''
  const refusals = [...table.matchAll(/(\w+): (\d{3})/g)].map(([, tag, status]) => `${status} ${tag}`)
  const unknown = '504 Indeterminate' // its tag is that of the failure
  const shown = [...httpPage.matchAll(/^\| (\d{3}) \| ([^|]+) \|/gm)].flatMap(([, status, tags = '']) =>
    [...tags.matchAll(/`(\w+)`/g)].map(([, tag]) => `${status} ${tag}`),
  )
  expect(shown.sort()).toEqual([...new Set([...problems, ...refusals, unknown])].sort())
})
