import { isNamed } from '../../../src/raft/state/configuration.js'
import type { NodeId } from '../../../src/raft/ids.js'
import { printEvent, printServer } from '../../../src/raft/print.js'
import type { Server } from '../../../src/raft/state/server.js'
import type { Applied } from '../../sinks/applied.js'
import type { StopReason } from '../../server/createRaft.js'
import { VirtualScheduler } from '../../time/heapScheduler.js'
import { memoryNetwork, type MemoryNetwork } from '../../network/memory/memoryNetwork.js'
import type { Tuning } from '../../server/options.js'
import type { Inspection } from '../../loop/run.js'
import { SameAnswers, sameValue } from '../checkers/answers.js'
import { ClientView } from '../checkers/clientView.js'
import { allChecks } from '../checkers/all.js'
import { Checks } from '../checkers/checker.js'
import { sameBytes } from '../checkers/logMatching.js'
import { Window } from '../checkers/window.js'
import { seeded } from '../random.js'
import { Client } from './clients.js'
import { oneOf, type Range, seedsFrom } from './dice.js'
import { hashStep } from './hashStep.js'
import { SimulatedServer } from './simulatedServer.js'
import { Offers } from './offers.js'
import type { SimulatedOperation, SimulatedViolation } from './options.js'
import { TraceHash } from './traceHash.js'
import { Watcher } from './watcher.js'
import type { Workload, WorkloadModel } from './workload.js'

export interface WorldOptions {
  readonly seed: number
  readonly servers: number
  readonly clients: number
  readonly operationsPerSecond: number
  readonly checks: boolean
  readonly tuning: Partial<Tuning>
  readonly workload: Workload<unknown, unknown>
  readonly keepsHistory: boolean
  readonly tell: ((line: string) => void) | null
}

interface Told {
  readonly client: number
  readonly serial: number
  readonly command: unknown
  readonly call: number
  readonly index: number
  readonly result: unknown
}

/** How fast disks and networks are when nothing is wrong with them: each seed has its own. */
const calmWrites: ReadonlyArray<Range> = [
  { min: 0, max: 0 },
  { min: 0, max: 2 },
  { min: 1, max: 10 },
]
const calmDelays: ReadonlyArray<Range> = [
  { min: 0, max: 1 },
  { min: 1, max: 5 },
  { min: 1, max: 20 },
]
/** How often servers compact their logs, in entries; null: never. And how much of a snapshot goes in one message. */
const snapshotsEvery = [null, 10, 50, 50, 200] as const
const chunkBytes = [50, 300, 1 << 20]
/** Bounds that a few clients come to; in two runs of three nobody does. */
const bounds: ReadonlyArray<Partial<Tuning>> = [
  {},
  {},
  {
    maxEntriesPerMessage: 2,
    maxInflightMessages: 2,
    maxUncommittedEntries: 3,
    maxUnapplied: 4,
    maxApplying: 3,
    maxPendingWrites: 3,
    maxProposals: 4,
    maxAppliesPerTurn: 2,
  },
]
/** Operations a second: of more a follower could not make up for what it missed, two entries at a time. */
const mostUnderBounds = 50
const keptSteps = 60 // a transcript tells so many steps in full, before the end

/** A cluster with its network, disks, clients and clock, all in one virtual time; what happens in it is seen, hashed and checked here. */
export class SimulatedCluster {
  readonly scheduler = new VirtualScheduler()
  readonly network: MemoryNetwork
  readonly calmDelayMs: Range
  readonly homes: ReadonlyArray<SimulatedServer>
  readonly checks: Checks
  readonly hash = new TraceHash()
  readonly tuning: Partial<Tuning>
  readonly workload: Workload<unknown, unknown>
  readonly history: SimulatedOperation[] = []
  readonly watcher: Watcher
  readonly snapshotEvery: number | null
  readonly offers: Offers
  violation: SimulatedViolation | null = null
  snapshotsTaken = 0
  snapshotsInstalled = 0
  steps = 0
  elections = 0
  operations = 0
  /** Whether clients begin new operations. */
  clientsCall = true
  answersLost = 0
  lostAnswers = 0
  private readonly clients: ReadonlyArray<Client>
  private clientIds: number
  private readonly claims = new Set<string>()
  private readonly chance: () => number
  private readonly answers: SameAnswers<unknown>
  private readonly snapshots = new SameAnswers<Uint8Array>(sameBytes)
  private readonly view: ClientView<unknown>
  private readonly model: WorkloadModel<unknown, unknown> | null
  private readonly same: (a: unknown, b: unknown) => boolean
  /** The last index that the model was given, and what it answered. */
  private modelled = 0
  private readonly right = new Window<unknown>()
  private told = 0
  /** With the time of the world: that of a step is its server's own. */
  private lastSteps: { readonly at: number; readonly step: Inspection }[] = []

