import type { Tuning } from '../../server/options.js'
import type { FaultName } from './faults/index.js'
import type { SimulatedOperation } from './operation.js'
import type { PlannedRound } from './plan.js'
import type { SimulatedViolation } from './violation.js'
import type { Workload } from './workload.js'

/** What may be said of a simulation. Whatever is not said is drawn from the seed. */
export interface SimulateOptions<C = unknown, R = unknown> {
  /** How many servers, from 3 to 9. Default: 3, 5 or 7, by the seed. */
  readonly servers?: number
  /** Virtual time. The round of faults that is under way at its end is finished. Default 60,000. */
  readonly forMs?: number
  /**
   * Which faults, and how often in proportion to each other. Default: all, of which each seed leaves some out, since
   * many a bug needs that one thing does not happen (swarm testing). `{}`: none.
   */
  readonly faults?: Partial<Readonly<Record<FaultName, number>>>
  /** By all clients together. Default 10. */
  readonly operationsPerSecond?: number
  /** Clients, each with one operation under way at most. Default 5. */
  readonly clients?: number
  /** Without them only what servers and state machines find themselves is told. Default true. */
  readonly checks?: boolean
  /** Bounds and rhythms of the servers, where they differ from the defaults. */
  readonly tuning?: Partial<Tuning>
  /** Default: registers with sessions. */
  readonly workload?: () => Workload<C, R>
  /**
   * Exactly these faults instead of those that the seed would choose: what shrinking and a recorded failure hand over.
   */
  readonly plan?: ReadonlyArray<PlannedRound>
  /** Keep the operations as a linearizability checker takes them. Default false. */
  readonly history?: boolean
  /** Check at the end that what clients saw is linearizable, where the workload says by which model. Default true. */
  readonly linearizable?: boolean
  /** Is given the run as lines that one can read. */
  readonly tell?: (line: string) => void
}

/** How often a fault was asked for, and how often it had an effect. */
export interface FaultCount {
  readonly asked: number
  readonly effective: number
}

/**
 * How many of the operations that were answered the exact checker has found linearizable, and how many have keys that
 * were too much for it.
 */
export interface SimulatedLinearizability {
  readonly checked: number
  /** Of these nothing is known: its limits for one key were met. */
  readonly unknown: number
}

/** What came of a simulation. The same seed and the same options give the same, in every JavaScript engine. */
export interface Simulated {
  readonly seed: number
  /** Over every step, answer and fault of the run. */
  readonly hash: string
  readonly servers: number
  readonly simulatedMs: number
  readonly steps: number
  readonly elections: number
  readonly commits: number
  /** Operations that were answered. */
  readonly operations: number
  /** Snapshots that state machines gave, and that leaders brought to others (§7). */
  readonly snapshots: { readonly taken: number; readonly installed: number }
  /** Times that everything was healed, and the cluster came to rest and served in time. */
  readonly recoveries: number
  readonly faults: Readonly<Partial<Record<FaultName, FaultCount>>>
  readonly violation: SimulatedViolation | null
  /** The faults as they were, to be handed in again as `plan`. */
  readonly plan: ReadonlyArray<PlannedRound>
  /** When the last round began. */
  readonly lastRoundAt: number
  /** Nothing where the workload has no model for it, and where the run ended at another violation. */
  readonly linearizable: SimulatedLinearizability
  /** Empty without `history`. */
  readonly history: ReadonlyArray<SimulatedOperation>
}
