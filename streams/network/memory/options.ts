import type { SchedulerLike } from 'rxjs'

/**
 * What goes wrong on the way. Probabilities are in [0, 1]; by default nothing does.
 *
 * @example
 * memoryNetwork().setFaults({ delayMs: { min: 1, max: 20 }, loss: 0.01, duplication: 0.01, reordering: 0.1 })
 */
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

/**
 * Faults from the start, and where time and chance come from.
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
