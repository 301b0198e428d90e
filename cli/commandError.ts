import { type Observable, throwError } from 'rxjs'
import { WatchError } from '../streams/kv.js'
import { type Details, type Failure, refused } from './outcome.js'

/** What a command can refuse with: errors of storage, network and HTTP have this shape. */
export interface CommandError {
  readonly _tag: string
  readonly message: string
  /** What `--json` tells beside it. */
  readonly details?: Details
}

const isCommandError = (error: unknown): error is CommandError =>
  typeof error === 'object' &&
  error !== null &&
  '_tag' in error &&
  typeof error._tag === 'string' &&
  'message' in error &&
  typeof error.message === 'string'

/** Fails with `error`, which is a value. */
export const refuse = (error: CommandError): Observable<never> => throwError((): unknown => error)

/** An expected refusal as a value; anything else is a bug: it is thrown on, with its stack. */
export const expected = (error: unknown): CommandError => {
  if (isCommandError(error)) return error
  if (error instanceof WatchError) {
    const { _tag, ...details } = error.reason
    return { details, _tag, message: error.message }
  }
  // What the library says of an option that cannot work.
  if (error instanceof Error && error.name === 'InvalidOption') return { _tag: error.name, message: error.message }
  throw error
}

export const refusedBy = (error: unknown): Failure<'Refused'> => {
  const { _tag, message, details } = expected(error)
  return refused(_tag, message, details)
}
