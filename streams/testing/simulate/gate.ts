import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs'
import type { HeapScheduler } from '../../time/heapScheduler.js'
import { Alarm } from './alarm.js'

type Work<T> = (this: SchedulerAction<T>, state?: T) => void

/**
 * The time of one process: that of the world, until it is stopped (SIGSTOP, a stall of its event loop). What falls due meanwhile
 * happens when it goes on, in its order. Its clock (`MonotonicClock`) does not stand still: nor does CLOCK_MONOTONIC.
 */
export class Gate implements SchedulerLike {
  private stoppedUntil = 0
  /** Actions that were kept waiting so far. */
  postponed = 0

  constructor(private readonly world: HeapScheduler) {}

  now(): number {
    return this.world.now()
  }

  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- within the work `this` is the action
    const gate = this
    return this.world.schedule(
      function (this: SchedulerAction<T>, now?: T) {
        const leftMs = gate.stoppedUntil - gate.world.now()
        if (leftMs <= 0) return work.call(this, now)
        gate.postponed++
        this.schedule(now, leftMs)
      },
      delay,
      state,
    )
  }

  /** What rings again and again, and waits as actions do while the process is stopped. */
  alarm(ring: () => void): Alarm {
    const alarm = new Alarm(this.world, () => {
      const leftMs = this.stoppedUntil - this.world.now()
      if (leftMs <= 0) return ring()
      this.postponed++
      alarm.set(leftMs)
    })
    return alarm
  }

  get isStopped(): boolean {
    return this.stoppedUntil > this.world.now()
  }

  stopUntil(timeMs: number): void {
    this.stoppedUntil = timeMs
  }
}
