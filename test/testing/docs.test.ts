import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import * as testing from '../../streams/testing.js'
import { faultNames } from '../../streams/testing/simulate/faults/index.js'
import { run } from './example.js'
import { text } from './linearizabilityExample.js'
import { right, wrong } from './searchExample.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/testing.md')

it('the page shows test/testing/example.ts', () => {
  const shown = /## Simulation[\s\S]*?```ts\n([\s\S]*?)```/.exec(page)?.[1]
  expect(shown).toBe(read('test/testing/example.ts'))
})

it('and it runs: nothing is wrong with it', () => {
  expect(run.violation).toBeNull()
  expect(run.operations).toBeGreaterThan(50)
})

it('the page names every fault and every checker', () => {
  const faults = page.slice(page.indexOf('## Faults'), page.indexOf('## Checkers'))
  expect(faultNames.filter((name) => !faults.includes(`\`${name}\``))).toEqual([])
  const checkers = testing.allChecks.map((check) => Object.entries(testing).find(([, value]) => value === check)?.[0] ?? '')
  expect(checkers.filter((name) => name === '' || !page.includes(`\`${name}\``))).toEqual([])
})

it('the page names every check of what is seen, and shows how the example puts them on a cluster', () => {
  const names = ['noneStops', 'sameAnswers', 'toldTheTruth', 'watchesInOrder', 'recovers', 'linearizable'] as const
  expect(names.filter((name) => typeof testing[name] !== 'function' || !page.includes(`| \`${name}`))).toEqual([])
  const shown = /What can be seen beside the steps[\s\S]*?```ts\n([\s\S]*?)```/.exec(page)![1]!
  expect(read('test/testing/checkersExample.ts').replace(/^ {2}/gm, '')).toContain(shown.replace(/^(import .*\n)+\n/, ''))
})

it('the page shows the example of a bad history, and what it prints', () => {
  expect(page).toContain(`\`\`\`ts\n${read('test/testing/linearizabilityExample.ts')}\`\`\``)
  expect(page).toContain(`\`\`\`text\n${text}\n\`\`\``)
})

it('the page shows the example of a search, and what comes of it', () => {
  expect(page).toContain(`\`\`\`ts\n${read('test/testing/searchExample.ts')}\`\`\``)
  const { exhausted, states, depth, counterexample } = right
  expect(counterexample).toBeNull()
  expect(exhausted).toBe(true)
  expect(page).toContain(`${states.toLocaleString('en')} states, ${depth} moves deep`)
  expect(page).toContain(`"${wrong.counterexample?.violation.invariant}"`)
})
