import { filter, Observable, type SchedulerLike, type Subscription } from 'rxjs'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Sink } from '../loop/sink.js'

export interface FlushOptions {
  /** Whether something waits to be sent that is more than the news of a commit. */
  readonly urgent: () => boolean
  /** How long the news of a commit waits for something to ride with. */
  readonly commitNoticeMs: number
  readonly scheduler: SchedulerLike
}

/**
 * Ends each turn of the scheduler in which something gathered that is to be sent. What was proposed
 * leaves at once, and with it what was committed; a commit alone waits a little for the next proposal.
 *
 *   scheduled  --(ppp)--c-------c-p----     p: proposals, c: a commit; it waits for 4 ms
 *   Flush      --f----------f-----f----
 */
export const flushing =
  ({ urgent, commitNoticeMs, scheduler }: FlushOptions): Sink =>
  (effect$) =>
    new Observable<RaftEvent>((subscriber) => {
      let turn: Subscription | undefined
      let later: Subscription | undefined
      const flush = (): void => {
        turn = undefined
        if (!urgent()) return void (later ??= scheduler.schedule(flushNow, commitNoticeMs))
        flushNow()
      }
      const flushNow = (): void => {
        later?.unsubscribe()
        later = undefined
        subscriber.next({ _tag: 'Flush' })
      }
      subscriber.add(() => {
        turn?.unsubscribe()
        later?.unsubscribe()
      })
      subscriber.add(
        effect$
          .pipe(filter((effect) => effect._tag === 'ScheduleFlush'))
          .subscribe({ next: () => void (turn ??= scheduler.schedule(flush)), error: (error: unknown) => subscriber.error(error) }),
      )
    })
