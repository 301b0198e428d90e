import { Observable, type SchedulerAction, type SchedulerLike, type Subscription } from 'rxjs'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Server } from '../../src/raft/state/server.js'
import { type Sink, sinkOf } from '../loop/sink.js'

/**
 * The options of `flush`.
 *
 * @example
 * const sink = flush({ scheduler, commitNoticeMs: 10 })
 */
export interface FlushOptions {
  readonly scheduler: SchedulerLike
  /** How long the news of a commit waits for something to ride with, in milliseconds. Default 0: it leaves at once. */
  readonly commitNoticeMs?: number
}

/**
 * Ends a turn of the scheduler in which something gathered that is to be sent, when all others had theirs: so a burst
 * of proposals becomes one message for each follower. A commit alone may wait a little for the next proposal.
 *
 *   scheduled  --(ppp)--c-------c-p----     p: proposals, c: a commit; it waits for 4 ms
 *   Flush      --f----------f-----f----
 *
 * @example
 * const sinks = [heartbeat({ heartbeatMs: 100, scheduler }), flush({ scheduler })]
 */
export const flush = ({ scheduler, commitNoticeMs = 0 }: FlushOptions): Sink =>
  sinkOf(
    ['ScheduleFlush'],
    (effect$, state$) =>
      new Observable<RaftEvent>((subscriber) => {
        let server: Server | null = null
        let turn: Subscription | undefined
        let later: Subscription | undefined
        const flushNow = (): void => {
          later?.unsubscribe()
          later = undefined
          subscriber.next({ _tag: 'Flush' })
        }
        // One turn later: a command that is proposed on the news of a commit then leaves in one message with that
        // commit.
        function letOthersAct(this: SchedulerAction<boolean>, othersActed = false): void {
          if (othersActed) endTurn()
          else this.schedule(true)
        }
        const endTurn = (): void => {
          turn = undefined
          if (commitNoticeMs === 0 || (server !== null && hasToSend(server))) flushNow()
          else later ??= scheduler.schedule(flushNow, commitNoticeMs)
        }
        subscriber.add(() => {
          turn?.unsubscribe()
          later?.unsubscribe()
        })
        if (commitNoticeMs > 0) subscriber.add(state$.subscribe((now) => (server = now)))
        subscriber.add(
          effect$.subscribe({
            next: () => void (turn ??= scheduler.schedule(letOthersAct)),
            error: (error: unknown) => subscriber.error(error),
          }),
        )
      }),
  )

/** Whether a leader can send something that is more than the news of a commit. */
const hasToSend = ({ role, log }: Server): boolean =>
  role._tag === 'Leader' &&
  role.followers.some(({ flow, inflight, nextIndex }) => (flow === 'Probe' ? inflight.length === 0 : nextIndex <= log.lastIndex))
