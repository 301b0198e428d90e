import { Observable, type SchedulerLike, type Subscription } from 'rxjs'

/**
 * Long work, cut where `work` yields: each slice in a turn of its own, so that others have theirs between. Emits what
 * it returns. Unsubscribing leaves the rest undone.
 *
 *   turns  --s--s--s--
 *   result --------(r|)
 */
export const inSlices = <T>(scheduler: SchedulerLike, work: () => Generator<unknown, T>): Observable<T> =>
  new Observable((subscriber) => {
    const slices = work()
    let turn: Subscription | undefined
    const slice = (): void => {
      let did: IteratorResult<unknown, T>
      try {
        did = slices.next()
      } catch (error) {
        return subscriber.error(error)
      }
      if (did.done !== true) return schedule()
      subscriber.next(did.value)
      subscriber.complete()
    }
    const schedule = (): void => {
      turn = scheduler.schedule(slice)
    }
    subscriber.add(() => turn?.unsubscribe())
    schedule()
  })
