import type { SchedulerLike } from 'rxjs'
import { json } from '../../streams/wire/codec.js'
import {
  type ApplyMsg,
  type LabNetwork,
  labNetwork,
  type LabOptions,
  make,
  type MemoryPersister,
  memoryPersister,
  type Rf,
} from '../../streams/lab.js'
import { all, type Script, Task } from './script.js'

/** What the services of a lab replicate. */
export type Command = number | string

export interface LabSetup extends Pick<LabOptions, 'step'> {
  readonly servers: number
  readonly scheduler: SchedulerLike
  /** Uniform in [0, 1): every die of a run is cast from it. */
  readonly random: () => number
  readonly reliable?: boolean
  /** Every server's service takes a snapshot at 9, 19, 29 … */
  readonly snapshots?: boolean
}

/** A behaviour that a Raft must show was not seen. */
export class LabFailure extends Error {
  override readonly name = 'LabFailure'
}

/** One server of a lab and the service on it. */
class Member {
  /** Null while it is crashed. */
  rf: Rf<Command> | null = null
  persister: MemoryPersister = memoryPersister()
  /** What it ever applied, by index; kept over crashes, so that what was said once is held against everybody. */
  readonly applied: (Command | undefined)[] = []
  lastApplied = 0
}

/** The longest that a behaviour may take to show. */
const maxTestMs = 120_000

/**
 * A cluster as the lab sets it up, and the questions that its tests ask. Every apply on every server is
 * compared with what all others applied at that index, and must follow the one before: a breach ends
 * the test at its next step.
 */
export class Lab {
  readonly network: LabNetwork
  readonly members: ReadonlyArray<Member>
  readonly scheduler: SchedulerLike
  readonly warnings: string[] = []
  /** What was applied at each index by whoever was first. */
  private readonly agreed: (Command | undefined)[] = []
  private breach: LabFailure | null = null
  private readonly sinceMs: number

  constructor(private readonly setup: LabSetup) {
    const { scheduler, random, servers, reliable = true } = setup
    this.scheduler = scheduler
    this.sinceMs = scheduler.now()
    this.network = labNetwork({ servers, scheduler, random })
    this.network.reliable = reliable
    this.members = Array.from({ length: servers }, () => new Member())
    for (const i of this.all) this.start(i)
  }

  // What a test does to servers.

  get servers(): number {
    return this.members.length
  }

  get all(): ReadonlyArray<number> {
    return this.members.map((_, i) => i)
  }

  /** Server `i` in its next life, from what it saved in the former; it is as connected as it was. */
  start(i: number): void {
    this.stop(i)
    const member = this.members[i]!
    const { scheduler, random, step, snapshots = false } = this.setup
    member.lastApplied = 0
    const snapshot = member.persister.readSnapshot()
    if (snapshots && snapshot.length > 0) this.ingest(i, snapshot, null)
    const rf: Rf<Command> = make<Command>(
      this.network.ends(i),
      i,
      member.persister,
      { next: (msg) => this.apply(i, rf, msg) },
      { scheduler, random, ...(step === undefined ? {} : { step }) },
    )
    rf.stopped$.subscribe((why) => {
      if (why._tag !== 'Killed' && why._tag !== 'Closed') this.breaks(`server ${i} stopped: ${why.message}`)
    })
    member.rf = rf
    this.network.serve(i, (request) => rf.receive(request))
  }

  /** Cuts server `i` off and kills it; its next life finds what it has saved by now. */
  crash(i: number): void {
    this.cut(i)
    this.stop(i)
  }

  private stop(i: number): void {
    const member = this.members[i]!
    this.network.remove(i)
    member.persister = member.persister.copy()
    member.rf?.kill()
    member.rf = null
  }

  connect(...servers: ReadonlyArray<number>): void {
    for (const i of servers) this.network.connect(i)
  }

  cut(...servers: ReadonlyArray<number>): void {
    for (const i of servers) this.network.cut(i)
  }

