import { Observable, type OperatorFunction } from 'rxjs'
import type { Inspection } from '../../loop/run.js'
import { movedBy } from './moved.js'
import { ClusterRecord } from './record.js'

/**
 * A property does not hold. `at` is the time of the step that showed it; `message` says what was seen.
 *
 * @example
 * const told = ({ name, at, message }: Violation): string => `${at} ms: ${name}\n${message}`
 * server.inspect$.pipe(checked(), map(told)).subscribe(alarm)
 */
export interface Violation {
  readonly name: string
  readonly at: number
  readonly message: string
}

/**
 * One property of a cluster, looked at after every step that can break it: it costs what the step changed.
 *
 * @example
 * const check: Check = electionSafety(new ClusterRecord())
 * check.name // 'Election Safety: at most one leader can be elected in a given term (§5.2)'
 */
export interface Check {
  readonly name: string
  /** Which of `Moved` it looks at. */
  readonly moved: number
  /** What is wrong, or null. The record knows the step already. */
  readonly see: (step: Inspection) => string | null
}

/**
 * A check that remembers what it needs in the record it is given, which several checks share.
 *
 * @example
 * const calm: CheckOf = () => ({
 *   name: 'elections are rare',
 *   moved: Moved.hardState | Moved.started,
 *   see: ({ after: { id, currentTerm } }) => (currentTerm > 100 ? `${id} is in term ${currentTerm}` : null),
 * })
 * server.inspect$.pipe(checking(calm)).subscribe(({ message }) => alarm(message)) // 'n1 is in term 101'
 */
export type CheckOf = (record: ClusterRecord) => Check

/**
 * Several checks over one record. `see` answers the first violation that a step shows, or null.
 *
 * @example
 * const checks = new Checks([electionSafety, logMatching])
 * server.inspect$.subscribe((step) => {
 *   const violation = checks.see(step)
 *   if (violation !== null) alarm(violation.message)
 * })
 */
export class Checks {
  readonly record = new ClusterRecord()
  private readonly checks: ReadonlyArray<Check>
  /** For each combination of `Moved`, found when it first comes, the checks that look at it. */
  private readonly asked: ReadonlyArray<Check>[] = []

  constructor(checks: ReadonlyArray<CheckOf>) {
    this.checks = checks.map((check) => check(this.record))
  }

  /** Looks at one step; null where nothing is broken. */
  see(step: Inspection): Violation | null {
    const moved = movedBy(step)
    this.record.see(step, moved)
    const checks = (this.asked[moved] ??= this.checks.filter((check) => (check.moved & moved) !== 0))
    for (let i = 0; i < checks.length; i++) {
      const check = checks[i]!
      const message = check.see(step)
      if (message !== null) return { name: check.name, at: step.at, message }
    }
    return null
  }
}

/**
 * Checks as an operator over the steps of all servers of a cluster, merged: emits every violation. In
 * one process the order of `inspect$` is the order in which things happened, which is all it needs.
 *
 * @example
 * const step$ = merge(...servers.map(({ inspect$ }) => inspect$))
 * step$.pipe(checking(electionSafety, logMatching)).subscribe(console.error)
 */
export const checking =
  (...checks: ReadonlyArray<CheckOf>): OperatorFunction<Inspection, Violation> =>
  (step$) =>
    new Observable((subscriber) => {
      const all = new Checks(checks)
      return step$.subscribe({
        next: (step) => {
          const violation = all.see(step)
          if (violation !== null) subscriber.next(violation)
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })
