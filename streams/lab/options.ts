import type { SchedulerLike } from 'rxjs'
import { checkedStep } from '../../src/raft/invariants.js'
import { check, fn, having, scheduler, span, whole } from '../options/checks.js'
import { withDefaults } from '../options/given.js'
import { InvalidOption } from '../options/invalidOption.js'
import { defaultClock } from '../server/options.js'
import { type Codec, json } from '../wire/codec.js'

/**
 * The options of `make`. `C` is what is offered to `start`.
 *
 * @example
 * import { utf8 } from 'rxraft'
 * import { checkedStep } from 'rxraft/core'
 *
 * // C is string.
 * const options: LabOptions<string> = {
 *   codec: utf8, scheduler, random, step: checkedStep,
 *   heartbeatMs: 100, electionTimeoutMs: { min: 500, max: 900 }, commitNoticeMs: 0,
 * }
 */
export interface LabOptions<C = unknown> {
  /** Default: the real clock. */
  readonly scheduler?: SchedulerLike
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number
  /** The same on every server. Default: JSON. */
  readonly codec?: Codec<C>
  /** Quiet time after which a leader sends a heartbeat. Default 120: at most ten a second, as the lab asks. */
  readonly heartbeatMs?: number
  /**
   * Both ends included. Default 400 to 800: a few heartbeats, and an election that fails leaves time for others within
   * 5 s.
   */
  readonly electionTimeoutMs?: { readonly min: number; readonly max: number }
  /**
   * How long the news of a commit waits for a command to ride with. Default 10: half of what the lab's tests wait
   * between two looks.
   */
  readonly commitNoticeMs?: number
  /** What decides. Default `checkedStep`; a test may put a mistaken one in its place, to see that it is found. */
  readonly step?: typeof checkedStep
}

/** The options with their defaults, checked. Throws `InvalidOption`. */
export const tunedLab = <C>(options: LabOptions<C>): Required<LabOptions<C>> => {
  const tuned = withDefaults(defaults<C>(), options)
  check<LabOptions<C>>(tuned, {
    scheduler,
    random: fn,
    codec: having('encode', 'decode'),
    heartbeatMs: whole(),
    electionTimeoutMs: span(),
    commitNoticeMs: whole(0),
    step: fn,
  })
  if (tuned.heartbeatMs >= tuned.electionTimeoutMs.min)
    throw new InvalidOption('heartbeatMs', `must be below electionTimeoutMs.min (${tuned.electionTimeoutMs.min})`)
  return tuned
}

const defaults = <C>() => ({
  scheduler: defaultClock,
  random: Math.random,
  codec: json<C>(),
  heartbeatMs: 120,
  electionTimeoutMs: { min: 400, max: 800 },
  commitNoticeMs: 10,
  step: checkedStep,
})
