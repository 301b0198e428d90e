import { Observable, type OperatorFunction, type SchedulerLike } from 'rxjs'
import { defaultClock } from '../../streams/server/options.js'
import type { Rejected } from '../../streams/network/network.js'
import { count, duration } from './format.js'

/** What of a refusal is told. */
export type Refusal = Pick<Rejected, 'from' | 'kind' | 'reason'>

export interface RefusalsOptions {
  /** So many are told one by one in an interval; of the rest only how many there were of each kind. Default 10. */
  readonly maxLines?: number
  /** How long an interval is; it begins with the first refusal. Default 10,000. */
  readonly everyMs?: number
  readonly scheduler?: SchedulerLike
}

/**
 * Refusals as texts, few however many there are: somebody who knocks a thousand times a second, from another port each
 * time, must not fill a disk with lines. What is still to be told is told when the source completes.
 *
 *   refused   -abcd-----e---|     2 lines in 8 ms
 *   texts     -ab-------(me)|     m: 2 more
 */
export const refusals =
  ({ maxLines = 10, everyMs = 10_000, scheduler = defaultClock }: RefusalsOptions = {}): OperatorFunction<Refusal, string> =>
  (refusal$) =>
    new Observable((subscriber) => {
      let told = 0
      const more = new Map<string, number>()
      const tellMore = (): void => {
        told = 0
        if (more.size === 0) return
        const text = `refused ${count(sum(more.values()))} more within ${duration(everyMs)}: ${kindsIn(more)}`
        more.clear()
        subscriber.next(text)
      }
      subscriber.add(
        refusal$.subscribe({
          next: ({ from, kind, reason }) => {
            if (told === 0) subscriber.add(scheduler.schedule(tellMore, everyMs))
            if (told === maxLines) more.set(kind, (more.get(kind) ?? 0) + 1)
            else {
              told++
              subscriber.next(`refused ${from ?? 'a stranger'}: ${reason}`)
            }
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            tellMore()
            subscriber.complete()
          },
        }),
      )
    })

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, n) => total + n, 0)

/** The most frequent first: `4,560 of kind handshake, 1 of kind frame`. */
const kindsIn = (more: ReadonlyMap<string, number>): string =>
  [...more]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, n]) => `${count(n)} of kind ${kind}`)
    .join(', ')
