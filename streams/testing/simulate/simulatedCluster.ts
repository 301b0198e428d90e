import { isNamed } from '../../../src/raft/state/configuration.js'
import type { Server } from '../../../src/raft/state/server.js'
import { memoryNetwork, type MemoryNetwork } from '../../network/memory/memoryNetwork.js'
import type { Tuning } from '../../server/options.js'
import { VirtualScheduler } from '../../time/heapScheduler.js'
import { seeded } from '../random.js'
import { Clients } from './clients.js'
import { type Conditions, drawConditions } from './conditions.js'
import type { SimulationContext } from './context.js'
import { seedsFrom } from './dice.js'
import { namesOf, ordinalOf } from './names.js'
import { Observer } from './observer.js'
import { SimulatedServer } from './simulatedServer.js'
import { Watcher } from './watcher.js'
import type { Workload } from './workload.js'

export interface SimulatedClusterOptions {
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

/** A cluster with its network, disks, clients and clocks, all in one virtual time. */
export class SimulatedCluster implements SimulationContext {
  readonly scheduler = new VirtualScheduler()
  readonly workload: Workload<unknown, unknown>
  readonly conditions: Conditions
  readonly observer: Observer
  readonly network: MemoryNetwork
  readonly servers: ReadonlyArray<SimulatedServer>
  readonly clients: Clients
  private readonly claims = new Set<string>()

  constructor({ seed, servers, clients, operationsPerSecond, tuning, ...options }: SimulatedClusterOptions) {
    const subSeed = seedsFrom(seed)
    const { scheduler } = this
    this.workload = options.workload
    this.conditions = drawConditions(seeded(subSeed()), tuning, operationsPerSecond)
    this.observer = new Observer({ ...options, now: () => scheduler.now() })
    this.network = memoryNetwork({ scheduler, random: seeded(subSeed()), delayMs: this.conditions.calmDelayMs })
    const random = seeded(subSeed())
    const ids = namesOf(servers)
    this.servers = ids.map((_, i) => new SimulatedServer(i + 1, ids, subSeed(), this))
    new Watcher(this, () => this.servers.filter((server) => server.isUp && this.isMember(server)), seeded(subSeed()))
    const seeds = Array.from({ length: clients }, subSeed)
    this.clients = new Clients({ seeds, operationsPerSecond, random }, this.servers, this)
  }

  get now(): number {
    return this.scheduler.now()
  }

  /** Runs until `timeMs`, or until a violation. */
  runUntil(timeMs: number): void {
    while (this.observer.violation === null && this.scheduler.step(timeMs));
    if (this.observer.violation === null) this.scheduler.runUntil(timeMs)
  }

  /** The states of the servers that run. */
  running(): ReadonlyArray<Server> {
    const { servers } = this.observer.checks.record
    return this.servers.flatMap(({ isUp, id }) => (isUp ? (servers.get(id)?.now ?? []) : []))
  }

  /** Whether the configuration of the leader names this disk. A server that lost its disk does not count. */
  readonly isMember = ({ id, incarnation }: Pick<Server, 'id' | 'incarnation'>): boolean => {
    const leader = this.observer.checks.record.servers.get(this.leader()?.id ?? id)?.now
    return leader === undefined || isNamed(leader.log.configuration, id, incarnation)
  }

  /** The server that leads in the newest term. */
  leader(): SimulatedServer | null {
    const leaders = this.running().filter(({ role }) => role._tag === 'Leader')
    const newest = leaders.sort((a, b) => b.currentTerm - a.currentTerm)[0]
    return newest === undefined ? null : this.servers[ordinalOf(newest.id) - 1]!
  }

  /** Takes what one fault at a time may have, and returns the function that gives it back; null if it is taken. */
  readonly claim = (what: string): (() => void) | null => {
    if (this.claims.has(what)) return null
    this.claims.add(what)
    return () => void this.claims.delete(what)
  }
}
