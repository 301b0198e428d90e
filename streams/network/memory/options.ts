import type { SchedulerLike } from 'rxjs'
import { check, fn, probability, scheduler, span, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import { realClock } from '../../time/clock.js'
import { type Faults, noFaults } from './faults.js'

/**
 * The faults from the start, and where time and chance come from.
 *
 * @example
 * memoryNetwork({ scheduler, random, maxInFlight: 100, loss: 0.1 })
 */
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
  ...noFaults,
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
