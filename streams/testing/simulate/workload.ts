import type { ObservableInput } from 'rxjs'
import type { LogIndex } from '../../../src/raft/ids.js'
import type { Snapshot, StateMachine } from '../../sinks/stateMachine.js'
import type { Codec } from '../../wire/codec.js'
import type { Model } from '../linearizability/model.js'

/**
 * The commands of a simulated cluster, and the state machine that applies them. It is made anew for each run, so it may
 * remember.
 *
 * @example
 * let serials = 0
 * const numbered = (): Workload<number, number> => ({
 *   codec: json<number>(),
 *   stateMachine: () => (apply$) => apply$.pipe(map(({ index, command }) => ({ index, result: command }))),
 *   command: () => ++serials,
 *   retries: false,
 * })
 */
export interface Workload<C, R> {
  readonly codec: Codec<C>
  /**
   * Called for each life of each server. It answers within the call or on the scheduler of its server. With `take` its
   * log is compacted.
   */
  readonly stateMachine: () => StateMachine<C, R> | SnapshotMachine<C, R>
  /** The next command of a client; `serial` counts its commands from 1. */
  readonly command: (die: () => number, client: number, serial: number) => C
  /**
   * Whether a client may propose a command again when its outcome is unknown. It may where sessions keep the command
   * from taking effect twice (§8).
   */
  readonly retries: boolean
  /** Whether two answers are the same. Default: by what they hold. */
  readonly same?: (a: R, b: R) => boolean
  /**
   * The slow, obvious twin of the state machine: it says the right answer for each command, in the order of the log.
   */
  readonly model?: () => WorkloadModel<C, R>
  /** An operation for the history that a linearizability checker reads; without it no history is kept. */
  readonly operation?: (command: C, result: R | null) => { readonly key: string; readonly input: unknown; readonly output: unknown }
  /** The model that the operations of the history must agree with: `erased(model)`. Without it they are not checked. */
  readonly linearizable?: Model<unknown, unknown, unknown>
}

/**
 * A state machine that gives snapshots of itself, as `createRaft` is given both (§7). The same state must give the same
 * bytes.
 *
 * @example
 * const counter = (): SnapshotMachine<number, number> => {
 *   let sum = { index: logIndex(0), result: 0 }
 *   const stateMachine: StateMachine<number, number> = (apply$, snapshot) => {
 *     if (snapshot !== null) sum = { index: snapshot.index, result: Number(utf8.decode(snapshot.data)) }
 *     return apply$.pipe(map(({ index, command }) => (sum = { index, result: sum.result + command })))
 *   }
 *   return { stateMachine, take: () => of({ index: sum.index, data: utf8.encode(`${sum.result}`) }) }
 * }
 */
export interface SnapshotMachine<C, R> {
  readonly stateMachine: StateMachine<C, R>
  /** The state, as a snapshot. */
  readonly take: (lastApplied: LogIndex) => ObservableInput<Snapshot>
}

/**
 * What a workload should have answered, as a machine of one thread.
 *
 * @example
 * const sums = (): WorkloadModel<number, number> => {
 *   let sum = 0
 *   return { apply: (_index, add) => (sum += add) }
 * }
 */
export interface WorkloadModel<C, R> {
  /** What a command should be answered. */
  readonly apply: (index: number, command: C) => R
  /** The index at which this command of a client took effect, where it stands in the log more than once. */
  readonly effectiveIndex?: (client: number, serial: number) => number | undefined
}
