import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Page {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
}

/** The pages at the root of the repository and in docs. */
export const pages = (): ReadonlyArray<Page> =>
  [...readdirSync(root), ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`)]
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

/** The lines of a page outside of its code blocks, each with its number. */
export const linesOutsideCode = ({ text }: Page): ReadonlyArray<{ readonly line: string; readonly number: number }> => {
  let inCode = false
  return text.split('\n').flatMap((line, i) => {
    const isFence = /^\s*```/.test(line)
    if (isFence) inCode = !inCode
    return isFence || inCode || line.startsWith('    ') ? [] : [{ line, number: i + 1 }]
  })
}

/**
 * `path:line` of each line of prose with more than `max` characters. Tables do not count, nor do the targets of links.
 */
export const longProse =
  (max: number) =>
  (page: Page): ReadonlyArray<string> =>
    linesOutsideCode(page)
      .filter(({ line }) => !line.startsWith('|') && Array.from(line.replaceAll(/\]\([^)]*\)/g, ']')).length > max)
      .map(({ number }) => `${page.path}:${number}`)
