import { Observable, type SchedulerLike, type Subscription } from 'rxjs'
import { ClientError, type Outcome } from './outcome.js'

/**
 * How far a load has come.
 *
 * @example
 * const entries = [{ key: 'a', value: '1' }, { key: 'b', value: '2' }]
 * client.load(entries).subscribe(({ done, retries }: LoadProgress) => console.log(`${done} put, ${retries} retries`))
 */
export interface LoadProgress {
  readonly done: number
  /** Attempts after the first, of all operations of this client since the load began: what it took to get here. */
  readonly retries: number
}

export interface LoadWork<T> {
  readonly entries: Iterable<T> | AsyncIterable<T>
  readonly maxInFlight: number
  /** Puts one; it is not called again before there is room. */
  readonly put: (entry: T) => Observable<Outcome>
  readonly retries: () => number
  readonly scheduler: SchedulerLike
}

/**
 * Takes entries as fast as they are put, never more than `maxInFlight` ahead, so that a source of any length needs no
 * memory. Tells its progress once a turn, and completes when all is put; fails with a `ClientError` at the first entry
 * that is not.
 *
 *   entries    abcde|            maxInFlight 2
 *   put        (ab)-(cd)-e
 *   progress   -----2----4-5|
 */
export const load = <T>({ entries, maxInFlight, put, retries, scheduler }: LoadWork<T>): Observable<LoadProgress> =>
  new Observable((subscriber) => {
    const before = retries()
    const iterator = Symbol.iterator in entries ? entries[Symbol.iterator]() : entries[Symbol.asyncIterator]()
    let inFlight = 0
    let done = 0
    let isWaiting = false
    let isExhausted = false
    let turn: Subscription | undefined

    const tell = (): void => {
      turn = undefined
      subscriber.next({ done, retries: retries() - before })
      if (isExhausted && inFlight === 0) subscriber.complete()
    }
    const begin = (next: IteratorResult<T>): void => {
      isExhausted = next.done === true
      if (next.done === true) return void (turn ??= scheduler.schedule(tell))
      inFlight++
      // Not added to the subscriber: what is under way cannot be called back, and a thousand teardowns would have to be
      // searched.
      put(next.value).subscribe((outcome) => {
        if (subscriber.closed) return
        if (outcome._tag !== 'Done') return subscriber.error(new ClientError(outcome))
        inFlight--
        done++
        turn ??= scheduler.schedule(tell)
        pull()
      })
    }
    const pull = (): void => {
      while (!isExhausted && !isWaiting && inFlight < maxInFlight && !subscriber.closed) {
        const next = iterator.next()
        if (!('then' in next)) begin(next)
        else {
          isWaiting = true
          next.then(
            (arrived) => {
              isWaiting = false
              begin(arrived)
              pull()
            },
            (error: unknown) => subscriber.error(error),
          )
        }
      }
    }

    subscriber.add(() => turn?.unsubscribe())
    subscriber.add(() => void iterator.return?.())
    pull()
  })
