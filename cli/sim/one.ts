import { explain, shrink, simulate } from '../../streams/testing/simulate.js'
import type { Shrunk } from '../../streams/testing/simulate/shrink.js'
import type { CommandCall } from '../command.js'
import { type Details, done, type Outcome, refused, unknown } from '../outcome.js'
import { count } from '../view/format.js'
import type { SimSettings } from './options.js'
import { reportOf, runOptionsOf, type RunReport, type RunSettings } from './run.js'
import { add, figuresOf, linearizableOf, nothing, type Tally } from './tally.js'

/** The command that repeats a run. */
export const commandFor = ({ forMs, servers, operationsPerSecond, clients }: RunSettings, seed: number): string => {
  const options = { 'for-ms': forMs, servers, 'ops-per-second': operationsPerSecond, clients }
  const given = Object.entries(options).filter(([, value]) => value !== null)
  return ['rxraft sim --seed', seed, ...given.flatMap(([name, value]) => [`--${name}`, value])].join(' ')
}

/** A violation as an outcome, with the command that repeats it. */
export const violated = (settings: SimSettings, { seed, violation }: RunReport, details = {}): Outcome =>
  refused(
    'Violation',
    `Seed ${seed}, at ${violation!.at} ms: ${violation!.name}\n${violation!.message}\nrepeat it: ${commandFor(settings, seed)} --explain`,
    { seed, name: violation!.name, at: violation!.at, ...details },
  )

/**
 * The outcome of runs without a violation. Operations on which the search gave up are neither a violation nor a pass.
 */
export const passed = ({ linearizable }: Pick<Tally, 'linearizable'>, text: string, details: Details): Outcome =>
  linearizable.unknown === 0
    ? done(details, text)
    : unknown(
        'LinearizabilityUnknown',
        `${text}It is unknown whether ${count(linearizable.unknown)} operations are linearizable: run with fewer clients, or for a shorter time (--clients, --for-ms).`,
        details,
      )

/** One seed, here and now. With `--explain` what fails is made small first and told step by step. */
export const one = (settings: SimSettings, seed: number, { io, json }: Pick<CommandCall, 'io' | 'json'>): Outcome => {
  const options = runOptionsOf(settings)
  const before = process.cpuUsage()
  const run = simulate(seed, options)
  const { user, system } = process.cpuUsage(before)
  const report = reportOf(run, (user + system) / 1_000)
  const details = { ...figuresOf(add(nothing, report)), hash: report.hash }
  if (settings.explain) {
    const shrunk = run.violation === null ? null : shrink(seed, options)
    ;(json ? io.stderr : io.stdout).write(`${explain(seed, shrunk?.options ?? options)}\n${madeSmall(shrunk)}`)
  }
  return run.violation === null ? passed(report, summaryOf(report), details) : violated(settings, report, details)
}

const madeSmall = (shrunk: Shrunk | null): string => {
  if (shrunk === null) return ''
  const faults = shrunk.result.plan.reduce((sum, round) => sum + round.faults.length, 0)
  return `made small in ${shrunk.runs} runs; ${faults} faults are left\n`
}

const summaryOf = ({ seed, hash, simulatedMs, steps, elections, commits, operations, linearizable, cpuMs }: RunReport): string =>
  `seed ${seed}  hash ${hash}  ${simulatedMs} ms  ${steps} steps  ${elections} elections  ${commits} commits  ${operations} operations, of which ${linearizableOf(linearizable)}  ${Math.round(simulatedMs / cpuMs)}× real time\n`