  constructor(private readonly options: WorldOptions) {
    const { seed, servers, clients, operationsPerSecond, checks, tuning, workload } = options
    const subSeed = seedsFrom(seed)
    const die = seeded(subSeed())
    this.snapshotEvery = oneOf(die, snapshotsEvery)
    this.tuning = { maxSnapshotChunkBytes: oneOf(die, chunkBytes), ...tuning }
    this.workload = workload
    this.offers = new Offers(workload.codec)
    this.same = workload.same ?? sameValue
    this.calmDelayMs = oneOf(die, calmDelays)
    this.network = memoryNetwork({ scheduler: this.scheduler, random: seeded(subSeed()), delayMs: this.calmDelayMs })
    this.checks = new Checks(checks ? allChecks : [])
    this.answers = new SameAnswers(this.same)
    this.view = new ClientView(this.answers, this.checks.record.committed, this.same)
    this.model = checks ? (workload.model?.() ?? null) : null
    this.chance = seeded(subSeed())
    const ids = Array.from({ length: servers }, (_, i) => `n${i + 1}`)
    const writeMs = oneOf(die, calmWrites)
    const tight = oneOf(die, bounds)
    this.tuning = { ...(operationsPerSecond <= mostUnderBounds ? tight : {}), ...this.tuning }
    this.homes = ids.map((_, i) => new SimulatedServer(i + 1, ids, subSeed(), writeMs, this))
    this.watcher = new Watcher(this, seeded(subSeed()))
    this.clientIds = clients
    const everyMs = Math.max(1, Math.round((clients * 1_000) / operationsPerSecond))
    const seeds = Array.from({ length: clients }, subSeed)
    this.clients = operationsPerSecond === 0 ? [] : seeds.map((clientSeed, i) => new Client(i + 1, clientSeed, everyMs, this))
  }

  get now(): number {
    return this.scheduler.now()
  }

  get commits(): number {
    return this.checks.record.committed.last
  }

  /** Whether anybody asks for anything. */
  get serves(): boolean {
    return this.clients.length > 0
  }

  get clientsAreIdle(): boolean {
    return this.clients.every(({ isIdle }) => isIdle)
  }

  /** Runs until `timeMs`, or until something is wrong. */
  runUntil(timeMs: number): void {
    while (this.violation === null && this.scheduler.step(timeMs));
    if (this.violation === null) this.scheduler.runUntil(timeMs)
  }

  /** The states of the servers that run. */
  running(): ReadonlyArray<Server> {
    return this.homes.flatMap(({ isUp, id }) => (isUp ? (this.checks.record.servers.get(id)?.now ?? []) : []))
  }

  /** Whether its disk is the one that the leader's configuration names: a server that lost its disk does not count. */
  readonly isMember = ({ id, incarnation }: Pick<Server, 'id' | 'incarnation'>): boolean => {
    const leader = this.checks.record.servers.get(this.leader()?.id ?? id)?.now
    return leader === undefined || isNamed(leader.log.configuration, id, incarnation)
  }

  /** The one that leads in the newest term. */
  leader(): SimulatedServer | null {
    const leaders = this.running().filter(({ role }) => role._tag === 'Leader')
    const newest = leaders.sort((a, b) => b.currentTerm - a.currentTerm)[0]
    return newest === undefined ? null : this.homes[this.ordinal(newest.id) - 1]!
  }

  /** Of `n7`, 7. A look-up in a `Map` would be a hundredth of a run. */
  readonly ordinal = (id: NodeId): number => (id.length === 2 ? id.charCodeAt(1) - 48 : Number(id.slice(1)))

  /** Takes what only one fault may have at a time, and gives what lets go of it; null if it is taken. */
  readonly claim = (what: string): (() => void) | null => {
    if (this.claims.has(what)) return null
    this.claims.add(what)
    return () => void this.claims.delete(what)
  }

  unreachableCount = 0
  readonly unreachables = (): number => this.unreachableCount

  stepped(home: SimulatedServer, step: Inspection): void {
    if (this.violation !== null) return
    try {
      this.look(home, step)
    } catch (error) {
      this.threw(error)
    }
  }

  private look(home: SimulatedServer, step: Inspection): void {
    this.steps++
    const { before, after, event } = step
    hashStep(this.hash, step, this.ordinal)
    if (event._tag === 'Unreachable') this.unreachableCount++
    if (this.options.tell !== null) this.narrate(step)
    const violation = this.checks.see(step)
    if (violation !== null) this.fail(violation.name, violation.message)
    if (event._tag !== 'Started' && after.log.base.index > before.applyingIndex) this.snapshotsInstalled++
    if (before.role._tag !== 'Leader' && after.role._tag === 'Leader') this.elections++
    if (home.crashAfterSteps > 0 && --home.crashAfterSteps === 0) home.crash('kept', home.downMs)
  }

