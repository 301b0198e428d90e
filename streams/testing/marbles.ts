import { type RunHelpers, TestScheduler } from 'rxjs/testing'
import { type Frames, rowsOf } from './marbleText.js'

/**
 * What a marble test is given: RxJS's own helpers, and the scheduler by its name, for every `scheduler` option.
 *
 * @example
 * const passes = ({ cold, expectObservable }: MarbleHelpers): void => expectObservable(cold('--a|')).toBe('--a|')
 * inVirtualTime(passes)
 */
export interface MarbleHelpers extends RunHelpers {
  /** Virtual time: one character of a row is one millisecond. Promises do not resolve in it. */
  readonly scheduler: TestScheduler
}

/**
 * Runs a marble test at once. Throws an `Error` that shows both sides as rows of marbles where they
 * differ. Values are compared by what they print as, so that two of the same shape are equal.
 *
 * @example
 * inVirtualTime(({ scheduler, expectObservable }) => expectObservable(timer(3, scheduler)).toBe('---(a|)', { a: 0 }))
 */
export const inVirtualTime = (run: (helpers: MarbleHelpers) => void): void => {
  const scheduler = new TestScheduler((actual: Frames, expected: Frames) => {
    const rows = rowsOf({ expected, actual })
    if (rows.expected !== rows.actual) {
      throw new Error(`The streams differ:\n  expected  ${rows.expected}\n  actual    ${rows.actual}${rows.where}`)
    }
  })
  scheduler.run((helpers) => run({ ...helpers, scheduler }))
}

/**
 * Marble tests for whatever runs tests: give it the `it` or `test` of jest, vitest, mocha or `node:test`.
 *
 * @example
 * import { it } from '@jest/globals'
 *
 * const marbles = marblesWith(it)
 *
 * marbles('each arming forgets the former', ({ hot, scheduler, expectObservable }) => {
 *   const arm = '     --a--a--------'
 *   const timedOut = '----------t---'
 *   const timer = electionTimer({ timeoutMs: { min: 5, max: 9 }, random: () => 0, scheduler })
 *   const arm$ = hot<Effect>(arm, { a: { _tag: 'ArmElectionTimer', generation: 1 } })
 *   expectObservable(timer(arm$, NEVER)).toBe(timedOut, { t: { _tag: 'ElectionTimedOut', generation: 1 } })
 * })
 */
export const marblesWith =
  (it: (title: string, test: () => void) => unknown) =>
  (title: string, run: (helpers: MarbleHelpers) => void): void =>
    void it(title, () => inVirtualTime(run))
