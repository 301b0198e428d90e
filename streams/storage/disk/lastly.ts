import { catchError, concat, defer, type MonoTypeOperatorFunction, type Observable, throwError } from 'rxjs'

/**
 * What is to be done when all is done, before anyone hears that it is, and before anyone hears of an error.
 *
 *   source    a--b|        a--#
 *   cleanup       --|         --|
 *   result    a--b--|      a----#
 */
export const lastly =
  <A>(cleanup: () => Observable<never>): MonoTypeOperatorFunction<A> =>
  (source) =>
    concat(source, defer(cleanup)).pipe(
      catchError((error: unknown) =>
        concat(
          defer(cleanup),
          throwError(() => error),
        ),
      ),
    )
