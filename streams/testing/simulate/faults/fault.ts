import type { Range } from '../dice.js'
import type { SimulatedCluster } from '../simulatedCluster.js'

/** A fault that has begun. */
export interface Ongoing {
  /** Which servers it meets and how, for the transcript. */
  readonly what: string
  /** Ends it. */
  readonly end: () => void
  /** Whether it had an effect so far. */
  readonly hadEffect: () => boolean
  /** Whether it met what it is about often enough to have one. Left out: always. */
  readonly hadChance?: () => boolean
}

/** A kind of fault. */
export interface Fault {
  /** How often it comes, in proportion to the others. */
  readonly weight: number
  readonly forMs: Range
  /** Begins it; null where it cannot begin now, which does not count as asked. */
  readonly begin: (cluster: SimulatedCluster, die: () => number) => Ongoing | null
}

/** Whether `count` has grown since now: so a fault finds out that it had an effect. */
export const grown = (count: () => number): (() => boolean) => {
  const before = count()
  return () => count() > before
}
