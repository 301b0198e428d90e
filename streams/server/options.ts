import type { SchedulerLike } from 'rxjs'
import type { checkedStep } from '../../src/raft/invariants.js'
import { defaultSettings, type Settings } from '../../src/raft/settings.js'
import type { StateMachine } from '../sinks/stateMachine.js'
import type { SnapshotOptions } from '../sinks/snapshotPolicy.js'
import { check, flag, fn, having, optional, record, scheduler as isScheduler, whole } from '../options/checks.js'
import { InvalidOption } from '../options/invalidOption.js'
import { realClock } from '../time/clock.js'
import { maxEntriesPerMessage as maxEntriesPerFrame } from '../wire/message.js'
import type { Codec } from '../wire/codec.js'
import type { Network } from '../network/network.js'
import type { Storage } from '../storage/storage.js'

/**
 * The bounds and rhythms of a server, each with its default; see the docs page on options for what happens at each
 * bound.
 *
 * @example
 * createRaft({
 *   id: 'n1', network, storage,
 *   heartbeatMs: 50, electionTimeoutMs: { min: 200, max: 400 },
 *   maxProposals: 10_000, maxCommandBytes: 1 << 20, maxWaitingSends: 1_024,
 *   maxEffectsPerTurn: 512, maxAppliesPerTurn: 1_024, metricsMs: 5_000,
 * })
 */
export interface Tuning extends Settings {
  /**
   * A leader sends each follower something at least this often: a heartbeat where it has nothing else to send (§5.2).
   * Default 100.
   */
  readonly heartbeatMs: number
  /** Election timeouts are drawn from here, both ends included (§5.2). Default 300 to 600. The same on every server. */
  readonly electionTimeoutMs: { readonly min: number; readonly max: number }
  /** Proposals that have not ended; one more is `Overloaded`. */
  readonly maxProposals: number
  /** The longest command; a longer one is `Overloaded`. */
  readonly maxCommandBytes: number
  /** Messages that wait for the disk; beyond it the oldest is lost. */
  readonly maxWaitingSends: number
  /** Effects performed without letting others have a turn. */
  readonly maxEffectsPerTurn: number
  /** Commands handed to the state machine without letting others have a turn. */
  readonly maxAppliesPerTurn: number
  /** Between two values of `metrics$`. */
  readonly metricsMs: number
}

/**
 * Every option of `Tuning` as it is when it is left out.
 *
 * @example
 * console.log(defaultTuning.electionTimeoutMs) // { min: 300, max: 600 }
 */
export const defaultTuning: Tuning = {
  ...defaultSettings,
  heartbeatMs: 100,
  electionTimeoutMs: { min: 300, max: 600 },
  maxProposals: 1 << 16,
  maxCommandBytes: 4 << 20,
  maxWaitingSends: 4_096,
  maxEffectsPerTurn: 1_024,
  maxAppliesPerTurn: 4_096,
  metricsMs: 1_000,
}

/**
 * The options of `createRaft`. `C` is what is proposed, `R` what the state machine answers.
 *
 * @example
 * // C is string, R is number.
 * const stateMachine: StateMachine<string, number> = (apply$) =>
 *   apply$.pipe(map(({ index, command }) => ({ index, result: command.length })))
 * createRaft({ id: 'n1', network, storage, codec: utf8, stateMachine, snapshots: { everyEntries: 10_000 }, scheduler, random })
 */
export interface RaftOptions<C = Uint8Array, R = unknown> extends Partial<Tuning> {
  /** This server: `[a-z0-9][a-z0-9._-]{0,63}`, a voter of the cluster that `storage` was made for. */
  readonly id: string
  readonly network: Network
  readonly storage: Storage
  /** Default: a machine without state, which answers `undefined`. */
  readonly stateMachine?: StateMachine<C, R>
  /**
   * When the log is compacted and what replaces it (§7). Default: never by itself; the log grows up to `maxLogBytes`.
   */
  readonly snapshots?: SnapshotOptions
  /** Default: commands are `Uint8Array`s. */
  readonly codec?: Codec<C>
  /** Default: the real clock. With a `VirtualScheduler` everything happens when it is told to. */
  readonly scheduler?: SchedulerLike
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number
  /**
   * It decides. Default `checkedStep`. `immerStep` (rxraft/testing) runs the same rules on immer drafts; a test may put
   * a mistaken one in its place, to see that it is found.
   *
   * @example
   * import { immerStep } from 'rxraft/testing'
   *
   * createRaft({ id: 'n1', network, storage, step: immerStep })
   */
  readonly step?: typeof checkedStep
}

/**
 * The options with their defaults, checked. Throws `InvalidOption`.
 *
 * @example
 * tuned({ heartbeatMs: 50 }).maxProposals // 65,536: the others have their defaults
 */
export const tuned = (options: Partial<Tuning>): Tuning => {
  const given = Object.fromEntries(Object.entries(options).filter(([key, value]) => key in defaultTuning && value !== undefined))
  const tuning: Tuning = { ...defaultTuning, ...given }
  for (const [name, value] of Object.entries<unknown>({ ...tuning })) {
    const kind = typeof defaultTuning[name as keyof Tuning]
    if (kind === 'number') whole()(name, value)
    if (kind === 'boolean') flag(name, value)
  }
  const { heartbeatMs, electionTimeoutMs, maxCommandBytes } = tuning
  const { min, max } = electionTimeoutMs ?? {}
  const areWhole = Number.isSafeInteger(min) && Number.isSafeInteger(max)
  if (!areWhole || min > max) throw new InvalidOption('electionTimeoutMs', `must be whole numbers with min ≤ max, not ${min} and ${max}`)
  if (heartbeatMs >= min)
    throw new InvalidOption('heartbeatMs', `must be below electionTimeoutMs.min (${min}), or every heartbeat comes too late (§5.6)`)
  for (const limit of ['maxUncommittedBytes', 'maxLogBytes'] as const) {
    if (maxCommandBytes > tuning[limit])
      throw new InvalidOption(
        'maxCommandBytes',
        `must be at most ${limit} (${tuning[limit]}), or there is never room for the longest command`,
      )
  }
  if (tuning.maxEntriesPerMessage > maxEntriesPerFrame)
    throw new InvalidOption('maxEntriesPerMessage', `must be at most ${maxEntriesPerFrame}, which is what a frame may hold`)
  return tuning
}

/**
 * The scheduler where none is given: `realClock`.
 *
 * @example
 * console.log(defaultClock.now()) // whole milliseconds, which never go back
 */
export const defaultClock: SchedulerLike = realClock

/** Checks the parts that a server is put together from. Throws `InvalidOption`. */
export const checkParts = <C, R>(options: RaftOptions<C, R>): void => {
  const { network, storage, stateMachine, snapshots, codec, scheduler, random, step } = options
  check({ network, storage, stateMachine, snapshots, codec, scheduler, random, step }, parts)
}

const parts = {
  step: optional(fn),
  network: fn,
  storage: having('open'),
  stateMachine: optional(fn),
  snapshots: optional(record),
  codec: optional(having('encode', 'decode')),
  scheduler: optional(isScheduler),
  random: optional(fn),
}
