import { AsyncSubject, catchError, concat, defer, EMPTY, ignoreElements, type Observable, tap, throwError } from 'rxjs'

/** Does `work` after what was given before it, and tells how that went. Acts at the call. */
export type SerialQueue = <A>(work: () => Observable<A>) => Observable<A>

/**
 * Work in rows: in each one piece after another, each beginning when the former is done, and the rows side by side.
 * What fails first fails all that has not begun, in every row: nothing is written any more after a failed write or
 * sync.
 *
 *   a row      a---b--#
 *   another    c-------- d#    d never begins
 */
export const serialQueues = (): (() => SerialQueue) => {
  let failed: { readonly error: unknown } | null = null
  const unlessFailed =
    <A>(work: () => Observable<A>) =>
    (): Observable<A> => {
      const { error } = failed ?? {}
      return failed === null ? work() : throwError(() => error)
    }
  return () => {
    let last$: Observable<never> = EMPTY
    return <A>(work: () => Observable<A>) => {
      const done$ = new AsyncSubject<A>()
      concat(last$, defer(unlessFailed(work)))
        .pipe(tap({ error: (error: unknown) => (failed ??= { error }) }))
        .subscribe(done$)
      last$ = done$.pipe(ended)
      return done$
    }
  }
}

/** Completes when `source` ends, however it does. */
const ended = (source: Observable<unknown>): Observable<never> =>
  source.pipe(
    ignoreElements(),
    catchError(() => EMPTY),
  )