  /** Starts those that are crashed and connects all. */
  reviveAll(): void {
    for (const i of this.all) {
      if (!this.isUp(i)) this.start(i)
      this.connect(i)
    }
  }

  isUp(i: number): boolean {
    return this.members[i]!.rf !== null
  }

  isConnected(i: number): boolean {
    return this.network.isConnected(i)
  }

  rf(i: number): Rf<Command> {
    return this.members[i]!.rf ?? this.fail(`server ${i} is crashed`)
  }

  /** The place `n` after `i`, round the circle. */
  next(i: number, n = 1): number {
    return (i + n) % this.servers
  }

  // Dice and time.

  /** A whole number in [0, n). */
  below(n: number): number {
    return Math.floor(this.setup.random() * n)
  }

  chance(probability: number): boolean {
    return this.setup.random() < probability
  }

  /** A command like no other. */
  command(): number {
    return this.below(2 ** 30)
  }

  now(): number {
    return this.scheduler.now() - this.sinceMs
  }

  fork<T>(script: Script<T>): Task<T> {
    return new Task(script, this.scheduler, () => this.check())
  }

  join = all

  fail(message: string): never {
    throw new LabFailure(message)
  }

  /** Throws if something was applied that must not have been, or the test takes too long. */
  check(): void {
    if (this.breach !== null) throw this.breach
    if (this.now() > maxTestMs) this.fail(`takes longer than ${maxTestMs / 1_000} s`)
  }

  end(): void {
    for (const i of this.all) this.members[i]!.rf?.kill()
  }

  // What a test asks.

  /** The one leader among the connected servers, of the highest term if a former one does not know yet. */
  *oneLeader(): Script<number> {
    for (let look = 0; look < 10; look++) {
      yield 450 + this.below(100)
      const leaderOfTerm = new Map<number, number>()
      for (const i of this.all) {
        if (!this.isConnected(i) || !this.isUp(i)) continue
        const { term, isLeader } = this.rf(i).getState()
        if (!isLeader) continue
        if (leaderOfTerm.has(term)) this.fail(`term ${term} has two leaders, ${leaderOfTerm.get(term)!} and ${i}`)
        leaderOfTerm.set(term, i)
      }
      if (leaderOfTerm.size > 0) return leaderOfTerm.get(Math.max(...leaderOfTerm.keys()))!
    }
    return this.fail('expected one leader, got none')
  }

  /** Fails where somebody of the connected takes itself for a leader. */
  noLeader(): void {
    for (const i of this.all) {
      if (this.isConnected(i) && this.rf(i).getState().isLeader) this.fail(`expected no leader, but server ${i} claims to be one`)
    }
  }

  /** The term of all connected servers. */
  agreedTerm(): number {
    const terms = new Set(this.all.filter((i) => this.isConnected(i)).map((i) => this.rf(i).getState().term))
    if (terms.size > 1) this.fail(`the servers do not agree on a term: ${[...terms].join(', ')}`)
    return [...terms][0] ?? 0
  }

  /** How many servers applied something at `index`. */
  countApplied(index: number): number {
    let count = 0
    for (const { applied } of this.members) if (applied[index] !== undefined) count++
    return count
  }

  /** What was applied at `index`. */
  appliedAt(index: number): Command | undefined {
    return this.agreed[index]
  }

  /** The highest index that was applied anywhere. */
  get lastIndex(): number {
    return Math.max(0, this.agreed.length - 1)
  }

  noneApplied(index: number, why: string): void {
    const count = this.countApplied(index)
    if (count > 0) this.fail(`${count} applied index ${index} ${why}`)
  }

