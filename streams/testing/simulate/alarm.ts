import type { HeapScheduler } from '../../time/heapScheduler.js'

/**
 * A timer that is used again and again: one object, where `schedule` makes one for each time.
 * It is set for one time at most: setting it again clears the former time.
 */
export class Alarm {
  due = 0
  order = 0
  place = 0
  private pending = false

  constructor(
    private readonly scheduler: HeapScheduler,
    private readonly ring: () => void,
  ) {}

  get isSet(): boolean {
    return this.pending
  }

  /** Rings after `delayMs`; 0: in the next turn. */
  set(delayMs: number): void {
    this.clear()
    this.pending = true
    this.scheduler.enqueue(this, delayMs)
  }

  clear(): void {
    if (this.pending) this.scheduler.remove(this)
    this.pending = false
  }

  run(): void {
    this.pending = false
    this.ring()
  }
}
