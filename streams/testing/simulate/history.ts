import { checkLinearizability } from '../linearizability/check.js'
import type { Model } from '../linearizability/model.js'
import type { Operation } from '../linearizability/operation.js'
import type { SearchLimits } from '../linearizability/search.js'
import type { SimulatedOperation } from './operation.js'
import type { SimulatedLinearizability } from './options.js'
import type { SimulatedViolation } from './violation.js'

/** For each key of a run. What nobody knows the outcome of makes a search exponential: it ends here, as unknown. */
const limits: SearchLimits = { maxStates: 500_000, maxSteps: 5_000_000 }

/** What came of the search, and what is wrong. */
export interface Searched extends SimulatedLinearizability {
  readonly violation: SimulatedViolation | null
}

/**
 * The exact check of what clients saw, when all of them have an answer or have given up: nothing but their operations,
 * the order of their clocks and what one object would answer is believed, no log, no state machine (I15). Each key is
 * searched by itself, so that one that is too much takes nothing from the others.
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
