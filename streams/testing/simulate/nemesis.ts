import { seeded } from '../random.js'
import { type FaultName, faults, type Ongoing } from './faults/index.js'
import type { FaultCount } from './options.js'
import type { PlannedFault } from './plan.js'
import type { SimulatedCluster } from './simulatedCluster.js'

/** How long a round goes on, at most, for a fault that had no effect in this run yet. */
const extraMs = 5_000
const lookEveryMs = 100
/**
 * In so many rounds a fault must have been asked for before it must have had an effect: one round may have no leader.
 */
const enoughRounds = 3

interface Begun {
  readonly name: FaultName
  readonly ongoing: Ongoing
  /** Whether its time was up before the round was. */
  due: boolean
}

/** Begins and ends the faults of a round, and counts which of them had an effect. */
export class Nemesis {
  readonly counts: Partial<Record<FaultName, FaultCount>> = {}
  private begun: Begun[] = []
  private round = 0
  /** In which rounds each fault was asked for. */
  private readonly askedIn = new Map<FaultName, Set<number>>()

  /**
   * `wanted`: the faults were asked for by name. A fault that this cluster cannot have then counts as asked for, too.
   */
  constructor(
    private readonly cluster: SimulatedCluster,
    private readonly wanted: boolean,
  ) {}

  /** Plans the faults of a round that begins now. */
  plan(planned: ReadonlyArray<PlannedFault>): void {
    const { scheduler } = this.cluster
    this.round++
    for (const fault of planned) scheduler.schedule(() => this.begin(fault), fault.atMs)
  }

  private begin({ name, forMs, seed }: PlannedFault): void {
    const { cluster } = this
    const ongoing = faults[name].begin(cluster, seeded(seed))
    if (ongoing === null) {
      if (this.wanted) this.count(name, false)
      return
    }
    cluster.observer.note(`${name}: ${ongoing.what}`)
    const begun: Begun = { name, ongoing, due: false }
    this.begun.push(begun)
    this.endIn(begun, forMs)
  }

  /** A fault without an effect when its time is up goes on until it has one, or until the round ends. */
  private endIn(begun: Begun, ms: number): void {
    this.cluster.scheduler.schedule(
      () => {
        if (!this.begun.includes(begun)) return
        begun.due = true
        if (begun.ongoing.hadEffect()) this.end(begun)
        else this.endIn(begun, lookEveryMs)
      },
      Math.max(1, ms),
    )
  }

  private end(begun: Begun): void {
    this.begun = this.begun.filter((other) => other !== begun)
    const { name, ongoing, due } = begun
    const hadEffect = ongoing.hadEffect()
    ongoing.end()
    // A fault that the end of the round cut short had no chance: it does not count. Nor does one that met nothing of
    // what it is about, unless it was asked for by name.
    const hadChance = due && (this.wanted || (ongoing.hadChance?.() ?? true))
    if (hadEffect || hadChance) this.count(name, hadEffect)
    if (ongoing.what !== '') this.cluster.observer.note(`${name} ends${hadEffect ? '' : ', and did not bite'}`)
  }

  private count(name: FaultName, hadEffect: boolean): void {
    const { asked, effective } = this.counts[name] ?? { asked: 0, effective: 0 }
    this.counts[name] = { asked: asked + 1, effective: effective + Number(hadEffect) }
    this.askedIn.set(name, (this.askedIn.get(name) ?? new Set()).add(this.round))
  }

  /** Ends every fault. */
  heal(): void {
    for (const begun of [...this.begun]) this.end(begun)
    const { network, conditions, servers } = this.cluster
    network.heal()
    network.setFaults({ loss: 0, duplication: 0, reordering: 0, delayMs: conditions.calmDelayMs })
    for (const server of servers) server.heal()
  }

  /** Lets the round go on for a while, until each fault that had no effect in this run has one. */
  giveTime(): void {
    const { cluster } = this
    const until = cluster.now + extraMs
    const waits = (): boolean => this.begun.some((begun) => this.hadNoEffectYet(begun))
    while (cluster.observer.violation === null && cluster.now < until && waits()) cluster.runUntil(cluster.now + lookEveryMs)
  }

  private hadNoEffectYet({ name, ongoing }: Begun): boolean {
    return (this.counts[name]?.effective ?? 0) === 0 && !ongoing.hadEffect()
  }

  /** A fault that was asked for in several rounds and never had an effect: it has tested nothing. */
  withoutEffect(): FaultName | undefined {
    return [...this.askedIn].find(([name, rounds]) => this.counts[name]!.effective === 0 && rounds.size >= enoughRounds)?.[0]
  }
}
