import type { SchedulerLike } from 'rxjs'
import type { EffectOf } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { type Sink, sinkOf } from '../loop/sink.js'
import { deadline } from './deadlineInternals.js'

/**
 * The leader's rhythm (§5.2): due once, `heartbeatMs` after it was armed last. The rules arm it again, also
 * when something else has reached every follower.
 *
 *   arm  --a------a-----      heartbeat of 4 ms
 *   due  ------h------h-
 *
 * @example
 * const beat: Sink = heartbeat({ heartbeatMs: 100, scheduler })
 */
export const heartbeat = ({ heartbeatMs, scheduler }: { readonly heartbeatMs: number; readonly scheduler: SchedulerLike }): Sink =>
  sinkOf(
    ['ArmHeartbeat'],
    deadline(
      () => heartbeatMs,
      ({ generation }: EffectOf<'ArmHeartbeat'>): RaftEvent => ({ _tag: 'HeartbeatDue', generation }),
      scheduler,
    ),
  )
