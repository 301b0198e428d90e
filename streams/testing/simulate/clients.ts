import type { Subscription } from 'rxjs'
import type { ProposalEvent } from '../../sinks/proposal.js'
import { seeded } from '../random.js'
import { oneOf, whole } from './dice.js'
import type { SimulatedCluster } from './simulatedCluster.js'

/** How long a client waits for an answer before it asks somebody else. */
const patienceMs = 1_000
/** And between two attempts. */
const pauseMs = { min: 5, max: 60 }
/** An operation whose outcome is unknown is given up for good so often: its client is then another one. */
const givesUp = 0.02

interface UnderWay {
  readonly command: unknown
  readonly serial: number
  readonly call: number
  attempt: number
}

/**
 * A client: one operation after another, at its own pace. It follows hints to the leader, asks others when it is not answered, and
 * offers the same command again, with the same serial, until it knows (§8) — or, without sessions, leaves it unknown.
 */
export class Client {
  private readonly die: () => number
  private serial = 0
  private target = 0
  private operation: UnderWay | null = null
  private timeout: Subscription | undefined
  private nextCallAt = 0

  constructor(
    public id: number,
    seed: number,
    private readonly everyMs: number,
    private readonly world: SimulatedCluster,
  ) {
    this.die = seeded(seed)
    this.target = Math.floor(this.die() * world.homes.length)
    this.nextCallAt = Math.floor(this.die() * everyMs)
    this.in(this.nextCallAt, () => this.call())
  }

  get isIdle(): boolean {
    return this.operation === null
  }

  private in(ms: number, what: () => void): Subscription {
    return this.world.scheduler.schedule(what, Math.max(1, ms))
  }

  private call(): void {
    const { world, die } = this
    if (!world.clientsCall) {
      this.in(50, () => this.call())
      return
    }
    const serial = ++this.serial
    this.operation = { command: world.workload.command(die, this.id, serial), serial, call: world.scheduler.now(), attempt: 0 }
    this.nextCallAt = world.scheduler.now() + whole(die, { min: this.everyMs >> 1, max: this.everyMs + (this.everyMs >> 1) })
    this.attempt(this.operation)
  }

  private attempt(operation: UnderWay): void {
    if (this.operation !== operation) return
    const attempt = ++operation.attempt
    const { raft } = this.world.homes[this.target]!
    if (raft === null) return this.elsewhere(operation)
    this.timeout = this.in(patienceMs, () => {
      if (this.operation === operation && operation.attempt === attempt) this.unknown(operation)
    })
    const { offers } = this.world
    offers.offered(operation.command)
    raft.propose(operation.command).subscribe({
      next: (event) => this.world.attempt(() => this.heard(operation, attempt, event)),
      complete: () => offers.ended(),
    })
  }

  private heard(operation: UnderWay, attempt: number, event: ProposalEvent): void {
    // "Nothing was appended": held against the log at the end.
    if (event._tag === 'NotLeader' || event._tag === 'Overloaded') this.world.offers.refused(operation.command)
    if (this.operation !== operation) return
    if (event._tag === 'Applied') {
      if (this.world.losesAnswer()) return
      return this.answered(operation, event.index, event.result)
    }
    if (attempt !== operation.attempt) return
    switch (event._tag) {
      case 'NotLeader': {
        const leader = event.leader
        this.timeout?.unsubscribe()
        if (leader === null) return this.elsewhere(operation)
        this.target = this.world.homes.findIndex(({ id }) => id === leader)
        this.in(whole(this.die, pauseMs), () => this.attempt(operation))
        return
      }
      case 'Overloaded':
        this.timeout?.unsubscribe()
        return this.elsewhere(operation)
      case 'Indeterminate':
        return this.unknown(operation)
      case 'Appended':
      case 'Committed':
    }
  }

  private answered(operation: UnderWay, index: number, result: unknown): void {
    this.timeout?.unsubscribe()
    this.operation = null
    const { call, serial, command } = operation
    this.world.acknowledged({ client: this.id, serial, command, call, index, result })
    this.in(this.nextCallAt - this.world.scheduler.now(), () => this.call())
  }

  /** Nobody knows whether it was done. */
  private unknown(operation: UnderWay): void {
    this.timeout?.unsubscribe()
    operation.attempt++
    if (this.world.workload.retries && this.die() >= givesUp) return this.elsewhere(operation)
    this.world.givenUp({ client: this.id, command: operation.command, call: operation.call })
    this.operation = null
    this.id = this.world.nextClient()
    this.serial = 0
    this.in(this.nextCallAt - this.world.scheduler.now(), () => this.call())
  }

  private elsewhere(operation: UnderWay): void {
    const { homes } = this.world
    this.target = oneOf(this.die, homes).ordinal - 1
    this.in(whole(this.die, pauseMs), () => this.attempt(operation))
  }
}
