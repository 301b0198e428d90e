import { Simulation } from './simulate/simulation.js'
import type { Simulated, SimulateOptions } from './simulate/options.js'
import { shrinkWith, type Shrunk } from './simulate/shrink.js'

/**
 * Runs a whole cluster in one virtual time: the real core and the real streams, with a network, disks, clients and
 * clocks, and with every die cast from the seed. There are faults for a while; then everything is healed and the
 * cluster must recover; and so on, round after round. After every step all properties are checked. A violation is a
 * value and is not thrown: the run ends there, and the same seed shows it again. Options that cannot work throw
 * `InvalidOption` before anything runs.
 *
 * @example
 * const { violation, hash } = simulate(7, { servers: 5, forMs: 60_000 })
 */
export const simulate = <C, R>(seed: number, options: SimulateOptions<C, R> = {}): Simulated =>
  new Simulation(seed, options as SimulateOptions).run()

/**
 * Makes a failing run small: finds the fewest faults, operations and rounds with which the same property still fails.
 * Null where the run does not fail.
 *
 * @example
 * const shrunk = shrink(29, { servers: 3 })
 * if (shrunk !== null) simulate(29, shrunk.options) // fails in the same way, sooner
 */
export const shrink = <C, R>(seed: number, options: SimulateOptions<C, R> = {}, maxRuns?: number): Shrunk | null => {
  const given = options as SimulateOptions
  const failing = simulate(seed, given)
  return failing.violation === null ? null : shrinkWith((smaller) => simulate(seed, smaller), given, failing, maxRuns)
}

/**
 * Tells a run as lines that a person can read: its faults, its leaders, and, if it fails, its last steps one by one.
 *
 * @example
 * explain(7, { servers: 3, forMs: 10_000 }).split('\n').at(-1) // 'nothing is wrong'
 */
export const explain = <C, R>(seed: number, options: SimulateOptions<C, R> = {}): string => {
  const lines: string[] = []
  const { violation, servers, simulatedMs } = simulate(seed, { ...options, tell: (line) => lines.push(line) })
  const head = `seed ${seed}, ${servers} servers, ${simulatedMs} ms`
  return [head, ...lines, violation === null ? 'nothing is wrong' : `${violation.name}\n  ${violation.message}`].join('\n')
}
