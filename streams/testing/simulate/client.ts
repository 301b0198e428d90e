import type { Subscription } from 'rxjs'
import type { ProposalEvent } from '../../sinks/proposal.js'
import { seeded } from '../random.js'
import type { SimulationContext } from './context.js'
import { oneOf, whole } from './dice.js'
import type { Offers } from './offers.js'
import type { SimulatedServer } from './simulatedServer.js'

/** How long a client waits for an answer before it asks another server. */
const answerTimeoutMs = 1_000
/** How long it waits between two attempts. */
const pauseMs = { min: 5, max: 60 }
/** How often a client gives up an operation of which the outcome is unknown: it is then another client. */
const givesUp = 0.02
/** How often a client looks whether clients may begin operations again. */
const lookEveryMs = 50

/** What the clients of one simulation share. */
export interface ClientGroup {
  readonly servers: ReadonlyArray<SimulatedServer>
  readonly offers: Offers
  /** Whether clients begin new operations. */
  readonly areCalling: boolean
  /** The number of a client that is new. */
  nextId(): number
  /** Whether the answer that has just come is lost. */
  losesAnswer(): boolean
}

interface UnderWay {
  readonly command: unknown
  readonly serial: number
  readonly call: number
  attempt: number
}

/**
 * A client: one operation after another, at its own pace. It follows hints to the leader, asks other servers when it
 * gets no answer, and proposes the same command again, with the same serial, until it knows the outcome (§8).
 * Without sessions it leaves the outcome unknown.
 */
export class Client {
  private readonly die: () => number
  private serial = 0
  private target = 0
  private operation: UnderWay | null = null
  private timeout: Subscription | undefined
  private nextCallAt = 0

  constructor(
    private id: number,
    seed: number,
    private readonly everyMs: number,
    private readonly context: SimulationContext,
    private readonly group: ClientGroup,
  ) {
    this.die = seeded(seed)
    this.target = Math.floor(this.die() * group.servers.length)
    this.nextCallAt = Math.floor(this.die() * everyMs)
    this.in(this.nextCallAt, () => this.call())
  }

  get isIdle(): boolean {
    return this.operation === null
  }

  private in(ms: number, work: () => void): Subscription {
    return this.context.scheduler.schedule(work, Math.max(1, ms))
  }

  private call(): void {
    const { context, die } = this
    if (!this.group.areCalling) {
      this.in(lookEveryMs, () => this.call())
      return
    }
    const serial = ++this.serial
    const now = context.scheduler.now()
    this.operation = { command: context.workload.command(die, this.id, serial), serial, call: now, attempt: 0 }
    this.nextCallAt = now + whole(die, { min: this.everyMs >> 1, max: this.everyMs + (this.everyMs >> 1) })
    this.attempt(this.operation)
  }

  private attempt(operation: UnderWay): void {
    if (this.operation !== operation) return
    const attempt = ++operation.attempt
    const { servers, offers } = this.group
    const { raft } = servers[this.target]!
    if (raft === null) return this.askAnother(operation)
    this.timeout = this.in(answerTimeoutMs, () => {
      if (this.operation === operation && operation.attempt === attempt) this.unknown(operation)
    })
    offers.offered(operation.command)
    raft.propose(operation.command).subscribe({
      next: (event) => this.context.observer.attempt(() => this.heard(operation, attempt, event)),
      complete: () => offers.ended(),
    })
  }

  private heard(operation: UnderWay, attempt: number, event: ProposalEvent): void {
    // Both promise that nothing was appended. The log is held against this promise at the end.
    if (event._tag === 'NotLeader' || event._tag === 'Overloaded') this.group.offers.refused(operation.command)
    if (this.operation !== operation) return
    if (event._tag === 'Applied') {
      if (this.group.losesAnswer()) return
      return this.answered(operation, event)
    }
    if (attempt !== operation.attempt) return
    switch (event._tag) {
      case 'NotLeader': {
        const leader = event.leader
        this.timeout?.unsubscribe()
        if (leader === null) return this.askAnother(operation)
        this.target = this.group.servers.findIndex(({ id }) => id === leader)
        this.in(whole(this.die, pauseMs), () => this.attempt(operation))
        return
      }
      case 'Overloaded':
        this.timeout?.unsubscribe()
        return this.askAnother(operation)
      case 'Indeterminate':
        return this.unknown(operation)
      case 'Appended':
      case 'Committed':
    }
  }

  private answered(operation: UnderWay, answer: Extract<ProposalEvent, { readonly _tag: 'Applied' }>): void {
    this.timeout?.unsubscribe()
    this.operation = null
    this.context.observer.acknowledged({ client: this.id, ...operation }, answer)
    this.callLater()
  }

  /** The outcome is unknown: the client asks again, or goes on as another client. */
  private unknown(operation: UnderWay): void {
    const { workload, observer } = this.context
    this.timeout?.unsubscribe()
    operation.attempt++
    if (workload.retries && this.die() >= givesUp) return this.askAnother(operation)
    observer.givenUp({ client: this.id, ...operation })
    this.operation = null
    this.id = this.group.nextId()
    this.serial = 0
    this.callLater()
  }

  private callLater(): void {
    this.in(this.nextCallAt - this.context.scheduler.now(), () => this.call())
  }

  private askAnother(operation: UnderWay): void {
    this.target = oneOf(this.die, this.group.servers).ordinal - 1
    this.in(whole(this.die, pauseMs), () => this.attempt(operation))
  }
}
