import type { SchedulerLike } from 'rxjs'
import { defaultLimits } from '../../../src/kv/limits.js'
import { InvalidOption } from '../../options/invalidOption.js'
import { defaultClock } from '../../server/options.js'
import type { Transport } from '../transport.js'

export interface ClientOptions extends Partial<ClientTuning> {
  readonly transport: Transport
  /** Where servers may be found: at least one, in the words of the transport. */
  readonly endpoints: ReadonlyArray<string>
}

export interface ClientTuning {
  /** How long an operation may take in all. Default 10,000. */
  readonly timeoutMs: number
  /** How long one server may take before another is asked. Default 2,000. */
  readonly attemptTimeoutMs: number
  /** Before another try: drawn between half and all of a bound that doubles from `min` to `max`. Default 20 to 1,000. */
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
  /** Open a session, in which a retry is applied once. Default true. Without it a write that may have arrived is `Indeterminate`. */
  readonly session: boolean
  /** How long a watch may be silent before it is resumed elsewhere; longer than a server's heartbeat. Default 30,000. */
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
  const tuning = { ...defaults, ...options }
  for (const [name, value] of Object.entries(tuning)) {
    if (typeof value === 'number' && !(Number.isSafeInteger(value) && value > 0))
      throw new InvalidOption(name, `must be a whole number above 0, not ${value}`)
  }
  const { min, max } = tuning.backoffMs
  if (!(min > 0 && min <= max)) throw new InvalidOption('backoffMs', `must have 0 < min ≤ max, not ${min} and ${max}`)
  if (options.endpoints.length === 0) throw new InvalidOption('endpoints', 'name at least one server')
  return tuning
}
