import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const page = read('docs/code-tour.md')

/** Every file that a text names. */
const filesIn = (text: string): ReadonlyArray<string> => [...text.matchAll(/[\w/.-]+\.ts\b/g)].map(([path]) => path)

interface Stop {
  readonly number: number
  readonly path: string
  readonly text: string
}

/** `#### 7. `path``, and the text up to the next heading. */
const stopsOf = (tour: string): ReadonlyArray<Stop> =>
  [...tour.matchAll(/^#### (\d+)\. `([^`]+)`\n([\s\S]*?)(?=^#|(?![\s\S]))/gm)].map(([, number, path = '', text = '']) => ({
    number: Number(number),
    path,
    text,
  }))

/** The functions, `name()`, and classes, `Name`, that a stop says its file has, and that the file does not define. */
const missing = ({ path, text }: Stop, source: string): ReadonlyArray<string> =>
  [...text.matchAll(/`(\w+)\(\)`/g)]
    .map(([, name]) => name!)
    .filter((name) => !new RegExp(`(const|class|get) ${name}\\b|^ *(private )?(readonly )?${name}(\\(.*\\{$| = \\()`, 'm').test(source))
    .map((name) => `${path} ${name}`)

const stops = stopsOf(page)

describe('docs/code-tour.md', () => {
  it('has its stops in the order of their numbers', () => {
    expect(stops.length).toBeGreaterThan(20)
    expect(stops.map(({ number }) => number)).toEqual(stops.map((_, i) => i + 1))
  })

  it('visits each file once, and names no file elsewhere', () => {
    expect([...new Set(filesIn(page))]).toEqual(filesIn(page))
    expect(filesIn(page)).toEqual(stops.map(({ path }) => path))
  })

  it.each(stops)('$number. $path exists', ({ path }) => {
    expect(existsSync(join(root, path))).toBe(true)
  })

  it('every stop names a function or a class of its file', () => {
    expect(stops.filter(({ text }) => !/`\w+\(\)`|`[A-Z]\w+` (is|holds|cuts|keeps)/.test(text)).map(({ path }) => path)).toEqual([])
  })

  it.each(stops)('$number. $path has the functions that are named', (stop) => {
    expect(missing(stop, read(stop.path))).toEqual([])
  })

  it('a breach is seen: a function of another file', () => {
    const stop = { number: 1, path: 'a.ts', text: '`f()` calls `g()`, and `h()` of the class.' }
    expect(missing(stop, 'export const f = 1\nclass A {\n  h() {\n    g()\n  }\n}')).toEqual(['a.ts g'])
  })
})
