import type { Observable, ObservableInput } from 'rxjs'
import type { LogIndex, Term } from '../../src/raft/ids.js'

/**
 * A committed command, for the state machine: in log order, each index once per run (§5.3).
 *
 * @example
 * server.apply$.subscribe(({ index, term, command }: ApplyMsg<number>) => console.log(index, term, command))
 */
export interface ApplyMsg<C = Uint8Array> {
  readonly index: LogIndex
  readonly term: Term
  readonly command: C
}

/**
 * The state machine's answer for the command at `index`: exactly one for each, in order. `result` is what its proposer
 * gets.
 */
export interface Applied<R = unknown> {
  readonly index: LogIndex
  readonly result: R
}

/**
 * The state of a state machine after the command at `index`, as bytes of its own making (§7).
 *
 * @example
 * const ofSum = (index: LogIndex, sum: number): Snapshot => ({ index, data: json<number>().encode(sum) })
 */
export interface Snapshot {
  readonly index: LogIndex
  readonly data: Uint8Array
}

/**
 * The replicated service: a stream of committed commands in, a stream of their results out. It may answer later, but in
 * order; an error, an early end or an answer out of order stops the server. It begins with the state in `snapshot`,
 * null for none, and is given the commands after that. A snapshot from the leader ends it: the function is called
 * again, with that snapshot (Figure 13, 8).
 *
 * @example
 * // The sum of all commands so far, with `codec: json`:
 * const sum: StateMachine<number, number> = (apply$) =>
 *   apply$.pipe(scan((sum, { index, command }) => ({ index, result: sum.result + command }), { index: logIndex(0), result: 0 }))
 */
export type StateMachine<C = Uint8Array, R = unknown> = (
  apply$: Observable<ApplyMsg<C>>,
  snapshot: Snapshot | null,
) => ObservableInput<Applied<R>>

/**
 * The state machine broke its contract, or failed. One that fails with this itself has its own `message` told.
 *
 * @example
 * const why: StateMachineError = { _tag: 'StateMachineFailed', message: 'The table has an old format: convert it first.' }
 * const stateMachine: StateMachine = () => throwError(() => why)
 * createRaft({ id: 'n1', network, storage, stateMachine }).stopped$ // emits `why`
 */
export interface StateMachineError {
  readonly _tag: 'StateMachineFailed'
  readonly message: string
  readonly cause?: unknown
}

export const stateMachineFailed = (message: string, cause?: unknown): StateMachineError => ({ _tag: 'StateMachineFailed', message, cause })

/** Whether a state machine says itself why it failed. */
export const saysWhy = (error: unknown): error is StateMachineError =>
  typeof error === 'object' && error !== null && '_tag' in error && error._tag === 'StateMachineFailed'
