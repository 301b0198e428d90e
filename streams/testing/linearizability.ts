/** Whether a history of operations is linearizable. */
export { checkLinearizability, type Verdict } from './linearizability/check.js'
export { keyValueModel, type KeyValueInput, type KeyValueOutput } from './linearizability/keyValueModel.js'
export { linearizable, type LinearizableOptions } from './linearizability/linearizable.js'
export { erased, type Model } from './linearizability/model.js'
export type { Completed, Operation, Pending } from './linearizability/operation.js'
export type { SearchLimits } from './linearizability/search.js'
