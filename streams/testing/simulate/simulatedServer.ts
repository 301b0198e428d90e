import { from, Observable, type Subscription, tap } from 'rxjs'
import { type Incarnation, type NodeId, nodeId } from '../../../src/raft/ids.js'
import type { Applied, StateMachine } from '../../sinks/stateMachine.js'
import { createRaft, type Raft, type StopReason } from '../../server/createRaft.js'
import type { Inspection } from '../../loop/run.js'
import { type MemoryStorage, memoryStorage } from '../../storage/memory/memoryStorage.js'
import { seeded } from '../random.js'
import { type Range, whole } from './dice.js'
import { type DiskFaults, FaultyDisk } from './faultyDisk.js'
import { Gate } from './gate.js'
import { MonotonicClock } from './monotonicClock.js'
import type { SnapshotMachine } from './workload.js'
import type { SimulatedCluster } from './simulatedCluster.js'

/** What a clock shows when a process begins: up to twelve days. */
const clockBeginsAtMs: Range = { min: 0, max: 2 ** 30 }

const incarnationOf = (ordinal: number, disk: number): Incarnation =>
  (ordinal * 2 ** 16 + disk).toString(16).padStart(32, '0') as Incarnation

/** Where one server lives: its disk, its process, and what can befall them. It outlives the server's lives. */
export class SimulatedServer {
  readonly id: NodeId
  readonly gate: Gate
  readonly clock: MonotonicClock
  readonly disk: FaultyDisk
  /** The server of this life; null while it is down. */
  raft: Raft<unknown> | null = null
  lives = 0
  /** How many disks were lost so far. */
  lostDisks = 0
  /** Counted down by each step; 0: not at all. */
  crashAfterSteps = 0
  downMs = 0
  /** How long the state machine takes to answer; null: not at all. */
  applierMs: Range | null = null
  slowAnswers = 0
  private readonly die: () => number
  private goingOn: Subscription | undefined

  constructor(
    readonly ordinal: number,
    private readonly cluster: ReadonlyArray<string>,
    seed: number,
    readonly calmWriteMs: Range,
    private readonly world: SimulatedCluster,
  ) {
    this.id = nodeId(cluster[ordinal - 1]!)
    this.die = seeded(seed)
    this.gate = new Gate(world.scheduler)
    this.clock = new MonotonicClock(this.gate)
    this.disk = new FaultyDisk(this.emptyDisk(), this.gate, seeded(Math.floor(this.die() * 2 ** 32)), { writeMs: calmWriteMs })
  }

  /** Names the disk that is there now. */
  get incarnation(): Incarnation {
    return incarnationOf(this.ordinal, this.lostDisks)
  }

  private emptyDisk(): MemoryStorage {
    return memoryStorage(this.cluster, { incarnation: this.incarnation })
  }

  get isUp(): boolean {
    return this.raft !== null
  }

  start(): void {
    if (this.raft !== null) return
    const { world, clock } = this
    const given = world.workload.stateMachine()
    const stateMachine = typeof given === 'function' ? given : given.stateMachine
    const take = typeof given === 'function' || world.snapshotEvery === null ? null : given.take
    this.lives++
    this.crashAfterSteps = 0
    clock.restart(whole(this.die, clockBeginsAtMs))
    const raft = createRaft<unknown, unknown>({
      ...world.tuning,
      id: this.id,
      network: world.network.join(this.id),
      storage: this.disk,
      stateMachine: this.observed(stateMachine),
      ...(take === null ? {} : { snapshots: { everyEntries: world.snapshotEvery!, take: this.taking(take) } }),
      codec: world.workload.codec,
      scheduler: clock,
      random: seeded(Math.floor(this.die() * 2 ** 32)),
    })
    this.raft = raft
    raft.inspect$.subscribe((step: Inspection) => world.stepped(this, step))
    raft.stopped$.subscribe((reason) => world.attempt(() => this.stopped(raft, reason)))
    world.note(`${this.id} starts`)
    raft.start()
  }

  /** Ends at once; the disk keeps what `onCrash` says. It is started again after a while. */
  crash(onCrash: DiskFaults['onCrash'], downMs: number): void {
    if (this.raft === null) return
    this.disk.setFaults({ onCrash })
    this.downMs = downMs
    this.raft.kill()
  }

  crashIn(ms: number, onCrash: DiskFaults['onCrash'], downMs: number): void {
    const life = this.lives
    this.world.scheduler.schedule(() => {
      if (this.lives === life) this.crash(onCrash, downMs)
    }, ms)
  }

  /** Ends at once, and comes back under its name with an empty disk. */
  loseDisk(downMs: number): void {
    this.crash('lost', downMs)
    this.lostDisks++
    this.disk.replace(this.emptyDisk())
  }

  /** Stops in good order, and is started again. */
  close(downMs: number): void {
    this.downMs = downMs
    this.raft?.close()
  }

  stop(forMs: number): void {
    const { world, gate, id } = this
    gate.stopUntil(world.scheduler.now() + forMs)
    world.network.hold(id)
    // Before any of the timers that fall due then: sockets come first (see clock.ts).
    this.goingOn = world.scheduler.schedule(() => this.goOn(), forMs)
  }

  goOn(): void {
    this.goingOn?.unsubscribe()
    this.gate.stopUntil(0)
    this.world.network.release(this.id)
  }

  /** Messages that waited for a process that stood still. */
  heldMessages(): number {
    return this.world.network.stats.held
  }

  heal(): void {
    this.crashAfterSteps = 0
    this.applierMs = null
    this.clock.setRate(1)
    this.disk.onWrite = null
    this.disk.setFaults({ writeMs: this.calmWriteMs, hung: false, failing: false, full: false, onCrash: 'kept' })
    this.goOn()
    this.start()
  }

  private stopped(raft: Raft<unknown>, reason: StopReason): void {
    if (this.raft !== raft) return
    this.raft = null
    this.world.stopped(this, reason)
    const life = this.lives
    this.world.scheduler.schedule(
      () => {
        if (this.lives === life) this.start()
      },
      Math.max(1, this.downMs),
    )
  }

  /** Every snapshot is looked at: of one index there is one. */
  private taking(take: SnapshotMachine<unknown, unknown>['take']): SnapshotMachine<unknown, unknown>['take'] {
    return (lastApplied) => from(take(lastApplied)).pipe(tap(({ index, data }) => this.world.snapshotTaken(this.id, index, data)))
  }

  /** The state machine, with everyone who wants to hear what it answers, and with the fault of being slow. */
  private observed(machine: StateMachine<unknown>): StateMachine<unknown> {
    return (apply$, snapshot) =>
      new Observable<Applied>((subscriber) => {
        const waiting: Applied[] = []
        const tell = (answer: Applied): void => {
          this.world.answered(this.id, answer)
          subscriber.next(answer)
        }
        const tellNext = (): void => {
          // One that is healed has no work left, however much had gathered.
          do tell(waiting.shift()!)
          while (this.applierMs === null && waiting.length > 0)
          if (waiting.length > 0) later()
        }
        const later = (): void => {
          subscriber.add(this.gate.schedule(tellNext, whole(this.die, this.applierMs!)))
        }
        return from(machine(apply$, snapshot)).subscribe({
          next: (answer) => {
            if (this.applierMs === null && waiting.length === 0) return tell(answer)
            this.slowAnswers++
            waiting.push(answer)
            if (waiting.length === 1) later()
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        })
      })
  }
}
