import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs'

type Work<T> = (this: SchedulerAction<T>, state?: T) => void

/**
 * A `SchedulerLike` on a binary heap, in the order of (due time, order of scheduling). What moves its
 * time is left to the subclass: a host's clock (clock.ts) or a test (`VirtualScheduler`).
 *
 * RxJS's own `VirtualTimeScheduler` sorts all it holds at every call and nests each repetition of an
 * action in the former; it serves marbles and cannot carry hours of a simulated cluster.
 *
 * @example
 * class Frames extends HeapScheduler {
 *   private frame = 0
 *   now() { return this.frame }
 *   protected present() { return this.frame }
 *   protected wake() {}
 *   protected rest() {}
 *   next() { for (this.frame++; this.runNext(this.frame); ); }
 * }
 */
export abstract class HeapScheduler implements SchedulerLike {
  private readonly heap: Placed[] = []
  /** Actions without delay, in order: they need no heap. Where one was taken back there is a gap. */
  private turns: (Placed | undefined)[] = []
  private head = 0
  /** How many were let go of before the first in `turns`. */
  private gone = 0
  private order = 0

  /** Whole milliseconds since some fixed moment; never decreases. */
  abstract now(): number
  /** The moment from which a delay counts: where `now` stands still for a while, this does not. */
  protected abstract present(): number
  /** Something was scheduled that is due at `due`, earlier than all else. */
  protected abstract wake(due: number): void
  /** Nothing with a delay is left. */
  protected abstract rest(): void

  /** Does `work` after `delay` milliseconds of this scheduler. */
  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    const action = new HeapAction<T>(this, work)
    return action.schedule(state, delay)
  }

  /** @internal */
  enqueue(action: Placed, delay: number): void {
    action.due = delay > 0 ? this.present() + Math.ceil(delay) : this.now()
    action.order = this.order++
    if (delay <= 0) {
      action.place = -1 - (this.gone + this.turns.length)
      this.turns.push(action)
      if (this.turns.length - this.head === 1) this.wake(action.due)
    } else {
      action.place = this.heap.length
      this.heap.push(action)
      this.up(action)
      if (action.place === 0) this.wake(action.due)
    }
  }

  /** @internal */
  remove(action: Placed): void {
    const { place } = action
    if (place < 0) {
      this.turns[-1 - place - this.gone] = undefined
      return
    }
    const last = this.heap.pop()!
    if (last !== action) {
      this.heap[place] = last
      last.place = place
      this.up(last)
      this.down(last)
    } else if (this.heap.length === 0) this.rest()
  }

  /** Whether an action without delay waits for its turn, which it has as soon as anything runs. */
  protected hasTurn(): boolean {
    while (this.head < this.turns.length && this.turns[this.head] === undefined) this.head++
    if (this.head === this.turns.length || this.head >= keptTurns) this.letGo()
    return this.head < this.turns.length
  }

  /** When the next action with a delay is due; Infinity if there is none. */
  protected nextDue(): number {
    return this.heap[0]?.due ?? Number.POSITIVE_INFINITY
  }

  /** Runs the next action if one is due at `now`; false if there is none. */
  protected runNext(now: number): boolean {
    const turn = this.hasTurn() ? this.turns[this.head] : undefined
    const timed = this.heap[0]
    if (timed !== undefined && timed.due <= now && (turn === undefined || sooner(timed, turn))) {
      this.remove(timed)
      timed.run()
    } else {
      if (turn === undefined) return false
      this.turns[this.head++] = undefined
      turn.run()
    }
    return true
  }

  private letGo(): void {
    if (this.head === 0) return
    this.gone += this.head
    this.turns = this.turns.slice(this.head)
    this.head = 0
  }

  private up(action: Placed): void {
    const { heap } = this
    let place = action.place
    while (place > 0) {
      const above = (place - 1) >> 1
      if (!sooner(action, heap[above]!)) break
      heap[place] = heap[above]!
      heap[place]!.place = place
      place = above
    }
    heap[place] = action
    action.place = place
  }

  private down(action: Placed): void {
    const { heap } = this
    let place = action.place
    for (;;) {
      let below = place * 2 + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && sooner(heap[below + 1]!, heap[below]!)) below++
      if (!sooner(heap[below]!, action)) break
      heap[place] = heap[below]!
      heap[place]!.place = place
      place = below
    }
    heap[place] = action
    action.place = place
  }
}

/** Turns that are over are let go of so many at a time, or when none is left. */
const keptTurns = 4_096

const sooner = (a: Placed, b: Placed): boolean => a.due < b.due || (a.due === b.due && a.order < b.order)

/** What stands in a scheduler, and where. */
interface Placed {
  due: number
  order: number
  /** In the heap, or below 0 that of a turn: see `enqueue`. */
  place: number
  run(): void
}

/** One piece of work and when it is due; it may schedule itself again from within, as RxJS's operators do. */
class HeapAction<T> extends Subscription implements SchedulerAction<T>, Placed {
  due = 0
  order = 0
  place = 0
  private state: T | undefined
  private pending = false

  constructor(
    private readonly scheduler: HeapScheduler,
    private readonly work: Work<T>,
  ) {
    super()
  }

  schedule(state?: T, delay = 0): Subscription {
    if (this.closed) return this
    if (this.pending) this.scheduler.remove(this)
    this.state = state
    this.pending = true
    this.scheduler.enqueue(this, delay)
    return this
  }

  run(): void {
    if (this.closed) return
    this.pending = false
    this.work(this.state)
    if (!this.pending) this.unsubscribe()
  }

  override unsubscribe(): void {
    if (this.closed) return
    if (this.pending) this.scheduler.remove(this)
    super.unsubscribe()
  }
}

/**
 * Virtual time: stands still until it is told to move, and then jumps from one due action to the next.
 * Everything that is given this scheduler runs in one synchronous call, in an order that never varies.
 *
 * @example
 * const scheduler = new VirtualScheduler()
 * timer(500, scheduler).subscribe(() => console.log(scheduler.now())) // 500
 * scheduler.runUntil(1_000)
 */
export class VirtualScheduler extends HeapScheduler {
  private time = 0

  now(): number {
    return this.time
  }

  protected present(): number {
    return this.time
  }

  protected wake(): void {
    // Virtual time moves only when it is told to.
  }

  protected rest(): void {
    // And it stands where it was told to stand.
  }

  /** Runs everything that is due up to and including `timeMs`, then stands there. */
  runUntil(timeMs: number): void {
    while (this.step(timeMs));
    if (this.time < timeMs) this.time = timeMs
  }

  /** Runs the next action and moves the time to when it was due; false if none is due by `timeMs`. */
  step(timeMs = Number.POSITIVE_INFINITY): boolean {
    const due = this.hasTurn() ? this.time : this.nextDue()
    if (due > timeMs || due === Number.POSITIVE_INFINITY) return false
    if (due > this.time) this.time = due
    return this.runNext(this.time)
  }
}
