import type { Model } from './model.js'
import { checkTimes, type Operation } from './operation.js'
import { printHistory } from './print.js'
import { type SearchLimits, searchOrder } from './search.js'
import { shrink } from './shrink.js'

/**
 * What a history is. `Legal` and `Illegal` are exact; `Unknown` says which limit was met before either could be told.
 *
 * @example
 * const told = (verdict: Verdict<KeyValueInput, KeyValueOutput>): string => (verdict._tag === 'Illegal' ? verdict.text : verdict._tag)
 * told(checkLinearizability([], keyValueModel)) // 'Legal'
 */
export type Verdict<Input, Output> =
  | {
      readonly _tag: 'Legal'
      /** How many operations, and how many states were looked at. */
      readonly operations: number
      readonly states: number
    }
  | {
      readonly _tag: 'Illegal'
      readonly partition: string
      /** A small part of the history that cannot be by itself. */
      readonly history: ReadonlyArray<Operation<Input, Output>>
      /** The same to read: a sentence, then one line for each operation. */
      readonly text: string
    }
  | {
      readonly _tag: 'Unknown'
      /** The first partition that was too much; null where the whole history was. */
      readonly partition: string | null
      readonly limit: keyof SearchLimits | 'maxOperations'
      readonly value: number
    }

const defaultLimits: SearchLimits = { maxStates: 2_000_000, maxSteps: 20_000_000 }

/**
 * Whether a history is linearizable: whether each operation can have taken effect at one moment
 * between its call and its return (Herlihy and Wing 1990). Exact and deterministic; an operation
 * precedes another if it returned *before* the other was called, not at the same time.
 *
 * Each partition is searched by itself, within `limits`; the search for a small part of a bad
 * history is granted ten times as many steps as the search that found it bad. Throws an `Error`
 * where an operation returns before it is called.
 *
 * @example
 * const { _tag } = checkLinearizability(
 *   [
 *     { client: 1, key: 'x', call: 0, return: 10, input: { _tag: 'Put', value: 'a' }, output: null },
 *     { client: 2, key: 'x', call: 20, return: 30, input: { _tag: 'Get' }, output: null },
 *   ],
 *   keyValueModel,
 * )
 * // Illegal: the put had returned when the get was called
 */
export const checkLinearizability = <State, Input, Output>(
  history: ReadonlyArray<Operation<Input, Output>>,
  model: Model<State, Input, Output>,
  limits: Partial<SearchLimits> = {},
): Verdict<Input, Output> => {
  const bounds = { ...defaultLimits, ...limits }
  const partitions = new Map<string, Operation<Input, Output>[]>()
  for (const operation of history) {
    checkTimes(operation)
    const key = model.partition(operation)
    const partition = partitions.get(key)
    if (partition === undefined) partitions.set(key, [operation])
    else partition.push(operation)
  }
  let states = 0
  let unknown: Extract<Verdict<Input, Output>, { readonly _tag: 'Unknown' }> | null = null
  for (const [partition, operations] of partitions) {
    const outcome = searchOrder(operations, model, bounds)
    states += outcome.states
    if (outcome.legal === false) return illegal(partition, operations, model, bounds, outcome.steps)
    if (outcome.limit !== null) unknown ??= { _tag: 'Unknown', partition, limit: outcome.limit, value: bounds[outcome.limit] }
  }
  return unknown ?? { _tag: 'Legal', operations: history.length, states }
}

const illegal = <State, Input, Output>(
  partition: string,
  operations: ReadonlyArray<Operation<Input, Output>>,
  model: Model<State, Input, Output>,
  limits: SearchLimits,
  steps: number,
): Verdict<Input, Output> => {
  let left = Math.max(10 * steps, 1_000_000)
  const history = shrink(operations, model, (part) => {
    if (left <= 0) return false
    const outcome = searchOrder(part, model, { ...limits, maxSteps: Math.min(limits.maxSteps, left) })
    // Setting a search up costs something too.
    left -= outcome.steps + part.length
    return outcome.legal === false
  })
  const where = partition === '' ? '' : ` of ${JSON.stringify(partition)}`
  const head = `Not linearizable: of the ${operations.length} operations${where}, these ${history.length} allow no order.`
  return { _tag: 'Illegal', partition, history, text: [head, ...printHistory(history, model)].join('\n') }
}
