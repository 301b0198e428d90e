import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs'
import type { HeapScheduler } from '../../time/heapScheduler.js'
import { Alarm } from './alarm.js'

type Work<T> = (this: SchedulerAction<T>, state?: T) => void

/**
 * The time in which one process runs: simulated time, with stops (SIGSTOP, a stall of its event loop). Actions that
 * fall due while the process is stopped run when it goes on, in their order. The clock of the process
 * (`MonotonicClock`) does not stop, as CLOCK_MONOTONIC does not.
 */
export class Gate implements SchedulerLike {
  private stoppedUntil = 0
  /** Actions that were kept waiting so far. */
  postponed = 0

  constructor(private readonly scheduler: HeapScheduler) {}

  now(): number {
    return this.scheduler.now()
  }

  schedule<T>(work: Work<T>, delay = 0, state?: T): Subscription {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- within the work `this` is the action
    const gate = this
    return this.scheduler.schedule(
      function (this: SchedulerAction<T>, now?: T) {
        const leftMs = gate.stoppedUntil - gate.scheduler.now()
        if (leftMs <= 0) return work.call(this, now)
        gate.postponed++
        this.schedule(now, leftMs)
      },
      delay,
      state,
    )
  }

  /** An alarm, which waits as actions do while the process is stopped. */
  alarm(ring: () => void): Alarm {
    const alarm = new Alarm(this.scheduler, () => {
      const leftMs = this.stoppedUntil - this.scheduler.now()
      if (leftMs <= 0) return ring()
      this.postponed++
      alarm.set(leftMs)
    })
    return alarm
  }

  get isStopped(): boolean {
    return this.stoppedUntil > this.scheduler.now()
  }

  stopUntil(timeMs: number): void {
    this.stoppedUntil = timeMs
  }
}
