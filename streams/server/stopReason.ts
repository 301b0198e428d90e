import { InvariantViolation } from '../../src/raft/error.js'
import type { StateMachineError } from '../sinks/stateMachine.js'
import type { NetworkError } from '../network/network.js'
import type { StorageError } from '../storage/storage.js'

/**
 * Why a server does not run any more.
 *
 * @example
 * const isIntended = ({ _tag }: StopReason) => _tag === 'Closed' || _tag === 'Killed'
 * server.stopped$.subscribe((reason) => isIntended(reason) || alarm(reason._tag))
 */
export type StopReason =
  | { readonly _tag: 'Closed' }
  | { readonly _tag: 'Killed' }
  | { readonly _tag: 'InvariantViolation'; readonly message: string; readonly cause: InvariantViolation }
  | StorageError
  | NetworkError
  | StateMachineError
  | { readonly _tag: 'Failed'; readonly message: string; readonly cause: unknown }

/** What ended the loop, as a value. */
export const reasonOf = (error: unknown): StopReason => {
  if (error instanceof InvariantViolation) return { _tag: 'InvariantViolation', message: error.message, cause: error }
  const tagged = typeof error === 'object' && error !== null && '_tag' in error && 'message' in error
  return tagged ? (error as StopReason) : { _tag: 'Failed', message: error instanceof Error ? error.message : String(error), cause: error }
}
