import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StorageError } from '../../streams/storage/storage.js'
import { firstDayAndSecond } from './example.js'
import { temporaryDirectory } from './support.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/storage.md')

it('the page shows test/storage/example.ts', () => {
  const shown = /```ts\n([\s\S]*?)```/.exec(page)?.[1]
  expect(shown).toBe(read('test/storage/example.ts'))
})

it('and it does what its comments say', async () => {
  const seen = await firstDayAndSecond(join(temporaryDirectory(), 'n1'))
  expect(seen).toEqual(['the first day', 'the first day', 'the second day'])
})

it('the page has a row for every error', () => {
  const tags: Record<StorageError['_tag'], true> = {
    NotBootstrapped: true,
    WrongIdentity: true,
    Locked: true,
    Unreadable: true,
    Corrupt: true,
    Unsupported: true,
    StorageFull: true,
    StorageFailed: true,
  }
  expect([...page.matchAll(/^\| `([A-Z]\w+)` \|/gm)].map(([, tag]) => tag)).toEqual(Object.keys(tags))
})
