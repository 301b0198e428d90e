import { map, type OperatorFunction, take, toArray } from 'rxjs'
import { checkLinearizability, type Verdict } from './check.js'
import type { Model } from './model.js'
import type { Operation } from './operation.js'
import type { SearchLimits } from './search.js'

/**
 * The options of `linearizable`.
 *
 * @example
 * const options: LinearizableOptions = { maxOperations: 100_000, maxStates: 500_000 }
 * from<Operation<KeyValueInput, KeyValueOutput>[]>([]).pipe(linearizable(keyValueModel, options))
 */
export interface LinearizableOptions extends Partial<SearchLimits> {
  /** Operations kept until the history ends, 10,000,000 by default. Beyond it the verdict is `Unknown`, at once. */
  readonly maxOperations?: number
}

/**
 * Answers whether the operations that passed are linearizable, when there are no more: until then an
 * operation that is still under way may explain any answer. Operations come in any order.
 *
 *   history  --a--b--c--|
 *   verdict  -----------(v|)
 *
 * @example
 * const operation$ = from<Operation<KeyValueInput, KeyValueOutput>[]>([])
 * operation$.pipe(linearizable(keyValueModel)) // one verdict
 */
export const linearizable =
  <State, Input, Output>(
    model: Model<State, Input, Output>,
    { maxOperations = 10_000_000, ...limits }: LinearizableOptions = {},
  ): OperatorFunction<Operation<Input, Output>, Verdict<Input, Output>> =>
  (history$) =>
    history$.pipe(
      take(maxOperations + 1),
      toArray(),
      map((history) =>
        history.length > maxOperations
          ? { _tag: 'Unknown', partition: null, limit: 'maxOperations', value: maxOperations }
          : checkLinearizability(history, model, limits),
      ),
    )