  answered(id: NodeId, answer: Applied): void {
    if (!this.options.checks || this.violation !== null) return
    try {
      this.compare(id, answer)
    } catch (error) {
      this.threw(error)
    }
  }

  private compare(id: NodeId, { index, result }: Applied): void {
    const wrong = this.answers.see({ id, index, result })
    if (wrong !== null) return this.fail(this.answers.name, wrong)
    if (this.model === null) return
    this.applyModel(this.model, index)
    const right = this.right.at(index)
    if (!this.same(right, result)) {
      this.fail(
        'the state machine does what its model does',
        `${id} answers ${JSON.stringify(result)} at ${index}, and the model ${JSON.stringify(right)}`,
      )
    }
  }

  /** Command by command in the order of the log, whoever has answered which: one that began with a snapshot may be ahead of all others. */
  private applyModel(model: WorkloadModel<unknown, unknown>, upTo: number): void {
    while (this.modelled < upTo) {
      const index = ++this.modelled
      const entry = this.checks.record.committed.at(index)?.entry
      if (entry?.kind === 'command') this.right.set(index, model.apply(index, this.workload.codec.decode(entry.command)))
    }
  }

  snapshotTaken(id: NodeId, index: number, data: Uint8Array): void {
    this.snapshotsTaken++
    const wrong = this.options.checks ? this.snapshots.see({ id, index, result: data }) : null
    if (wrong !== null) this.fail(this.snapshots.name, `snapshots: ${wrong}`)
  }

  acknowledged({ client, serial, command, call, index, result }: Told): void {
    this.operations++
    this.hash.add(client)
    this.hash.add(serial)
    this.hash.add(index)
    this.hash.add(this.now)
    if (this.options.keepsHistory) this.keep(client, command, call, result, this.now)
    if (!this.options.checks) return
    const effective = this.model?.effectiveIndex?.(client, serial) ?? index
    this.told = Math.max(this.told, effective)
    const wrong = this.view.see({ client, call, return: this.now, index, result }, effective)
    if (wrong !== null) this.fail(this.view.name, wrong)
  }

  givenUp({ client, command, call }: Pick<Told, 'client' | 'command' | 'call'>): void {
    this.hash.add(client)
    if (this.options.keepsHistory) this.keep(client, command, call, null, null)
  }

  nextClient(): number {
    return ++this.clientIds
  }

  losesAnswer(): boolean {
    const loses = this.answersLost > 0 && this.chance() < this.answersLost
    if (loses) this.lostAnswers++
    return loses
  }

  /** Where no fault asked for it, a server that stops is a bug (I6). */
  stopped({ id }: SimulatedServer, reason: StopReason): void {
    this.note(`${id} stops: ${reason._tag}`)
    switch (reason._tag) {
      case 'Closed':
      case 'Killed':
      case 'StorageFailed':
      case 'StorageFull':
        return
      default:
        this.fail('no server stops by itself', `${id}: ${reason._tag}: ${reason.message}`)
    }
  }

  /** Whatever throws in here — a disk, a network, a workload, a check — is a violation, at its time. */
  readonly attempt = (what: () => void): void => {
    try {
      what()
    } catch (error) {
      this.threw(error)
    }
  }

  private threw(error: unknown): void {
    this.fail('nothing throws', error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error))
  }

  fail(name: string, message: string): void {
    this.violation ??= { name, at: this.now, message }
  }

  note(line: string): void {
    this.hash.text(line)
    this.options.tell?.(`${String(this.now).padStart(8)} ms  ${line}`)
  }

  private keep(client: number, command: unknown, call: number, result: unknown, end: number | null): void {
    const operation = this.workload.operation?.(command, result)
    if (operation === undefined) return
    const { key, input, output } = operation
    this.history.push({ client, key, call, return: end, input, output })
  }

  private narrate(step: Inspection): void {
    const { before, after } = step
    if (before.role._tag !== after.role._tag || before.currentTerm !== after.currentTerm)
      this.options.tell?.(`${String(this.now).padStart(8)} ms  ${printServer(after)}`)
    this.lastSteps.push({ at: this.now, step })
    if (this.lastSteps.length > 2 * keptSteps) this.lastSteps = this.lastSteps.slice(-keptSteps)
  }

  /** The last steps, one line each. */
  lastLines(): ReadonlyArray<string> {
    return this.lastSteps
      .slice(-keptSteps)
      .map(({ at, step }) => `${String(at).padStart(8)} ms  ${printEvent(step.event)}\n               ${printServer(step.after)}`)
  }
}
