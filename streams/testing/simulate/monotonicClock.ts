import { HeapScheduler } from '../../time/heapScheduler.js'
import type { Alarm } from './alarm.js'
import type { Gate } from './gate.js'

/**
 * The monotonic clock of one machine. It begins at a random time and may run fast or slow, so that the times of two
 * servers say nothing about each other. A deadline is a time of this clock, as in a kernel: it stays the same when
 * the rate changes, and simulated time reaches it sooner or later. So each action runs when its time has come, and
 * needs to know nothing of rates. What depends on no clock, such as how long a disk takes, is timed by the gate.
 */
export class MonotonicClock extends HeapScheduler {
  private rate = 1
  /** It showed `shownMs` when `gate` showed `sinceMs`, and runs at `rate` from there. */
  private shownMs = 0
  private sinceMs = 0
  private armedFor = Number.POSITIVE_INFINITY
  private readonly timer: Alarm
  private readonly turn: Alarm
  /** Whether it rings at another time than with rate 1. */
  private moves = false
  /** How many actions ran at another time than with rate 1. */
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

  /** A process begins, and its clock shows this time. */
  restart(shownMs: number): void {
    this.goOnFrom(shownMs, this.rate)
  }

  /** From now on; the time that it shows now does not change. */
  setRate(rate: number): void {
    this.goOnFrom(this.now(), rate)
  }

  /** Arms the timer again: it was armed with the old rate. */
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
    const rightMs = due - this.now()
    const simulatedMs =
      this.rate === 1 ? rightMs : Math.max(1, this.sinceMs + Math.ceil((due - this.shownMs) / this.rate) - this.gate.now())
    this.moves = simulatedMs !== rightMs
    this.timer.set(simulatedMs)
  }

  private takeTurn(): void {
    if (!this.turn.isSet) this.turn.set(0)
  }

  /** Runs one action, so that other processes have their turns in between. */
  private slice(): void {
    this.runNext(this.now())
    this.goOn()
  }

  private goOn(): void {
    if (this.hasTurn() || this.nextDue() <= this.now()) this.takeTurn()
    else if (this.nextDue() < Number.POSITIVE_INFINITY) this.armFor(this.nextDue())
  }
}
