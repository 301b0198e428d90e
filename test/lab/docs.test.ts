import { expect, it, jest } from '@jest/globals'
import { readFileSync } from 'node:fs'
import * as agreement from './scenarios/agreement.js'
import * as churn from './scenarios/churn.js'
import * as elections from './scenarios/elections.js'
import * as persistence from './scenarios/persistence.js'
import * as snapshots from './scenarios/snapshots.js'
import * as traps from './scenarios/traps.js'
import { labTests } from './tests.js'
import { usage } from './options.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/lab.md')

it('the page shows examples/lab.ts', () => {
  expect(/```ts\n([\s\S]*?)```/.exec(page)?.[1]).toBe(read('examples/lab.ts'))
})

it('and it does what its comments say', async () => {
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined)
  await import('../../examples/lab.js')
  const printed = log.mock.calls
  log.mockRestore()
  const hello = expect.objectContaining({ commandValid: true, command: 'hello', commandIndex: 1 })
  expect(printed[0]).toEqual([{ index: 1, term: expect.any(Number), isLeader: true }])
  expect(printed.slice(1).sort()).toEqual([0, 1, 2].map((me) => [me, hello]))
})

it('the page names every test and where its scenario is', () => {
  const missing = labTests.filter(({ name }) => !page.includes(`| \`${name}\` |`))
  expect(missing.map(({ name }) => name)).toEqual([])
  const scenarios = [elections, agreement, persistence, churn, snapshots, traps].flatMap((file) => Object.keys(file))
  const named = [...page.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  expect(scenarios.filter((scenario) => !named.includes(scenario))).toEqual([])
})

it('every file it names is there', () => {
  const files = [...page.matchAll(/`((?:src|streams|test|marbles)\/[\w./-]+\.ts)`/g)].map(([, path]) => path!)
  expect(files.length).toBeGreaterThan(10)
  for (const path of files) expect(() => read(path)).not.toThrow()
})

it('every flag of the command is on the page', () => {
  const flags = [...usage.matchAll(/^ {2}(--\w+)/gm)].map(([, flag]) => flag!)
  expect(flags.filter((flag) => !page.includes(flag))).toEqual([])
})