  /**
   * Offers `command` to the connected servers until one accepts, and waits until at least `servers`
   * have applied it where that one said: gives this index. With `retry` it is offered anew after 2 s.
   */
  *one(command: Command, servers: number, retry: boolean): Script<number> {
    const sinceMs = this.now()
    let offered = 0
    while (this.now() - sinceMs < 10_000) {
      let index = -1
      for (let tried = 0; tried < this.servers && index === -1; tried++) {
        offered = this.next(offered)
        if (!this.isConnected(offered) || !this.isUp(offered)) continue
        const started = this.rf(offered).start(command)
        if (started.isLeader) index = started.index
      }
      if (index === -1) {
        yield 50
        continue
      }
      const acceptedMs = this.now()
      while (this.now() - acceptedMs < 2_000) {
        if (this.countApplied(index) >= servers && this.appliedAt(index) === command) return index
        yield 20
      }
      if (!retry) this.fail(`one(${show(command)}) failed to reach agreement: ${this.countApplied(index)} of ${servers} at index ${index}`)
    }
    return this.fail(`one(${show(command)}) failed to reach agreement on ${servers} servers in 10 s`)
  }

  /**
   * What at least `servers` applied at `index`, when they have; undefined if somebody's term moved beyond `term` first.
   */
  *wait(index: number, servers: number, term: number | null = null): Script<Command | undefined> {
    let pauseMs = 10
    for (let look = 0; look < 30 && this.countApplied(index) < servers; look++) {
      yield pauseMs
      if (pauseMs < 1_000) pauseMs *= 2
      if (term !== null && this.all.some((i) => this.isUp(i) && this.rf(i).getState().term > term)) return undefined
    }
    const count = this.countApplied(index)
    if (count < servers) this.fail(`only ${count} of ${servers} applied index ${index}`)
    return this.appliedAt(index)
  }

  // The services.

  private breaks(message: string): void {
    this.breach ??= new LabFailure(message)
  }

  private apply(i: number, rf: Rf<Command>, msg: ApplyMsg<Command>): void {
    const member = this.members[i]!
    // The last words of a former life.
    if (member.rf !== rf) return
    if (msg.snapshotValid) return this.ingest(i, msg.snapshot, msg.snapshotIndex)
    const { commandIndex: index, command } = msg
    if (index !== member.lastApplied + 1) return this.breaks(`server ${i} applied index ${index} where ${member.lastApplied + 1} was next`)
    this.applied(i, index, command)
    if (this.setup.snapshots === true && (index + 1) % snapshotInterval === 0) rf.snapshot(index, this.snapshotAt(i, index))
  }

  private applied(i: number, index: number, command: Command): void {
    const member = this.members[i]!
    const agreed = this.agreed[index]
    if (agreed === undefined) this.agreed[index] = command
    else if (agreed !== command)
      this.breaks(`server ${i} applied ${show(command)} at index ${index}, where another applied ${show(agreed)}`)
    member.applied[index] = command
    member.lastApplied = index
  }

  /** The service's state as `rf.snapshot` is given it: all that was applied so far. */
  private snapshotAt(i: number, index: number): Uint8Array {
    return snapshots.encode({ index, values: this.members[i]!.applied.slice(1, index + 1) as ReadonlyArray<Command> })
  }

  /** The service goes on from a snapshot, which came from Raft as that of `claimed`, or from its own disk. */
  private ingest(i: number, snapshot: Uint8Array, claimed: number | null): void {
    const { index, values } = snapshots.decode(snapshot)
    const { lastApplied } = this.members[i]!
    if (claimed !== null && claimed !== index) return this.breaks(`server ${i} installed a snapshot of ${index} as one of ${claimed}`)
    if (index <= lastApplied) return this.breaks(`server ${i} went back from ${lastApplied} to a snapshot of ${index}`)
    values.forEach((command, place) => this.applied(i, place + 1, command))
  }
}

interface ServiceState {
  readonly index: number
  /** What was applied at 1, 2, … */
  readonly values: ReadonlyArray<Command>
}

const snapshots = json<ServiceState>()
const snapshotInterval = 10

const show = (command: Command): string => (typeof command === 'string' && command.length > 12 ? `${command.slice(0, 12)}…` : `${command}`)
