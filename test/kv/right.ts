import { either } from 'fp-ts'

/** The right side, where a left one would be a failure of the test. */
export const right = <E, A>(e: either.Either<E, A>): A => {
  if (either.isLeft(e)) throw new Error(`left: ${JSON.stringify(e.left)}`)
  return e.right
}
