import { type OperatorFunction, type SchedulerLike, Observable, type Subscription } from 'rxjs'

/**
 * The body of both timers: each value arms it anew, for `delayMs()` from then on, and what it holds
 * when the time has come is emitted. One action is pending at most; arming later than it is due only
 * moves the deadline, so that a timer which is armed with every heartbeat costs nothing.
 */
export const deadline = <A, B>(delayMs: () => number, fire: (armed: A) => B, scheduler: SchedulerLike): OperatorFunction<A, B> => (arm$) =>
  new Observable<B>((subscriber) => {
    let armed: { readonly value: A } | null = null
    let deadlineMs = 0
    let pending: Subscription | undefined
    let pendingDueMs = 0

    const wakeAt = (dueMs: number): void => {
      pending?.unsubscribe()
      pendingDueMs = dueMs
      pending = scheduler.schedule(() => {
        pending = undefined
        if (armed === null) return
        if (scheduler.now() < deadlineMs) return wakeAt(deadlineMs)
        const { value } = armed
        armed = null
        subscriber.next(fire(value))
      }, dueMs - scheduler.now())
    }

    subscriber.add(() => pending?.unsubscribe())
    arm$.subscribe({
      next: (value) => {
        armed = { value }
        deadlineMs = scheduler.now() + delayMs()
        if (pending === undefined || pendingDueMs > deadlineMs) wakeAt(deadlineMs)
      },
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    })
  })
