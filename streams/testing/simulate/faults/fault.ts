import type { Range } from '../dice.js'
import type { SimulatedCluster } from '../simulatedCluster.js'

/** A fault that goes on. */
export interface Ongoing {
  /** Whom it meets and how, for the transcript. */
  readonly what: string
  /** Takes it back. */
  readonly end: () => void
  /** Whether it had an effect so far. */
  readonly bit: () => boolean
}

/** A kind of fault. */
export interface Fault {
  /** How often it comes in proportion to the others. */
  readonly weight: number
  readonly forMs: Range
  /** Begins it; null where it cannot be now, which does not count as asked. */
  readonly begin: (world: SimulatedCluster, die: () => number) => Ongoing | null
}

/** What `count` has grown by since now: how a fault finds out that it bit. */
export const grown = (count: () => number): (() => boolean) => {
  const before = count()
  return () => count() > before
}
