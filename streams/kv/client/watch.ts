import { from, Observable, Subscription, timer } from 'rxjs'
import { nextRevision, type Revision } from '../../../src/kv/ids.js'
import type { Key } from '../../../src/kv/key.js'
import type { WatchMessage } from '../transport.js'
import type { ClientOptions, ClientTuning } from './options.js'
import { WatchError } from '../server/watch.js'
import { ServerChoice } from './serverChoice.js'

const isCompacted = (error: unknown): boolean => error instanceof WatchError && error.reason._tag === 'Compacted'

/**
 * Watches one server after another as if they were one. Each message says from which revision to resume, so that
 * nothing is told twice and nothing is missed. Fails only where that revision was compacted away.
 */
export const resuming = (options: ClientOptions & ClientTuning, prefix: Key, fromRevision: Revision): Observable<WatchMessage> =>
  new Observable((subscriber) => {
    const { transport, scheduler, watchIdleMs } = options
    // Any server will do; the first is drawn, so that watches spread over all.
    const first = Math.floor(options.random() * options.endpoints.length)
    const choice = new ServerChoice([...options.endpoints.slice(first), ...options.endpoints.slice(0, first)], options)
    let next = fromRevision

    const connect = (): void => {
      const endpoint = choice.target
      const connection = new Subscription()
      let idle: Subscription | undefined
      const resume = (): void => {
        connection.unsubscribe()
        subscriber.add(timer(choice.failed(endpoint), scheduler).subscribe(connect))
      }
      const notIdle = (): void => {
        idle?.unsubscribe()
        idle = timer(watchIdleMs, scheduler).subscribe(resume)
      }
      subscriber.add(connection)
      connection.add(() => idle?.unsubscribe())
      notIdle()
      connection.add(
        from(transport.watch(endpoint, prefix, next)).subscribe({
          next: (message) => {
            choice.answered()
            notIdle()
            if (message.revision < next) return
            next = nextRevision(message.revision)
            if (message.events.length > 0) subscriber.next(message)
          },
          error: (error: unknown) => (isCompacted(error) ? subscriber.error(error) : resume()),
          complete: resume,
        }),
      )
    }
    connect()
  })
