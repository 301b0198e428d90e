import type { SchedulerLike } from 'rxjs'
import type { EffectOf } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { type Sink, sinkOf } from '../loop/sink.js'
import { deadline } from './deadlineInternals.js'

/**
 * Where an election timer takes its time and its chance from.
 *
 * @example
 * const timer: Sink = electionTimer({ timeoutMs: { min: 300, max: 600 }, random: Math.random, scheduler })
 */
export interface ElectionTimerOptions {
  /** Both ends included. */
  readonly timeoutMs: { readonly min: number; readonly max: number }
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly scheduler: SchedulerLike
}

/**
 * "Election timeouts are chosen randomly from a fixed interval" (§5.2): each arming draws a new one
 * and forgets the former.
 *
 *   arm        --a--a---------     timeout of 5 ms
 *   timed out  ----------t----
 *
 * @example
 * const sinks = [electionTimer({ timeoutMs: { min: 300, max: 600 }, random, scheduler })]
 */
export const electionTimer = ({ timeoutMs: { min, max }, random, scheduler }: ElectionTimerOptions): Sink =>
  sinkOf(
    ['ArmElectionTimer'],
    deadline(
      () => min + Math.floor(random() * (max - min + 1)),
      ({ generation }: EffectOf<'ArmElectionTimer'>): RaftEvent => ({ _tag: 'ElectionTimedOut', generation }),
      scheduler,
    ),
  )
