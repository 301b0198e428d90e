import { describe, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as rxjs from 'rxjs'
import { type Example, examples, fileOf, shownBy } from './examples.js'
import { entries, importedAs, typeErrors } from './typeErrors.js'

const golden = fileURLToPath(new URL('../surface/withoutExample.txt', import.meta.url))
/** Those that a program can import: this test is given the CommonJS of rxjs, with two names more. */
const namesOfRxjs = Object.keys(rxjs).filter((name) => !['module', 'default'].includes(name) && name !== 'module.exports')
/** One that does not compile, to see that it is seen; in the same program, since a program takes seconds. */
const wrong: Example = { entry: 'index', name: 'wrong', code: 'createRaft(7)' }
const errors = typeErrors(new Map([...examples, wrong].map((example) => fileOf(example, namesOfRxjs))), 'test/examples/prelude.d.ts')
const isOfWrong = (error: string): boolean => error.startsWith('test/examples/index.wrong.ts')

describe('the examples in doc comments of exported names', () => {
  it('compile, with the names of their entry in scope', () => {
    expect(errors.filter((error) => !isOfWrong(error))).toEqual([])
  })

  it('are found, and one that does not compile is seen', () => {
    expect(examples.map(({ entry, name }) => `${entry} ${name}`)).toContain('index createRaft')
    expect(errors.filter(isOfWrong)).toHaveLength(1)
  })

  it('are missing for the names that are written down, and for no others', () => {
    const missing = entries.flatMap((entry) =>
      shownBy(entry)
        .filter(({ isShown }) => !isShown)
        .map(({ name }) => `${importedAs(entry)} ${name}\n`),
    )
    const written = readFileSync(golden, 'utf8')
    // The list may only become shorter: a new export or option has an example.
    expect(missing.filter((line) => !written.includes(line))).toEqual([])
    if (process.env['GOLDEN'] === 'write') writeFileSync(golden, missing.join(''))
    expect(missing.join('')).toBe(readFileSync(golden, 'utf8'))
  })
})
