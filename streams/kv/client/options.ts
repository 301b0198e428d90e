import type { SchedulerLike } from 'rxjs'
import { defaultLimits } from '../../../src/kv/limits.js'
import { check, flag, fn, having, list, scheduler, span, text, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import { InvalidOption } from '../../options/invalidOption.js'
import { defaultClock } from '../../server/options.js'
import type { Transport } from '../transport.js'

/**
 * The options of `createClient`.
 *
 * @example
 * import { httpTransport } from 'rxraft/node'
 *
 * createClient({ transport: httpTransport(), endpoints: ['http://127.0.0.1:7401'], timeoutMs: 5_000 })
 */
export interface ClientOptions extends Partial<ClientTuning> {
  readonly transport: Transport
  /** Where servers may be found: at least one, in the words of the transport. */
  readonly endpoints: ReadonlyArray<string>
}

/**
 * The bounds and waits of a client, each with its default.
 *
 * @example
 * createClient({
 *   transport: memoryTransport([kvServer]), endpoints: ['n1'], scheduler, random,
 *   timeoutMs: 5_000, attemptTimeoutMs: 1_000, backoffMs: { min: 10, max: 500 },
 *   maxInFlight: 64, maxQueued: 1_000, maxBatch: 32, maxBatchBytes: 1 << 18, maxBatchesInFlight: 2,
 *   session: true, watchIdleMs: 60_000,
 * })
 */
export interface ClientTuning {
  /** How long an operation may take in all. Default 10,000. */
  readonly timeoutMs: number
  /** How long one server may take before another is asked. Default 2,000. */
  readonly attemptTimeoutMs: number
  /**
   * Before another try: drawn between half and all of a bound that doubles from `min` to `max`. Default 20 to 1,000.
   */
  readonly backoffMs: { readonly min: number; readonly max: number }
  /** Operations under way; more wait. Default 1,024, which is also the most that a session allows. */
  readonly maxInFlight: number
  /** Operations that wait; one more is `Overloaded`. Default 65,536. */
  readonly maxQueued: number
  /** Operations that travel together. Default 256. */
  readonly maxBatch: number
  /** Bytes of commands that travel together; a larger one goes alone. Default 1 MiB. */
  readonly maxBatchBytes: number
  /** Batches under way. Default 4. */
  readonly maxBatchesInFlight: number
  /**
   * Open a session, in which a retry is applied once. Default true. Without it a write that may have arrived is
   * `Indeterminate`.
   */
  readonly session: boolean
  /**
   * How long a watch may be silent before it is resumed elsewhere; longer than a server's heartbeat. Default 30,000.
   */
  readonly watchIdleMs: number
  /** Default `realClock`. */
  readonly scheduler: SchedulerLike
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random: () => number
}

const defaults: ClientTuning = {
  timeoutMs: 10_000,
  attemptTimeoutMs: 2_000,
  backoffMs: { min: 20, max: 1_000 },
  maxInFlight: defaultLimits.maxUnanswered,
  maxQueued: 65_536,
  maxBatch: 256,
  maxBatchBytes: 1 << 20,
  maxBatchesInFlight: 4,
  session: true,
  watchIdleMs: 30_000,
  scheduler: defaultClock,
  random: Math.random,
}

/** The options with their defaults, checked. Throws `InvalidOption`. */
export const tunedClient = (options: ClientOptions): ClientOptions & ClientTuning => {
  const tuning = withDefaults(defaults, options)
  check(tuning, {
    transport: having('send', 'watch'),
    endpoints: list(text),
    timeoutMs: whole(),
    attemptTimeoutMs: whole(),
    backoffMs: span(),
    maxInFlight: whole(),
    maxQueued: whole(),
    maxBatch: whole(),
    maxBatchBytes: whole(),
    maxBatchesInFlight: whole(),
    session: flag,
    watchIdleMs: whole(),
    scheduler,
    random: fn,
  })
  if (tuning.endpoints.length === 0) throw new InvalidOption('endpoints', 'name at least one server')
  return tuning
}
