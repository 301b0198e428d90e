import type { SchedulerLike } from 'rxjs'
import { check, fn } from '../options/checks.js'
import { HeapScheduler } from './heapScheduler.js'

/**
 * What a clock needs of the program that it runs in.
 *
 * @example
 * const tasks: (() => void)[] = []
 * const byHand: ClockHost = { now: () => 0, startTimer: () => () => undefined, soon: (task) => void tasks.push(task) }
 * createClock(byHand).schedule(() => console.log('done'))
 * tasks.shift()?.() // done
 */
export interface ClockHost {
  /** Monotonic milliseconds, with their fractions. */
  now(): number
  /** Runs `task` in `delayMs` or later; gives what takes it back. */
  startTimer(task: () => void, delayMs: number): () => void
  /** Runs `task` soon, but not before the input that is already there. */
  soon(task: () => void): void
}

/**
 * The real clock: a scheduler over the host's monotonic time in whole milliseconds. (RxJS's
 * `asyncScheduler.now()` is the wall clock, which jumps.)
 *
 *  - No timer fires early: the present is rounded up when a delay is added to it.
 *  - Actions without delay run in one task, at the end of the present phase of the event loop, and so
 *    do those that they schedule in turn, for at most `maxSliceMs`; then everyone else has a turn.
 *  - Time stands still while an action runs: what happens in it happens at once, and reading a clock costs as much as a
 *    small step.
 *  - A timer lets one phase of input pass before it acts: after a stall the host runs timers before
 *    sockets, and an election timeout must not win against the heartbeat that lies in a socket.
 */
class Clock extends HeapScheduler {
  private armedFor = Number.POSITIVE_INFINITY
  private disarm: () => void = () => undefined
  private turnComing = false
  /** While an action runs, when it began. */
  private actingAt: number | null = null
  /** Timers due until then may act: what came in before that will have had its phase by the next slice. */
  private timersUpTo = Number.NEGATIVE_INFINITY

  constructor(private readonly host: ClockHost) {
    super()
  }

  now(): number {
    return Math.ceil(this.actingAt ?? this.host.now())
  }

  protected present(): number {
    return Math.ceil(this.host.now())
  }

  protected wake(due: number): void {
    if (this.hasTurn()) this.takeTurn()
    else this.armFor(due)
  }

  /** A timer that nobody waits for keeps no process alive. */
  protected rest(): void {
    this.disarm()
    this.armedFor = Number.POSITIVE_INFINITY
  }

  private armFor(due: number): void {
    if (due >= this.armedFor) return
    this.disarm()
    this.armedFor = due
    this.disarm = this.host.startTimer(
      () => {
        this.armedFor = Number.POSITIVE_INFINITY
        this.letTimersAct()
      },
      Math.min(Math.max(0, Math.ceil(due - this.host.now())), maxTimeoutMs),
    )
  }

  private letTimersAct(): void {
    this.timersUpTo = this.host.now()
    this.takeTurn()
  }

  private takeTurn(): void {
    if (this.turnComing) return
    this.turnComing = true
    this.host.soon(this.slice)
  }

  private readonly slice = (): void => {
    let now = this.host.now()
    const endMs = now + maxSliceMs
    const { timersUpTo } = this
    try {
      for (this.actingAt = now; now < endMs && this.runNext(timersUpTo); this.actingAt = now) now = this.host.now()
    } finally {
      this.actingAt = null
      this.turnComing = false
      if (this.hasTurn() || this.nextDue() <= now) this.letTimersAct()
      else if (this.nextDue() < Number.POSITIVE_INFINITY) this.armFor(this.nextDue())
    }
  }
}

const maxSliceMs = 4
const maxTimeoutMs = 2 ** 31 - 1

/**
 * A clock of another host, such as an event loop that a test turns by hand. Throws `InvalidOption`.
 *
 * @example
 * const now = () => performance.now()
 * const startTimer = (task: () => void, delayMs: number) => {
 *   const timeout = setTimeout(task, delayMs)
 *   return () => clearTimeout(timeout)
 * }
 * const clock = createClock({ now, startTimer, soon: (task) => void setImmediate(task) })
 */
export const createClock = (host: ClockHost): SchedulerLike => {
  check(host, { now: fn, startTimer: fn, soon: fn })
  return new Clock(host)
}

/** `setImmediate` in Node, a message to oneself in a browser. */
const soon: (task: () => void) => void = (() => {
  if (typeof setImmediate === 'function') return (task: () => void) => void setImmediate(task)
  const tasks: (() => void)[] = []
  const channel = new MessageChannel() as unknown as BrowserChannel
  channel.port1.onmessage = () => tasks.shift()?.()
  return (task: () => void) => {
    tasks.push(task)
    channel.port2.postMessage(null)
  }
})()

/** What the type of Node's own does not know of the browser's. */
interface BrowserChannel {
  readonly port1: { onmessage: (() => void) | null }
  readonly port2: { postMessage(message: null): void }
}

/**
 * Monotonic, in whole milliseconds; the default of every `scheduler` option.
 *
 * @example
 * timer(100, realClock).subscribe(() => console.log('100 ms later'))
 */
export const realClock: SchedulerLike = createClock({
  now: () => performance.now(),
  startTimer: (task, delayMs) => {
    const timeout = setTimeout(task, delayMs)
    return () => clearTimeout(timeout)
  },
  soon,
})
