import type { Tuning } from '../../server/options.js'
import type { FaultName } from './faults/index.js'
import type { SimulatedOperation } from './operation.js'
import type { PlannedRound } from './plan.js'
import type { SimulatedViolation } from './violation.js'
import type { Workload } from './workload.js'

/**
 * Options of a simulation. What is not given is drawn from the seed.
 *
 * @example
 * const options = <C, R>(workload: () => Workload<C, R>): SimulateOptions<C, R> => {
 *   const load = { clients: 8, operationsPerSecond: 50, workload }
 *   const faults = { crash: 2, drop: 1 } // or `plan`: exactly the faults of another run
 *   const look = { checks: true, linearizable: true, history: true, tell: console.log }
 *   return { servers: 5, forMs: 30_000, tuning: { heartbeatMs: 50 }, ...load, faults, ...look }
 * }
 */
export interface SimulateOptions<C = unknown, R = unknown> {
  /** How many servers, from 3 to 9. Default: 3, 5 or 7, by the seed. */
  readonly servers?: number
  /** Virtual time. The round of faults that is under way at its end is finished. Default 60,000. */
  readonly forMs?: number
  /**
   * Which faults, and how often in proportion to each other. Default: all faults, of which each seed leaves some out,
   * since some bugs show only while another fault does not happen (swarm testing). `{}`: none.
   */
  readonly faults?: Partial<Readonly<Record<FaultName, number>>>
  /** By all clients together. Default 10. */
  readonly operationsPerSecond?: number
  /** Clients, each with one operation under way at most. Default 5. */
  readonly clients?: number
  /** Default true. Without checks a run finds only what servers and state machines find themselves. */
  readonly checks?: boolean
  /** Bounds and rhythms of the servers, where they differ from the defaults. */
  readonly tuning?: Partial<Tuning>
  /** Default: registers with sessions. */
  readonly workload?: () => Workload<C, R>
  /**
   * Exactly these faults instead of those that the seed would choose, as shrinking and a recorded failure give them.
   */
  readonly plan?: ReadonlyArray<PlannedRound>
  /** Keep the operations as a linearizability checker takes them. Default false. */
  readonly history?: boolean
  /** Check at the end that what clients saw is linearizable, where the workload says by which model. Default true. */
  readonly linearizable?: boolean
  /** Is called with the run as lines that a person can read. */
  readonly tell?: (line: string) => void
}

/**
 * How often a fault was asked for, and how often it had an effect.
 *
 * @example
 * const crashes: FaultCount | undefined = simulate(7, { faults: { crash: 1 } }).faults.crash
 * crashes?.effective // how many servers crashed
 */
export interface FaultCount {
  readonly asked: number
  readonly effective: number
}

/**
 * How many of the answered operations the exact checker found linearizable, and how many have keys that were too much
 * for it.
 *
 * @example
 * const { checked, unknown }: SimulatedLinearizability = simulate(7, { servers: 3 }).linearizable
 * unknown // 0: the checker had an answer for every key
 */
export interface SimulatedLinearizability {
  readonly checked: number
  /** Operations of which the checker knows nothing: it met its limits for one key. */
  readonly unknown: number
}

/**
 * The result of a simulation. The same seed and options give the same result in every JavaScript engine.
 *
 * @example
 * const { hash, faults, violation }: Simulated = simulate(7, { servers: 3 })
 * simulate(7, { servers: 3 }).hash === hash // true: it is the same run
 */
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
  /** Snapshots that state machines took, and snapshots of leaders that others installed (§7). */
  readonly snapshots: { readonly taken: number; readonly installed: number }
  /** How often everything was healed and the cluster recovered in time. */
  readonly recoveries: number
  readonly faults: Readonly<Partial<Record<FaultName, FaultCount>>>
  readonly violation: SimulatedViolation | null
  /** The faults as they were, to be handed in again as `plan`. */
  readonly plan: ReadonlyArray<PlannedRound>
  /** When the last round began. */
  readonly lastRoundAt: number
  /** Zero where the workload has no model for it, and where the run ended at another violation. */
  readonly linearizable: SimulatedLinearizability
  /** Empty without `history`. */
  readonly history: ReadonlyArray<SimulatedOperation>
}
