import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { linesOutsideCode, type Page, pages } from '../tidy/prose.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The anchor that a page of Markdown gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/[`*]/g, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-')

const anchorsIn = (path: string): ReadonlyArray<string> =>
  linesOutsideCode({ path, text: readFileSync(join(root, path), 'utf8') }).flatMap(({ line }) =>
    [...line.matchAll(/^#+ (.*)$/g)].map(([, heading = '']) => anchorOf(heading)),
  )

/** `path:line target` of each link to a file or heading that does not exist. */
const brokenLinks = (page: Page): ReadonlyArray<string> =>
  linesOutsideCode(page).flatMap(({ line, number }) =>
    [...line.matchAll(/\]\(([^)]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#')
        const path = file === '' ? page.path : normalize(join(dirname(page.path), file))
        return !existsSync(join(root, path)) || (anchor !== undefined && !anchorsIn(path).includes(anchor))
      })
      .map((target) => `${page.path}:${number} ${target}`),
  )

describe('links between pages', () => {
  it('lead to files and headings that exist', () => {
    expect(pages().flatMap(brokenLinks)).toEqual([])
  })

  it('a broken one is seen', () => {
    const text = '[a](storage.md) [b](storage.md#a-damaged-log) [c](none.md) [d](storage.md#none)\n\n[e](#none) [f](https://none.example)'
    expect(brokenLinks({ path: 'docs/a.md', text })).toEqual(['docs/a.md:1 none.md', 'docs/a.md:1 storage.md#none', 'docs/a.md:3 #none'])
  })

  it('reach every page from the table of contents', () => {
    const contents = pages().find(({ path }) => path === 'docs/README.md')!.text
    const pagesOfDocs = pages().flatMap(({ path }) => [...path.matchAll(/^docs\/([\w-]+\.md)$/g)].map(([, name]) => name!))
    expect(pagesOfDocs.filter((name) => name !== 'README.md' && !contents.includes(`(${name})`))).toEqual([])
  })

  it('files that a page names exist', () => {
    const named = pages().flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:src|streams|cli|test|marbles|bench|tools|examples)\/[\w./-]+\.(?:ts|js|txt))`/g)].map(([, file = '']) => ({
        path,
        file,
      })),
    )
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter(({ file }) => !existsSync(join(root, file))).map(({ path, file }) => `${path} ${file}`)).toEqual([])
  })
})
