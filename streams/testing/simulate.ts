import { seeded } from './random.js'
import { checkOptions, checkWorkload } from './simulate/checkOptions.js'
import { oneOf, seedsFrom } from './simulate/dice.js'
import { Nemesis } from './simulate/nemesis.js'
import { searchHistory } from './simulate/history.js'
import type { Simulated, SimulatedLinearizability, SimulateOptions } from './simulate/options.js'
import { type PlannedRound, planRound, swarm } from './simulate/plan.js'
import { fullScan, recover, settleDown } from './simulate/recovery.js'
import { shrinkWith, type Shrunk } from './simulate/shrink.js'
import { registers } from './simulate/registers.js'
import type { Workload } from './simulate/workload.js'
import { SimulatedCluster } from './simulate/simulatedCluster.js'

export type * from './simulate/options.js'
export type { Shrunk } from './simulate/shrink.js'
export type { FaultName } from './simulate/faults/index.js'
export type { PlannedFault, PlannedRound } from './simulate/plan.js'
export type { SnapshotMachine, Workload, WorkloadModel } from './simulate/workload.js'

const sizes = [3, 5, 7]

/**
 * A whole cluster — the real core and the real streams, with network, disks, clients and clocks — in one virtual time, with every die
 * cast from the seed: faults for a while, then everything is healed and the cluster must recover, round after round. All properties are
 * checked after every step. A violation is a value, not a throw: the run ends there, and the same seed shows it again.
 * Options that cannot work throw `InvalidOption` before anything runs.
 *
 * @example
 * const { violation, hash } = simulate(7, { servers: 5, forMs: 60_000 })
 */
export const simulate = <C, R>(seed: number, options: SimulateOptions<C, R> = {}): Simulated => {
  const {
    forMs = 60_000,
    operationsPerSecond = 10,
    clients = 5,
    checks = true,
    tuning = {},
    plan,
    history = false,
    linearizable = true,
    tell = null,
  } = options
  checkOptions(seed, options as SimulateOptions)
  const subSeed = seedsFrom(seed)
  const die = seeded(subSeed())
  const servers = options.servers ?? oneOf(die, sizes)
  const weights = options.faults ?? swarm(die)
  const workload = (options.workload?.() ?? registers()) as Workload<unknown, unknown>
  checkWorkload(workload)
  const searched = checks && linearizable ? workload.linearizable : undefined
  const keepsHistory = history || searched !== undefined
  const world = new SimulatedCluster({
    seed: subSeed(),
    servers,
    clients,
    operationsPerSecond,
    checks,
    tuning,
    workload,
    keepsHistory,
    tell,
  })
  const nemesis = new Nemesis(world, options.faults !== undefined)
  const rounds: PlannedRound[] = []
  const roundSeed = seedsFrom(subSeed())
  let recoveries = 0
  let lastRoundAt = 0
  let linearized: SimulatedLinearizability = { checked: 0, unknown: 0 }

  const round = (faults: PlannedRound): void => {
    rounds.push(faults)
    lastRoundAt = world.now
    nemesis.plan(faults.faults)
    world.runUntil(world.now + faults.chaosMs)
    nemesis.giveTime()
    if (world.violation !== null) return
    world.note('everything is healed')
    nemesis.heal()
    recover(world)
    if (world.violation === null) recoveries++
  }

  world.attempt(() => {
    for (const home of world.homes) home.start()
    do {
      const next = plan === undefined ? planRound(roundSeed(), weights, Math.max(1, forMs - world.now)) : plan[rounds.length]
      if (next === undefined) break
      round(next)
    } while (world.violation === null && (plan !== undefined || world.now < forMs))
    settleDown(world)
    if (world.violation === null && checks) {
      fullScan(world)
      const wrong = world.offers.scan(world.checks.record.committed)
      if (wrong !== null) world.fail(wrong.name, wrong.message)
    }
    if (world.violation !== null || searched === undefined) return
    const { violation, checked, unknown } = searchHistory(world.history, searched)
    linearized = { checked, unknown }
    world.violation = violation
  })
  const toothless = nemesis.toothless()
  if (plan === undefined && toothless !== undefined)
    world.fail(
      'a fault that was asked for bites',
      `${toothless} was asked for ${nemesis.counts[toothless]!.asked} times and never had an effect`,
    )

  if (tell !== null && world.violation !== null) tellEnd(world, tell)

  const { violation, hash, steps, elections, commits, operations, now } = world
  return {
    seed,
    hash: hash.hex,
    servers,
    simulatedMs: now,
    steps,
    elections,
    commits,
    operations,
    recoveries,
    snapshots: { taken: world.snapshotsTaken, installed: world.snapshotsInstalled },
    faults: nemesis.counts,
    violation,
    plan: rounds,
    lastRoundAt,
    linearizable: linearized,
    history: history ? world.history : [],
  }
}

/**
 * Makes a run that fails small: the fewest faults, operations and rounds with which the same property still fails. Null where the run does not fail.
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

/** The run as one can read it: its faults, who led when, and its last steps one by one. */
export const explain = <C, R>(seed: number, options: SimulateOptions<C, R> = {}): string => {
  const lines: string[] = []
  const { violation, servers, simulatedMs } = simulate(seed, { ...options, tell: (line) => lines.push(line) })
  const head = `seed ${seed}, ${servers} servers, ${simulatedMs} ms`
  return [head, ...lines, violation === null ? 'nothing is wrong' : `${violation.name}\n  ${violation.message}`].join('\n')
}

const tellEnd = (world: SimulatedCluster, tell: (line: string) => void): void => {
  tell('the last steps:')
  for (const line of world.lastLines()) tell(line)
}
