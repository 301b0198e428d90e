import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { typeErrors } from './examples/typeErrors.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = ['README.md', ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`)]

/** Each block of a page as a file whose lines have the numbers that they have on the page: `docs/kv.md.12.ts`. */
const blocksOf = (page: string): ReadonlyArray<readonly [string, string]> => {
  const text = readFileSync(root + page, 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(({ index, 1: code }) => {
    const line = text.slice(0, index).split('\n').length
    return [`${page}.${line}.ts`, '\n'.repeat(line) + code!]
  })
}

const blocks = new Map(pages.filter((page) => page.endsWith('.md')).flatMap(blocksOf))
/** One that does not compile, to see that it is seen; in the same program, since a program takes seconds. */
const wrong = ['docs/wrong.md.1.ts', "\nimport { createRaft } from 'rxraft'\ncreateRaft(7)\n"] as const
const errors = typeErrors(new Map([...blocks, wrong]), 'test/examples/prelude.d.ts')
const isOfWrong = (error: string): boolean => error.startsWith('docs/wrong.md.1.ts:3 ')

describe('the blocks of code on the pages', () => {
  it('compile as they stand, with the imports that they show', () => {
    expect(errors.filter((error) => !isOfWrong(error))).toEqual([])
  })

  it('are found, and one that does not compile is seen', () => {
    expect(blocks.size).toBeGreaterThan(10)
    expect(errors.filter(isOfWrong)).toHaveLength(1)
  })
})
