import type { Operation } from './operation.js'

/**
 * A sequential object: what each operation does to its state. The checker asks whether a history can be told in this
 * way.
 *
 * @example
 * // A counter: each operation adds to it and answers the sum.
 * const counter: Model<number, number, number> = {
 *   partition: () => '',
 *   initial: 0,
 *   step: (sum, add, answer) => (answer === undefined || answer === sum + add ? [sum + add] : []),
 *   print: (add, answer) => `add ${add} → ${answer ?? '?'}`,
 * }
 */
export interface Model<State, Input, Output> {
  /**
   * Operations of different partitions do not affect each other, so each partition is checked by itself:
   * linearizability is local (Herlihy and Wing 1990, §3.3).
   */
  readonly partition: (operation: Operation<Input, Output>) => string
  /** The state that each partition begins in. */
  readonly initial: State
  /**
   * The states that `input` may lead to if it answers `output`, or with any answer if that is undefined; none if it
   * cannot answer so.
   */
  readonly step: (state: State, input: Input, output: Output | undefined) => ReadonlyArray<State>
  /** What tells states apart; the state itself by default, which then must be a string, a number, null or the like. */
  readonly keyOf?: (state: State) => unknown
  /**
   * Whether an operation that answered `output` leaves every state as it was. Such an operation is done as soon as it
   * may be, which makes the search faster.
   */
  readonly onlyReads?: (input: Input, output: Output) => boolean
  /** `put "1"`, `get → "1"`; without an output where that is unknown. */
  readonly print: (input: Input, output: Output | undefined) => string
  /**
   * Whether what `reader` answered may come from `writer`. While a bad history is made small, an operation keeps what
   * its answer may come from, so that a stale read is not mistaken for the read of a value that nobody wrote.
   */
  readonly explains?: (writer: Operation<Input, Output>, reader: Operation<Input, Output>) => boolean
}

/**
 * A model without its types, for code that keeps models of many kinds and gives each the operations that it was made
 * for.
 *
 * @example
 * const model = { linearizable: erased(keyValueModel) } // as a `Workload` takes it
 */
export const erased = <State, Input, Output>(model: Model<State, Input, Output>): Model<unknown, unknown, unknown> =>
  model as unknown as Model<unknown, unknown, unknown>
