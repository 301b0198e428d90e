import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import * as testing from '../../streams/testing.js'
import { faultNames } from '../../streams/testing/simulate/faults/index.js'
import { run } from './example.js'
import { text } from './linearizabilityExample.js'
import { right, wrong } from './searchExample.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const [simulation, faults, checkers, search, linearizability] = ['simulation', 'faults', 'checkers', 'search', 'linearizability'].map(
  (page) => read(`docs/${page}.md`),
) as [string, string, string, string, string]

it('the page on simulation shows test/testing/example.ts', () => {
  const shown = /```ts\n([\s\S]*?)```/.exec(simulation)?.[1]
  expect(shown).toBe(read('test/testing/example.ts'))
})

it('and it runs: nothing is wrong with it', () => {
  expect(run.violation).toBeNull()
  expect(run.operations).toBeGreaterThan(50)
})

it('the pages name every fault and every checker', () => {
  expect(faultNames.filter((name) => !faults.includes(`\`${name}\``))).toEqual([])
  const names = testing.allChecks.map((check) => Object.entries(testing).find(([, value]) => value === check)?.[0] ?? '')
  expect(names.filter((name) => name === '' || !checkers.includes(`\`${name}\``))).toEqual([])
})

it('the page on checkers names every check of `Seen`, and shows how the example puts them on a cluster', () => {
  const names = ['noneStops', 'sameAnswers', 'toldTheTruth', 'watchesInOrder', 'recovers', 'linearizable'] as const
  expect(names.filter((name) => typeof testing[name] !== 'function' || !checkers.includes(`| \`${name}`))).toEqual([])
  const block = /## Beside the steps[\s\S]*?```ts\n([\s\S]*?)```/.exec(checkers)![1]!
  const shown = block.replace(/^(import .*\n)+\n/, '')
  expect(read('test/testing/checkersExample.ts').replace(/^ {2}/gm, '')).toContain(shown)
})

it('the page on linearizability shows the example of a bad history, and what it prints', () => {
  expect(linearizability).toContain(`\`\`\`ts\n${read('test/testing/linearizabilityExample.ts')}\`\`\``)
  expect(linearizability).toContain(`\`\`\`text\n${text}\n\`\`\``)
})

it('the page on search shows its example, and the result', () => {
  expect(search).toContain(`\`\`\`ts\n${read('test/testing/searchExample.ts')}\`\`\``)
  const { exhausted, states, depth, counterexample } = right
  expect(counterexample).toBeNull()
  expect(exhausted).toBe(true)
  expect(search).toContain(`${states.toLocaleString('en')} states, ${depth} moves deep`)
  expect(search).toContain(`"${wrong.counterexample?.violation.invariant}"`)
})
