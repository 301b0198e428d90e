import { seeded } from '../random.js'
import { checkOptions, checkWorkload } from './checkOptions.js'
import { oneOf, seedsFrom } from './dice.js'
import { searchHistory } from './history.js'
import { Nemesis } from './nemesis.js'
import type { Simulated, SimulatedLinearizability, SimulateOptions } from './options.js'
import { type PlannedRound, planRound, swarm, type Weights } from './plan.js'
import { fullScan, recover, settleDown } from './recovery.js'
import { registers } from './registers.js'
import { SimulatedCluster } from './simulatedCluster.js'
import type { Workload } from './workload.js'

const sizes = [3, 5, 7]

/** One run: rounds of faults and recovery, then the checks of the whole run. See `simulate`. */
export class Simulation {
  private readonly cluster: SimulatedCluster
  private readonly nemesis: Nemesis
  /** How often each fault comes, in proportion to the others. */
  private readonly weights: Weights
  private readonly roundSeed: () => number
  private readonly rounds: PlannedRound[] = []
  private recoveries = 0
  private lastRoundAt = 0
  private linearizable: SimulatedLinearizability = { checked: 0, unknown: 0 }

  constructor(
    private readonly seed: number,
    private readonly options: SimulateOptions,
  ) {
    checkOptions(seed, options)
    const { operationsPerSecond = 10, clients = 5, checks = true, tuning = {}, history = false, linearizable = true, tell = null } = options
    const subSeed = seedsFrom(seed)
    const die = seeded(subSeed())
    const servers = options.servers ?? oneOf(die, sizes)
    this.weights = options.faults ?? swarm(die)
    const workload = (options.workload?.() ?? registers()) as Workload<unknown, unknown>
    checkWorkload(workload)
    const keepsHistory = history || (checks && linearizable && workload.linearizable !== undefined)
    const common = { servers, clients, operationsPerSecond, checks, tuning, workload, keepsHistory, tell }
    this.cluster = new SimulatedCluster({ ...common, seed: subSeed() })
    this.nemesis = new Nemesis(this.cluster, options.faults !== undefined)
    this.roundSeed = seedsFrom(subSeed())
  }

  run(): Simulated {
    const { observer, servers } = this.cluster
    observer.attempt(() => {
      for (const server of servers) server.start()
      this.runRounds()
      settleDown(this.cluster)
      if (observer.violation === null) this.checkWholeRun()
    })
    this.checkEffects()
    if (observer.violation !== null) observer.narrator.tellLastSteps()
    return this.result()
  }

  private runRounds(): void {
    const { cluster, rounds } = this
    const { plan, forMs = 60_000 } = this.options
    do {
      const next = plan === undefined ? planRound(this.roundSeed(), this.weights, Math.max(1, forMs - cluster.now)) : plan[rounds.length]
      if (next === undefined) return
      this.runRound(next)
    } while (cluster.observer.violation === null && (plan !== undefined || cluster.now < forMs))
  }

  private runRound(round: PlannedRound): void {
    const { cluster, nemesis } = this
    const { observer } = cluster
    this.rounds.push(round)
    this.lastRoundAt = cluster.now
    nemesis.plan(round.faults)
    cluster.runUntil(cluster.now + round.chaosMs)
    nemesis.giveTime()
    if (observer.violation !== null) return
    observer.note('everything is healed')
    nemesis.heal()
    recover(cluster)
    if (observer.violation === null) this.recoveries++
  }

  /** Checks that look at all entries, all offers and all operations, once. */
  private checkWholeRun(): void {
    const { cluster } = this
    const { observer, clients } = cluster
    const { checks = true, linearizable = true } = this.options
    if (!checks) return
    fullScan(cluster)
    const wrong = clients.offers.scan(observer.checks.record.committed)
    if (wrong !== null) observer.fail(wrong.name, wrong.message)
    const model = linearizable ? cluster.workload.linearizable : undefined
    if (observer.violation !== null || model === undefined) return
    const { violation, checked, unknown } = searchHistory(observer.history, model)
    this.linearizable = { checked, unknown }
    observer.violation = violation
  }

  /** A fault without any effect tests nothing. A given plan may be too short for all its faults. */
  private checkEffects(): void {
    const { nemesis } = this
    const without = nemesis.withoutEffect()
    if (this.options.plan !== undefined || without === undefined) return
    const { asked } = nemesis.counts[without]!
    this.cluster.observer.fail(
      'a fault that was asked for has an effect',
      `${without} was asked for ${asked} times and never had an effect`,
    )
  }

  private result(): Simulated {
    const { seed, cluster, nemesis, rounds, lastRoundAt, recoveries, linearizable } = this
    const { hash, steps, elections, operations, snapshotsTaken, snapshotsInstalled, violation, history, checks } = cluster.observer
    return {
      seed,
      hash: hash.hex,
      servers: cluster.servers.length,
      simulatedMs: cluster.now,
      steps,
      elections,
      commits: checks.record.committed.last,
      operations,
      recoveries,
      snapshots: { taken: snapshotsTaken, installed: snapshotsInstalled },
      faults: nemesis.counts,
      violation,
      plan: rounds,
      lastRoundAt,
      linearizable,
      history: this.options.history === true ? history : [],
    }
  }
}
