import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { defaultLimits } from '../../src/kv/index.js'
import { seen } from './example.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, `file://${process.cwd()}/test/kv/`), 'utf8')
const page = read('docs/kv.md')

it('the page shows test/kv/example.ts', () => {
  const shown = /```ts\n([\s\S]*?)```/.exec(page)?.[1]
  expect(shown).toBe(read('test/kv/example.ts'))
})

it('and it does what its comments say', () => {
  const ada = { key: 'users/ada', createRevision: 2, modRevision: 2, version: 1, value: new TextEncoder().encode('1815') }
  const put = { _tag: 'Put', revision: 2, key: ada.key, kv: ada, prevKv: null }
  const deleted = { _tag: 'Delete', revision: 3, key: ada.key, kv: null, prevKv: ada }
  const [written, before, after, past, events] = seen
  expect(written).toEqual({ _tag: 'Written', revision: 2, prevKv: null })
  expect([before, after, past]).toEqual([ada, null, ada].map((right) => ({ _tag: 'Right', right })))
  expect([...(events as unknown as { right: Iterable<unknown> }).right]).toEqual([put, deleted])
})

it('the page names every limit with its default', () => {
  const rows = [...page.matchAll(/^\| `(max\w+)` \| ([\d,]+)( KiB| MiB)? \|/gm)].map(([, name, n, unit = '']) => {
    const scale = { '': 1, ' KiB': 1024, ' MiB': 1024 * 1024 }[unit] ?? NaN
    return [name, Number(n?.replaceAll(',', '')) * scale] as const
  })
  expect(Object.fromEntries(rows)).toEqual(defaultLimits)
})
