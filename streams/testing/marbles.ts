import { type RunHelpers, TestScheduler } from 'rxjs/testing'
import { type Frames, rowsOf } from './marbleText.js'

/** What a marble test is given: RxJS's own helpers, and the scheduler by its name, for every `scheduler` option. */
export interface MarbleHelpers extends RunHelpers {
  /** Virtual time: one character of a row is one millisecond. Promises do not resolve in it. */
  readonly scheduler: TestScheduler
}

/**
 * A test in virtual time, for whatever runs tests: gives the function to be handed to `it` or `test`.
 * It throws an `Error` that shows both sides as rows of marbles where they differ. Values are compared
 * by what they print as, so that two of the same shape are equal.
 *
 * @example
 * it('fires one timeout after the last arm', marbles(({ hot, scheduler, expectObservable }) => {
 *   const arm$ = hot('     --a--a--------', { a: { _tag: 'ArmElectionTimer', generation: 1 } })
 *   const timedOut = '     ----------t---'
 *   const timer = electionTimer({ timeoutMs: { min: 5, max: 9 }, random: () => 0, scheduler })
 *   expectObservable(timer(arm$)).toBe(timedOut, { t: { _tag: 'ElectionTimedOut', generation: 1 } })
 * }))
 */
export const marbles = (run: (helpers: MarbleHelpers) => void): (() => void) => () => {
  const scheduler = new TestScheduler((actual: Frames, expected: Frames) => {
    const rows = rowsOf({ expected, actual })
    if (rows.expected !== rows.actual) throw new Error(`The streams differ:\n  expected  ${rows.expected}\n  actual    ${rows.actual}${rows.where}`)
  })
  scheduler.run((helpers) => run({ ...helpers, scheduler }))
}
