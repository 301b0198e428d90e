import { join } from 'node:path'
import { mutationsIn } from './mutation.js'
import { type Caught, putBack } from './putBack.js'
import { scenarios } from './scenarios/index.js'

/*
 * `npm run mutations [-- part of a name …] [-- --json]` puts each known mistake back, one by one, and reports which
 * check saw it after how many histories. Then as many of the same histories run where nothing was put back: whoever
 * finds something there is not to be believed.
 */

const root = process.cwd()
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const json = process.argv.includes('--json')
const limits = { root, seconds: 40, seeds: 20_000, timeoutMs: 150_000 }
const report = (line: string): void => {
  console.error(line)
}
const shown = (caught: ReadonlyArray<Caught>): string => caught.map(({ check, seeds }) => `${check} ${seeds}`).join(', ')

const all = [...mutationsIn(join(root, 'test/mutations'))].filter(
  ([name]) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
)
const everything = scenarios.map(({ name }) => name)

const mutations: { readonly name: string; readonly number: number | null; readonly caught: ReadonlyArray<Caught> }[] = []
for (const [name, mutation] of all) {
  const { caught } = await putBack(mutation, limits)
  mutations.push({ name, number: mutation.number, caught })
  report(`${caught.length > 0 ? '✓' : '✗'} ${name.padEnd(36)} ${shown(caught)}`)
}

// As many as it took to see the last of them: what is found there by itself must not count as caught.
const seeds = Math.max(300, ...mutations.flatMap(({ caught }) => caught.map((it) => it.seeds)))
const control = await putBack({ patch: [], scenarios: everything }, { ...limits, seconds: 120, seeds, timeoutMs: 600_000 })
report(
  `nothing put back, histories: ${JSON.stringify(control.histories)}: ${control.caught.length === 0 ? 'nothing found' : shown(control.caught)}`,
)

const seen = mutations.filter(({ caught }) => caught.length > 0)
const by = Object.fromEntries(
  scenarios
    .flatMap(({ checks }) => checks)
    .map((check) => [check, mutations.filter(({ caught }) => caught.some((it) => it.check === check)).length]),
)
report(`${seen.length} of ${mutations.length} caught; by check: ${JSON.stringify(by)}`)
if (json)
  console.log(
    JSON.stringify({
      total: mutations.length,
      caught: seen.length,
      control: control.histories,
      falseAlarms: control.caught.length,
      by,
      mutations,
    }),
  )
process.exitCode = seen.length === mutations.length && control.caught.length === 0 ? 0 : 1
