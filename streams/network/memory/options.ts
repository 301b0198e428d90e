import type { SchedulerLike } from 'rxjs'
import { check, fn, probability, scheduler, span, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import { realClock } from '../../time/clock.js'

/** What goes wrong on the way. Probabilities are in [0, 1]; by default nothing does. */
export interface Faults {
  /** From sending to arriving, drawn for each message, both ends included. Default 0 to 0: the next turn of the scheduler. */
  readonly delayMs: { readonly min: number; readonly max: number }
  /** A message never arrives, and nobody is told. */
  readonly loss: number
  /** A message arrives twice. */
  readonly duplication: number
  /** A message is held back by 1 ms to `max(1, delayMs.max)`, and later ones overtake it. Otherwise messages between two servers keep their order. */
  readonly reordering: number
}

export interface MemoryNetworkOptions extends Partial<Faults> {
  /** Default `realClock`. */
  readonly scheduler?: SchedulerLike
  /** Uniform in [0, 1). Drawn from only for faults that are asked for. Default `Math.random`. */
  readonly random?: () => number
  /** Messages under way from one server to another; one more is dropped and told as `Unreachable`. Default 16,384. */
  readonly maxInFlight?: number
}

const faultChecks = { delayMs: span(0), loss: probability, duplication: probability, reordering: probability }

const defaults = {
  delayMs: { min: 0, max: 0 },
  loss: 0,
  duplication: 0,
  reordering: 0,
  scheduler: realClock,
  random: Math.random,
  maxInFlight: 16_384,
}

/** The options with their defaults, checked. Throws `InvalidOption`. */
export const tunedMemoryNetwork = (options: MemoryNetworkOptions): Required<MemoryNetworkOptions> => {
  const tuned = withDefaults(defaults, options)
  check<MemoryNetworkOptions>(tuned, { ...faultChecks, scheduler, random: fn, maxInFlight: whole() })
  return tuned
}

/** The faults, with those that change. Throws `InvalidOption`. */
export const changedFaults = (faults: Faults, changed: Partial<Faults>): Faults => {
  const next = withDefaults(faults, changed)
  check<Faults>(next, faultChecks)
  return next
}
