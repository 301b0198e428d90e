import type { InvariantViolation } from '../../src/raft/error.js'
import { checkedStep } from '../../src/raft/invariants.js'
import { defaultSettings, type Settings } from '../../src/raft/settings.js'
import { checkBounds, defaultBounds, type SearchBounds } from './search/bounds.js'
import { explore, type SearchProgress } from './search/explore.js'
import { retell } from './search/retell.js'
import { silencesOf } from './search/site.js'

export type { SearchBounds } from './search/bounds.js'
export type { SearchProgress } from './search/explore.js'

/**
 * The bounds that are not given are those of docs/search.md.
 *
 * @example
 * const options: SearchOptions = { settings: { leaderNoop: false }, step: immerStep, symmetry: false, longTurns: true }
 * search({ servers: 2, entries: 0, ...options }).counterexample // null: every property holds
 */
export interface SearchOptions extends Partial<SearchBounds> {
  readonly settings?: Partial<Settings>
  /**
   * What a server does with an event; `checkedStep` unless told otherwise. It must depend on nothing but what it is
   * given, on no server's name, and not on what is left out there: generations of timers, whom a follower takes for its
   * leader.
   */
  readonly step?: typeof checkedStep
  /** Whether states that differ in the servers' names only count as one: true by default. */
  readonly symmetry?: boolean
  /** Whether a turn of the loop may hold several events, so that what has gathered is sent later: false by default. */
  readonly longTurns?: boolean
}

/**
 * The result of a search.
 *
 * @example
 * const { exhausted, counterexample }: SearchResult = search({ servers: 3, terms: 1, entries: 0 })
 * if (counterexample !== null) alarm(counterexample.transcript)
 */
export interface SearchResult extends SearchProgress {
  /** Whether every state within the bounds was looked at. */
  readonly exhausted: boolean
  readonly bounds: SearchBounds
  readonly counterexample: Counterexample | null
}

/**
 * A shortest way to a state that must not be.
 *
 * @example
 * const told = ({ violation, transcript }: Counterexample): string => `${transcript}\n${violation.invariant}`
 */
export interface Counterexample {
  readonly violation: InvariantViolation
  /** The way as a transcript (`transcript`), and then what does not hold. */
  readonly transcript: string
}

/**
 * Looks at every state that a cluster of the real `step` can reach within the bounds: messages arrive in any order, are
 * lost or doubled, servers crash, and disks take any time. After every step the invariants of the server and the
 * properties of Figure 3 are checked. Throws an `Error` for a bound that makes no sense.
 *
 * @example
 * const { states, exhausted, counterexample } = search({ servers: 3, terms: 1, entries: 0, crashes: 0 })
 */
export const search = (options: SearchOptions = {}): SearchResult => {
  const searches = searching(options)
  for (;;) {
    const { done, value } = searches.next()
    if (done === true) return value
  }
}

/**
 * The same search as a generator: it yields its progress from time to time, and a caller that has seen enough stops
 * asking.
 *
 * @example
 * const progress: ReadonlyArray<SearchProgress> = [...searching({ servers: 2, entries: 0 })]
 * for (const { states, frontier } of progress) console.log(`${states} states; ${frontier} are not looked at yet`)
 */
export function* searching({
  settings = {},
  step = checkedStep,
  symmetry = true,
  longTurns = false,
  ...given
}: SearchOptions = {}): Generator<SearchProgress, SearchResult, undefined> {
  const bounds = { ...defaultBounds, ...given }
  checkBounds(bounds)
  const options = {
    bounds,
    settings: { ...defaultSettings, ...settings },
    step,
    symmetry,
    longTurns,
    silences: silencesOf(bounds),
    forget: true,
  }
  const { way, violation, ...explored } = yield* explore(options)
  const counterexample = way === null || violation === null ? null : { violation, transcript: retell(options, way, violation) }
  return { ...explored, bounds, counterexample }
}
