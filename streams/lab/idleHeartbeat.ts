import { filter, Observable, type SchedulerLike, type Subscription } from 'rxjs'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Sink } from '../sink.js'

export interface IdleHeartbeatOptions {
  readonly heartbeatMs: number
  /** When the peer that was not sent to for the longest time was sent to. */
  readonly quietSinceMs: () => number
  readonly scheduler: SchedulerLike
}

/**
 * "Send initial empty AppendEntries RPCs (heartbeat) to each server; repeat during idle periods" (§5.2),
 * and only during these: whatever every peer was sent counts as a heartbeat, which is put off by it.
 *
 *   arm   --a-----------a------     heartbeat of 6 ms
 *   sent  --s----s------s------     to every peer
 *   due   -------------h------h     6 ms after the last
 */
export const idleHeartbeat =
  ({ heartbeatMs, quietSinceMs, scheduler }: IdleHeartbeatOptions): Sink =>
  (effect$) =>
    new Observable<RaftEvent>((subscriber) => {
      let pending: Subscription | undefined
      const arm = (generation: number, delayMs: number): void => {
        pending?.unsubscribe()
        pending = scheduler.schedule(() => wake(generation), Math.max(1, delayMs))
      }
      const wake = (generation: number): void => {
        pending = undefined
        const leftMs = quietSinceMs() + heartbeatMs - scheduler.now()
        if (leftMs > 0) arm(generation, leftMs)
        else subscriber.next({ _tag: 'HeartbeatDue', generation })
      }
      subscriber.add(() => pending?.unsubscribe())
      subscriber.add(
        effect$
          .pipe(filter((effect) => effect._tag === 'ArmHeartbeat'))
          .subscribe({ next: ({ generation }) => arm(generation, heartbeatMs), error: (error: unknown) => subscriber.error(error) }),
      )
    })
