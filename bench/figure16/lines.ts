import { type DelayMs, lan } from './cluster.js'
import { trial } from './trial.js'

/** One line of Figure 16. */
export interface Line {
  readonly electionTimeoutMs: { readonly min: number; readonly max: number }
  /** What §9.3 says of it in words or draws unmistakably; null where it is only a curve. */
  readonly paper: string | null
}

/** What was measured of a line. */
export interface Measured {
  readonly line: Line
  /** Milliseconds without a leader, in order; null for each trial, at the end, that ended without one. */
  readonly withoutLeaderMs: ReadonlyArray<number | null>
  /** When trials end. */
  readonly endMs: number
}

const line = (min: number, max: number, paper: string | null = null): Line => ({ electionTimeoutMs: { min, max }, paper })

export const labelOf = ({ electionTimeoutMs: { min, max } }: Line): string => `${min}–${max} ms`

const conservative = line(150, 300)

/** The upper chart: the same minimum, more and more randomness. */
export const randomness: ReadonlyArray<Line> = [
  line(150, 150, 'consistently longer than 10 s'),
  line(150, 151),
  line(150, 155, 'median 287'),
  line(150, 175),
  line(150, 200, 'max 513'),
  conservative,
]

/** The lower chart: timeouts of another size, in the same proportion. */
export const timeouts: ReadonlyArray<Line> = [line(12, 24, 'mean 35, max 152'), line(25, 50), line(50, 100), line(100, 200), conservative]

export interface MeasureOptions {
  /** Of a line with randomness; of one without a tenth. */
  readonly trials: number
  readonly seed: number
  /** One way; default 5 to 10. */
  readonly delayMs?: DelayMs
}

/**
 * The right edge of the upper chart. A line without randomness never reaches it and is given up earlier, as in the
 * paper.
 */
const endMs = { random: 100_000, same: 10_000 }

/** Seeds are so far apart that no two runs of fewer trials share one. */
const seedsApart = 2 ** 20

/** Trial by trial. The n-th trials of all lines have the same seed, so that lines differ by their timeouts alone. */
export const measure = (line: Line, { trials, seed, delayMs = lan }: MeasureOptions): Measured => {
  const { min, max } = line.electionTimeoutMs
  const ends = min === max ? endMs.same : endMs.random
  const count = min === max ? Math.ceil(trials / 10) : trials
  const withoutLeaderMs = Array.from({ length: count }, (_, i) =>
    trial({ electionTimeoutMs: { min, max }, seed: seed * seedsApart + i, delayMs, endMs: ends }),
  )
  return { line, withoutLeaderMs: withoutLeaderMs.sort((a, b) => (a ?? Infinity) - (b ?? Infinity)), endMs: ends }
}
