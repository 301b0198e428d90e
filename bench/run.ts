import { durable, http, memoryFiles } from './processes.js'
import { immer } from './immer.js'
import { linearizability } from './linearizability.js'
import { bareSubject, memory } from './memory.js'
import { simulation } from './simulate.js'
import { appendNs, stepNs } from './step.js'

/*
 * `npm run bench [-- part …] [-- --json]`: parts are memory, durable, http, step, append, linearizability, simulate,
 * immer; all but the last by default. Each prints its figures beside something else measured in the same run, since a
 * figure by itself says more about the machine.
 */

const parts = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const json = process.argv.includes('--json')
const wanted = (part: string): boolean => (parts.length === 0 ? part !== 'immer' : parts.includes(part))
const report = (...line: ReadonlyArray<unknown>): void => {
  console.error(...line)
}
const table = (title: string, figures: Readonly<Record<string, number>>, unit: string): void => {
  report(`\n${title}`)
  for (const [name, value] of Object.entries(figures)) report(`  ${name.padEnd(22)} ${value.toLocaleString('en').padStart(12)} ${unit}`)
}
const result: Record<string, unknown> = {}

if (wanted('step')) {
  const figures = stepNs()
  result['stepNs'] = figures
  table('step: one event', figures, 'ns')
}
if (wanted('append')) {
  const figures = appendNs([1e3, 1e4, 1e5, 1e6, 1e7])
  result['appendNs'] = figures
  table('append: one entry, by the length of the log (one shared command)', figures, 'ns')
  globalThis.gc?.()
}
if (wanted('immer')) {
  const figures = await immer()
  result['immer'] = figures
  table('immer: one event, the rules on a copy and on a draft of immer’s', figures.ns, 'ns')
  table('  three servers in this process, so many commands at a time, commits per second', figures.commits, '/s')
}
if (wanted('linearizability')) {
  const figures = linearizability()
  result['linearizability'] = figures
  table('linearizability: operations checked per second', figures, '/s')
}
if (wanted('simulate')) {
  const figures = simulation()
  result['simulate'] = figures
  table('simulate: five servers, ten operations a second, every check; times real time for a core', figures, '')
  report(
    `  a simulated second costs as much as ${figures['secondInAppends']!.toLocaleString('en')} steps that append, timed in turns with it`,
  )
}
if (wanted('memory')) {
  const figures = await memory({ 1: 40_000, 16: 150_000, 256: 600_000, 4096: 600_000 })
  const subject = await bareSubject()
  result['memory'] = figures
  table('memory: three servers in this process, commits per second', figures, '/s')
  report(
    `  a bare Subject carries one value to three subscribers ${subject.toLocaleString('en')} times a second: c256 is 1/${(subject / (figures['c256'] ?? 1)).toFixed(1)} of that`,
  )
}
if (wanted('durable')) {
  const places = { durable: undefined, ...(memoryFiles !== null && { durableInMemory: memoryFiles }) }
  for (const [name, within] of Object.entries(places)) {
    const { rates, rawFsync } = await durable({ 1: 2_000, 64: 60_000 }, within)
    result[name] = rates
    const files = within === undefined ? 'log' : `log in ${within}, where a sync waits for no disk,`
    table(`durable: three processes, ${files} and TCP, 256 bytes, commits per second`, rates, '/s')
    report(
      `  one append + fdatasync after another, no cluster: ${rawFsync.toLocaleString('en')}/s; c1 is ${((rates['c1'] ?? 0) / rawFsync).toFixed(2)} of that`,
    )
  }
}
if (wanted('http')) {
  const { rates, bare } = await http({ 1: 500, 64: 8_000 })
  result['http'] = rates
  table('http: the same cluster from a process outside, PUT of 256 bytes per second', rates, '/s')
  table('  the same client against a bare node:http server', bare, '/s')
}
if (json) console.log(JSON.stringify(result))
process.exit(0)
