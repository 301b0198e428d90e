import { type Failure, refused } from './outcome.js'

/** What a command can refuse with: errors of storage, network and HTTP have this shape. */
export interface Trouble {
  readonly _tag: string
  readonly message: string
}

const isTrouble = (error: unknown): error is Trouble =>
  typeof error === 'object' &&
  error !== null &&
  '_tag' in error &&
  typeof error._tag === 'string' &&
  'message' in error &&
  typeof error.message === 'string'

/** An expected refusal as a value; anything else is a bug: it is thrown on, with its stack. */
export const troubleOf = (error: unknown): Trouble => {
  if (isTrouble(error)) return error
  // What the library says of an option that cannot work.
  if (error instanceof Error && error.name === 'InvalidOption') return { _tag: error.name, message: error.message }
  throw error
}

export const refusedBy = (error: unknown): Failure<'Refused'> => {
  const { _tag, message } = troubleOf(error)
  return refused(_tag, message)
}
