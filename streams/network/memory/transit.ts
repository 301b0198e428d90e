import type { SchedulerLike } from 'rxjs'
import type { Message } from '../../../src/raft/messages.js'
import { changedFaults } from './options.js'
import { areFaults, Fates, type Faults, noFaults } from './faults.js'
import { type Link, type Parcel, passes, type Port, type Ports } from './ports.js'
import type { StatsDraft } from './stats.js'

export interface TransitOptions {
  readonly scheduler: SchedulerLike
  readonly random: () => number
  readonly maxInFlight: number
}

/** Carries messages from port to port, in turns of the scheduler. */
export class Transit {
  private readonly fates: Fates
  private faults: Faults = noFaults
  private isFaulty = false
  /** What the next turn delivers, and what later milliseconds do: one action of the scheduler for each list. */
  private turn: Parcel[] = []
  private readonly later = new Map<number, Parcel[]>()

  constructor(
    private readonly ports: Ports,
    private readonly stats: StatsDraft,
    private readonly options: TransitOptions,
  ) {
    this.fates = new Fates(options.random)
  }

  /** Those not named stay, and those given as `undefined`. */
  setFaults(changed: Partial<Faults>): void {
    this.faults = changedFaults(this.faults, changed)
    this.isFaulty = areFaults(this.faults)
  }

  send(from: Port, message: Message): void {
    const link = this.ports.linkFrom(from, message.to)
    this.stats.sent++
    if (!passes(link)) this.stats.cut++
    else if (this.isFaulty || link.slowMs !== null) this.sendThroughFaults(link, message)
    else this.enter(link, message, 0, false)
  }

  /** What is under way is lost, and its sender is told. */
  reset(link: Link): void {
    link.resets++
    this.tellSender(link)
  }

  /** What waits for `port` arrives, in its order. */
  release(port: Port): void {
    const parcels = port.held ?? []
    port.held = null
    for (const parcel of parcels) this.deliver(parcel)
  }

  private sendThroughFaults(link: Link, message: Message): void {
    let copies = 0
    for (const { delayMs, isOvertaken, isSlowed } of this.fates.copies(this.faults, link.slowMs)) {
      if (isSlowed) this.stats.slowed++
      if (this.enter(link, message, delayMs, isOvertaken)) {
        this.stats.duplicated += copies
        this.stats.reordered += Number(isOvertaken)
      }
      copies++
    }
    if (copies === 0) this.stats.lost++
  }

  private enter(link: Link, message: Message, delayMs: number, isOvertaken: boolean): boolean {
    if (link.inFlight >= this.options.maxInFlight) {
      this.stats.overflowed++
      this.tellSender(link)
      return false
    }
    link.inFlight++
    const { resets, from } = link
    const { incarnation } = from
    if (delayMs === 0 && link.delayed === 0) this.nextTurn({ link, message, incarnation, delayed: false, resets })
    else {
      const now = this.options.scheduler.now()
      const dueMs = Math.max(now + delayMs, link.lastDueMs)
      if (!isOvertaken) link.lastDueMs = dueMs
      link.delayed++
      this.at(dueMs, now, { link, message, incarnation, delayed: true, resets })
    }
    return true
  }

  private nextTurn(parcel: Parcel): void {
    this.turn.push(parcel)
    if (this.turn.length === 1) this.options.scheduler.schedule(this.deliverTurn)
  }

  private readonly deliverTurn = (): void => {
    const parcels = this.turn
    this.turn = [] // what is sent meanwhile is for the turn after
    for (const parcel of parcels) this.deliver(parcel)
  }

  private at(dueMs: number, now: number, parcel: Parcel): void {
    const parcels = this.later.get(dueMs)
    if (parcels !== undefined) return void parcels.push(parcel)
    this.later.set(dueMs, [parcel])
    this.options.scheduler.schedule(this.deliverOf, dueMs - now, dueMs)
  }

  private readonly deliverOf = (dueMs?: number): void => {
    const parcels = this.later.get(dueMs!)!
    this.later.delete(dueMs!)
    for (const parcel of parcels) this.deliver(parcel)
  }

  private deliver(parcel: Parcel): void {
    const { link, message } = parcel
    const receiver = message === null ? link.from : link.to
    if (receiver.held !== null) {
      receiver.held.push(parcel)
      this.stats.held++
    } else if (message === null) {
      link.told = false
      link.from.events?.next({ _tag: 'Unreachable', peer: link.to.id })
    } else this.deliverMessage(parcel, message)
  }

  private deliverMessage({ link, incarnation, delayed, resets }: Parcel, message: Message): void {
    const { stats } = this
    link.inFlight--
    if (delayed) link.delayed--
    if (resets !== link.resets) stats.reset++
    else if (!passes(link)) stats.cut++
    else if (link.to.events === null) {
      stats.absent++
      this.tellSender(link)
    } else {
      stats.delivered++
      link.to.events.next(incarnation === null ? { _tag: 'Received', message } : { _tag: 'Received', message, incarnation })
    }
  }

  private tellSender(link: Link): void {
    if (link.told) return
    link.told = true
    this.nextTurn({ link, message: null, incarnation: null, delayed: false, resets: 0 })
  }
}
