import { checkLinearizability } from '../linearizability/check.js'
import type { Model } from '../linearizability/model.js'
import type { Operation } from '../linearizability/operation.js'
import type { SearchLimits } from '../linearizability/search.js'
import type { SimulatedOperation } from './operation.js'
import type { SimulatedLinearizability } from './options.js'
import type { SimulatedViolation } from './violation.js'

/**
 * Limits for each key. Operations without an outcome make a search exponential; beyond the limits it ends as unknown.
 */
const limits: SearchLimits = { maxStates: 500_000, maxSteps: 5_000_000 }

/** The result of the search, and what is wrong. */
export interface Searched extends SimulatedLinearizability {
  readonly violation: SimulatedViolation | null
}

/**
 * The exact check of what clients saw, once each of them has an answer or has given up. It believes only their
 * operations, the order of their times and what one object would answer: no log and no state machine (I15). Each key is
 * searched by itself, so that a key that is too much does not cost the others their check.
 */
export const searchHistory = (
  history: ReadonlyArray<SimulatedOperation>,
  model: Model<unknown, unknown, unknown>,
  bounds: SearchLimits = limits,
): Searched => {
  const partitions = new Map<string, Operation<unknown, unknown>[]>()
  for (const seen of history) {
    const operation = operationOf(seen)
    const key = model.partition(operation)
    const partition = partitions.get(key)
    if (partition === undefined) partitions.set(key, [operation])
    else partition.push(operation)
  }
  let checked = 0
  let unknown = 0
  for (const operations of partitions.values()) {
    const verdict = checkLinearizability(operations, model, bounds)
    const answered = operations.reduce((count, operation) => count + Number(operation.return !== null), 0)
    switch (verdict._tag) {
      case 'Legal':
        checked += answered
        break
      case 'Unknown':
        unknown += answered
        break
      case 'Illegal': {
        const at = verdict.history.reduce((latest, operation) => Math.max(latest, operation.return ?? 0), 0)
        const violation = { name: 'what clients saw is linearizable', at, message: verdict.text }
        return { checked, unknown, violation }
      }
    }
  }
  return { checked, unknown, violation: null }
}

const operationOf = ({ client, key, call, return: end, input, output }: SimulatedOperation): Operation<unknown, unknown> =>
  end === null ? { client, key, call, return: null, input } : { client, key, call, return: end, input, output }
