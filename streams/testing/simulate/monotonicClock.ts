import { HeapScheduler } from '../../time/heapScheduler.js'
import type { Alarm } from './alarm.js'
import type { Gate } from './gate.js'

/**
 * The monotonic clock of one machine, and what its process takes for the time. It begins at another moment than everyone else's and may
 * run fast or slow, so that the times of two servers say nothing about each other. A deadline is a time of this clock, as in a kernel: it
 * stays where it is when the rate changes, and the world comes to it sooner or later. So what is carried out finds that its time has come, and
 * no action need know of rates. What the clock has no part in, such as how long a disk takes, goes by the gate, which is the world's time.
 */
export class MonotonicClock extends HeapScheduler {
  private rate = 1
  /** It showed `shownMs` when `gate` showed `sinceMs`, and runs at `rate` from there. */
  private shownMs = 0
  private sinceMs = 0
  private armedFor = Number.POSITIVE_INFINITY
  private readonly timer: Alarm
  private readonly turn: Alarm
  /** Whether the rate alone moves what it is armed for. */
  private moves = false
  /** Actions that were carried out at another time of the world than by an honest clock. */
  moved = 0

  constructor(private readonly gate: Gate) {
    super()
    this.timer = gate.alarm(() => {
      this.armedFor = Number.POSITIVE_INFINITY
      if (this.moves && this.nextDue() <= this.now()) this.moved++
      this.slice()
    })
    this.turn = gate.alarm(() => this.slice())
  }

  now(): number {
    const passedMs = this.gate.now() - this.sinceMs
    return this.shownMs + (this.rate === 1 ? passedMs : Math.floor(passedMs * this.rate))
  }

  /** A process begins, and this is what its clock shows. */
  restart(shownMs: number): void {
    this.goOnFrom(shownMs, this.rate)
  }

  /** From here on: what it shows now stays as it is. */
  setRate(rate: number): void {
    this.goOnFrom(this.now(), rate)
  }

  /** What it was armed for was said in the old terms. */
  private goOnFrom(shownMs: number, rate: number): void {
    this.shownMs = shownMs
    this.sinceMs = this.gate.now()
    this.rate = rate
    this.rest()
    this.goOn()
  }

  protected present(): number {
    return this.now()
  }

  protected wake(due: number): void {
    if (this.hasTurn()) this.takeTurn()
    else this.armFor(due)
  }

  protected rest(): void {
    this.timer.clear()
    this.armedFor = Number.POSITIVE_INFINITY
  }

  private armFor(due: number): void {
    if (due >= this.armedFor) return
    this.armedFor = due
    const honestMs = due - this.now()
    const worldMs = this.rate === 1 ? honestMs : Math.max(1, this.sinceMs + Math.ceil((due - this.shownMs) / this.rate) - this.gate.now())
    this.moves = worldMs !== honestMs
    this.timer.set(worldMs)
  }

  private takeTurn(): void {
    if (!this.turn.isSet) this.turn.set(0)
  }

  /** One action, so that others have their turns in between. */
  private slice(): void {
    this.runNext(this.now())
    this.goOn()
  }

  private goOn(): void {
    if (this.hasTurn() || this.nextDue() <= this.now()) this.takeTurn()
    else if (this.nextDue() < Number.POSITIVE_INFINITY) this.armFor(this.nextDue())
  }
}
