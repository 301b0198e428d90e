import { Observable, type OperatorFunction } from 'rxjs'
import type { Inspection } from '../../loop/run.js'
import { ClusterRecord } from './record.js'

/** A property does not hold. `at` is the time of the step that showed it; `message` says what was seen. */
export interface Violation {
  readonly name: string
  readonly at: number
  readonly message: string
}

/** What a step moved, as bits: a check is shown the steps that moved what it looks at, and no others. */
export const Moved = {
  started: 1,
  log: 2,
  commitIndex: 4,
  /** The kind of role, or the term in which it is held. */
  role: 8,
  hardState: 16,
  durable: 32,
  /** `applyingIndex` or `lastApplied`. */
  applied: 64,
  /** A message was received. */
  received: 128,
  /** The role, in any part of it, or the snapshots. */
  roleOrSnapshots: 256,
} as const

/** One property of a cluster, looked at after every step that can break it: it costs what the step changed. */
export interface Check {
  readonly name: string
  /** Which of `Moved` it looks at. */
  readonly moved: number
  /** What is wrong, or null. The record knows the step already. */
  readonly see: (step: Inspection) => string | null
}

/** A check that remembers what it needs in the record it is given, which several checks share. */
export type CheckOf = (record: ClusterRecord) => Check

export const movedBy = ({ event, before, after }: Inspection): number =>
  (event._tag === 'Started' ? Moved.started : event._tag === 'Received' ? Moved.received : 0) |
  (before === after
    ? 0
    : (before.log === after.log ? 0 : Moved.log) |
      (before.commitIndex === after.commitIndex ? 0 : Moved.commitIndex) |
      (before.role._tag === after.role._tag && before.currentTerm === after.currentTerm ? 0 : Moved.role) |
      (before.currentTerm === after.currentTerm && before.votedFor === after.votedFor ? 0 : Moved.hardState) |
      (before.role === after.role && before.snapshots === after.snapshots ? 0 : Moved.roleOrSnapshots) |
      (before.writeProgress === after.writeProgress ? 0 : Moved.durable) |
      (before.applyingIndex === after.applyingIndex && before.lastApplied === after.lastApplied ? 0 : Moved.applied))

/** Several checks over one record. `see` answers the first violation that a step shows, or null. */
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
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(electionSafety, logMatching)).subscribe(console.error)
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
