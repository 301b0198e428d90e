import type { Operation } from './operation.js'

/**
 * What an object does if one operation comes after the other. The checker asks whether a history can be told in that
 * way.
 */
export interface Model<State, Input, Output> {
  /**
   * Operations of different partitions know nothing of each other and are checked one partition at a time:
   * linearizability is local (Herlihy and Wing 1990, §3.3).
   */
  readonly partition: (operation: Operation<Input, Output>) => string
  /** The state that each partition begins in. */
  readonly initial: State
  /**
   * The states that `input` may lead to where it answers `output`, or anything if that is undefined; none if it cannot
   * answer that.
   */
  readonly step: (state: State, input: Input, output: Output | undefined) => ReadonlyArray<State>
  /** What tells states apart; the state itself by default, which then must be a string, a number, null or the like. */
  readonly keyOf?: (state: State) => unknown
  /**
   * Whether an operation that was answered with `output` leaves every state as it was: then it is done as soon as it
   * may be. It makes the search faster.
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
 * A model as one of whatever: for who keeps models of many kinds, and hands each the operations that it was made for.
 */
export const erased = <State, Input, Output>(model: Model<State, Input, Output>): Model<unknown, unknown, unknown> =>
  model as unknown as Model<unknown, unknown, unknown>
