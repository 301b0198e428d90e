import { type OperatorFunction, type SchedulerLike, Observable, type Subscription } from 'rxjs'

/**
 * The body of both timers: each value arms it anew, for `delayMs()` from then on, and what it holds
 * when the time has come is emitted. One action is pending at most; arming later than it is due only
 * moves the deadline, so that a timer which is armed with every heartbeat costs nothing.
 */
export const deadline =
  <A, B>(delayMs: () => number, fire: (armed: A) => B, scheduler: SchedulerLike): OperatorFunction<A, B> =>
  (arm$) =>
    new Observable<B>((subscriber) => {
      let armed: { readonly value: A } | null = null
      let deadlineMs = 0
      let pending: Subscription | undefined
      let pendingDueMs = 0

      const wakeAt = (dueMs: number): void => {
        pending?.unsubscribe()
        pendingDueMs = dueMs
        // A clock in whole milliseconds rounds up: by it the time may have come when it has not.
        pending = scheduler.schedule(wake, Math.max(1, dueMs - scheduler.now()))
      }

      const wake = (): void => {
        pending = undefined
        if (armed === null) return
        if (pendingDueMs < deadlineMs) return wakeAt(deadlineMs)
        const { value } = armed
        armed = null
        subscriber.next(fire(value))
      }

      subscriber.add(() => pending?.unsubscribe())
      subscriber.add(
        arm$.subscribe({
          next: (value) => {
            armed = { value }
            try {
              deadlineMs = scheduler.now() + delayMs()
            } catch (error) {
              return subscriber.error(error) // the dice are the user's
            }
            if (pending === undefined || pendingDueMs > deadlineMs) wakeAt(deadlineMs)
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      )
    })
