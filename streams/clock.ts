import type { SchedulerLike } from 'rxjs'
import { HeapScheduler } from './heapScheduler.js'

/**
 * The real clock: a scheduler over the host's monotonic time in whole milliseconds. (RxJS's
 * `asyncScheduler.now()` is the wall clock, which jumps.)
 *
 *  - No timer fires early: the present is rounded up when a delay is added to it.
 *  - Actions without delay run in one task, at the end of the present phase of the event loop, and so
 *    do those that they schedule in turn, for at most `maxSliceMs`; then everyone else has a turn.
 *  - A timer lets one phase of input pass before it acts: after a stall the host runs timers before
 *    sockets, and an election timeout must not win against the heartbeat that lies in a socket.
 */
class RealClock extends HeapScheduler {
  private armedFor = Number.POSITIVE_INFINITY
  private timeout: ReturnType<typeof setTimeout> | undefined
  private turnComing = false

  now(): number {
    return Math.ceil(performance.now())
  }

  protected wake(due: number): void {
    if (this.hasTurn()) this.takeTurn()
    else this.armFor(due)
  }

  private armFor(due: number): void {
    if (due >= this.armedFor) return
    clearTimeout(this.timeout)
    this.armedFor = due
    this.timeout = setTimeout(() => {
      this.armedFor = Number.POSITIVE_INFINITY
      this.takeTurn()
    }, Math.min(Math.max(0, Math.ceil(due - performance.now())), maxTimeoutMs))
  }

  private takeTurn(): void {
    if (this.turnComing) return
    this.turnComing = true
    soon(this.slice)
  }

  private readonly slice = (): void => {
    let now = performance.now()
    const endMs = now + maxSliceMs
    try {
      while (now < endMs && this.runNext(now)) now = performance.now()
    } finally {
      this.turnComing = false
      if (this.hasTurn() || this.nextDue() <= now) this.takeTurn()
      else if (this.nextDue() < Number.POSITIVE_INFINITY) this.armFor(this.nextDue())
    }
  }
}

const maxSliceMs = 4
const maxTimeoutMs = 2 ** 31 - 1

/** A task after the input that is already there: `setImmediate` in Node, a message to oneself in a browser. */
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

/** Monotonic, in whole milliseconds; the default of every `scheduler` option. */
export const realClock: SchedulerLike = new RealClock()
