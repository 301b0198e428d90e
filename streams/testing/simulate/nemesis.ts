import { seeded } from '../random.js'
import { type FaultName, faults, type Ongoing } from './faults/index.js'
import type { FaultCount } from './options.js'
import type { PlannedFault } from './plan.js'
import type { SimulatedCluster } from './simulatedCluster.js'

const patienceMs = 5_000
/** Rounds: however often a fault was asked for in one without a leader, that was one bad moment. */
const fairlyOften = 3

interface Begun {
  readonly name: FaultName
  readonly ongoing: Ongoing
  readonly endsAt: number
  /** Whether its time was up before the round was. */
  due: boolean
}

/** Carries out the faults of a round, and keeps account of which of them bit. */
export class Nemesis {
  readonly counts: Partial<Record<FaultName, FaultCount>> = {}
  private begun: Begun[] = []
  private round = 0
  /** In which rounds. */
  private readonly asked = new Map<FaultName, Set<number>>()

  /** `wanted`: the faults were asked for by name, so that one which this cluster cannot have counts as asked for, too. */
  constructor(
    private readonly world: SimulatedCluster,
    private readonly wanted: boolean,
  ) {}

  /** The faults of a round that begins now. */
  plan(planned: ReadonlyArray<PlannedFault>): void {
    const { scheduler } = this.world
    this.round++
    for (const fault of planned) scheduler.schedule(() => this.begin(fault), fault.atMs)
  }

  private begin({ name, forMs, seed }: PlannedFault): void {
    const { world } = this
    const ongoing = faults[name].begin(world, seeded(seed))
    if (ongoing === null) {
      if (this.wanted) this.count(name, false)
      return
    }
    world.note(`${name}: ${ongoing.what}`)
    const begun: Begun = { name, ongoing, endsAt: world.now + forMs, due: false }
    this.begun.push(begun)
    this.endIn(begun, forMs)
  }

  /** One that has not bitten when its time is up goes on until it does, or until the round ends. */
  private endIn(begun: Begun, ms: number): void {
    this.world.scheduler.schedule(
      () => {
        if (!this.begun.includes(begun)) return
        begun.due = true
        if (begun.ongoing.bit()) this.end(begun)
        else this.endIn(begun, 100)
      },
      Math.max(1, ms),
    )
  }

  private end(begun: Begun): void {
    this.begun = this.begun.filter((other) => other !== begun)
    const { name, ongoing, due } = begun
    const bit = ongoing.bit()
    ongoing.end()
    // One that the end of the round cut short had no chance.
    if (bit || due) this.count(name, bit)
    if (ongoing.what !== '') this.world.note(`${name} ends${bit ? '' : ', and did not bite'}`)
  }

  private count(name: FaultName, bit: boolean): void {
    const { asked, bit: bitten } = this.counts[name] ?? { asked: 0, bit: 0 }
    this.counts[name] = { asked: asked + 1, bit: bitten + Number(bit) }
    this.asked.set(name, (this.asked.get(name) ?? new Set()).add(this.round))
  }

  /** Everything is taken back. */
  heal(): void {
    for (const begun of [...this.begun]) this.end(begun)
    const { network, calmDelayMs } = this.world
    network.heal()
    network.setFaults({ loss: 0, duplication: 0, reordering: 0, delayMs: calmDelayMs })
    for (const home of this.world.homes) home.heal()
  }

  /** The round goes on for a while if a fault that never bit in this run has not had its chance: until it bites. */
  giveTime(): void {
    const until = this.world.now + patienceMs
    while (this.world.violation === null && this.world.now < until && this.begun.some((begun) => this.isUnproved(begun)))
      this.world.runUntil(this.world.now + 100)
  }

  private isUnproved({ name, ongoing }: Begun): boolean {
    return (this.counts[name]?.bit ?? 0) === 0 && !ongoing.bit()
  }

  /** A fault that was asked for, not just in a bad moment or two, and never bit: it has tested nothing. */
  toothless(): FaultName | undefined {
    return [...this.asked].find(([name, rounds]) => this.counts[name]!.bit === 0 && rounds.size >= fairlyOften)?.[0]
  }
}
