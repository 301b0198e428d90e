import { type Options, optionsOf, UsageError, usage } from './options.js'
import { type LabResult, runVirtually } from './run.js'
import { allReally, sweepVirtually } from './sweep.js'
import { exceeded, table } from './table.js'
import { type LabTest, labTests } from './tests.js'

/*
 * `npm run lab`: see `usage`. The table and the JSON go to stdout, progress and failures to stderr; the
 * exit code is 0 if all is well, 1 if something failed and 2 if the arguments make no sense.
 */

const startMs = performance.now()
const secondsSoFar = (): number => Math.round(performance.now() - startMs) / 1_000
const testOf = ({ name }: LabResult): LabTest => labTests.find((test) => test.name === name)!

const once = async ({ tests, real, seed, json }: Options): Promise<boolean> => {
  const results = real ? await allReally(tests, seed) : tests.map((test) => runVirtually(test, { seed }))
  // On the real clock what a run costs depends on what else the machine does: there the limits are shown, not demanded.
  const judged = results.map((result) => ({ ...result, ok: result.ok && (real || exceeded(testOf(result), result).length === 0) }))
  const ok = judged.every((result) => result.ok)
  console.log(`${real ? 'on the real clock' : `in virtual time, seed ${seed}`}; on the right the handout's example\n`)
  console.log(table(judged.map((result) => [testOf(result), result])))
  const total = (of: (result: LabResult) => number): number => judged.reduce((sum, result) => sum + of(result), 0)
  console.log(
    `\n${judged.filter((result) => result.ok).length} of ${judged.length} ok, ${total(({ seconds }) => seconds).toFixed(1)} s of the lab's time in ${secondsSoFar()} s`,
  )
  if (json) {
    const lines = judged.map(({ name, seconds, servers, rpcs, bytes, commits, ok }) => ({
      name,
      seconds,
      servers,
      rpcs,
      bytes,
      commits,
      ok,
    }))
    console.log(JSON.stringify({ ok, seconds: secondsSoFar(), tests: lines }))
  }
  return ok
}

const sweep = async ({ tests, real, seed: from, seeds, jobs, json }: Options): Promise<boolean> => {
  const count = seeds ?? 1
  const failures: { readonly name: string; readonly seed: number; readonly failure: string; readonly again: string }[] = []
  const beyond = new Map<string, number>()
  const greatest = new Map<string, LabResult>()
  let seedsDone = 0
  const done = (seed: number, results: ReadonlyArray<LabResult>): void => {
    seedsDone++
    for (const result of results) {
      const { name, failure } = result
      if (failure !== null) {
        const again = `npm run lab --${real ? ' --real' : ''} --test ${name} --seed ${seed}`
        failures.push({ name, seed, failure, again })
        console.error(`${name}, seed ${seed}: ${failure}\n  ${again}`)
      }
      if (exceeded(testOf(result), result).length > 0) beyond.set(name, (beyond.get(name) ?? 0) + 1)
      const former = greatest.get(name) ?? result
      greatest.set(name, {
        ...result,
        seconds: Math.max(former.seconds, result.seconds),
        rpcs: Math.max(former.rpcs, result.rpcs),
        bytes: Math.max(former.bytes, result.bytes),
        commits: Math.max(former.commits, result.commits),
        failure: null,
        warnings: [],
      })
    }
    if (seedsDone % Math.ceil(count / 20) === 0)
      console.error(`${seedsDone} of ${count} seeds in ${secondsSoFar()} s, ${failures.length} failures`)
  }

  if (real) for (let seed = from; seed < from + count; seed++) done(seed, await allReally(tests, seed))
  else await sweepVirtually(tests, { from, count, jobs, done })

  const ok = failures.length === 0
  console.log(
    `${real ? 'on the real clock' : 'in virtual time'}, seeds ${from} to ${from + count - 1}; the greatest figure of each, on the right the handout's example\n`,
  )
  console.log(table(tests.map((test) => [test, greatest.get(test.name)!])))
  for (const [name, n] of beyond) console.log(`${name}: ${n} of ${count} seeds beyond the handout's figures`)
  console.log(`\n${failures.length} failures in ${count} × ${tests.length} runs, ${secondsSoFar()} s`)
  if (json) console.log(JSON.stringify({ ok, seconds: secondsSoFar(), seeds: count, runs: count * tests.length, failures }))
  return ok
}

const main = async (): Promise<number> => {
  try {
    const options = optionsOf(process.argv.slice(2))
    if (options.help) {
      console.log(usage)
      return 0
    }
    return (await (options.seeds === null ? once(options) : sweep(options))) ? 0 : 1
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    return 2
  }
}

process.exitCode = await main()
