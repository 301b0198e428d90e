import type { Tuning } from '../../server/options.js'
import { oneOf, type Range } from './dice.js'

/** How fast disks and networks are when nothing is wrong with them. */
const calmWrites: ReadonlyArray<Range> = [
  { min: 0, max: 0 },
  { min: 0, max: 2 },
  { min: 1, max: 10 },
]
const calmDelays: ReadonlyArray<Range> = [
  { min: 0, max: 1 },
  { min: 1, max: 5 },
  { min: 1, max: 20 },
]
/** How often servers compact their logs, in entries; null: never. */
const snapshotsEvery = [null, 10, 50, 50, 200] as const
/** How much of a snapshot goes in one message. */
const chunkBytes = [50, 300, 1 << 20]
/** Bounds so small that a few clients meet them, in one run of three. */
const bounds: ReadonlyArray<Partial<Tuning>> = [
  {},
  {},
  {
    maxEntriesPerMessage: 2,
    maxInflightMessages: 2,
    maxUncommittedEntries: 3,
    maxUnapplied: 4,
    maxApplying: 3,
    maxPendingWrites: 3,
    maxProposals: 4,
    maxAppliesPerTurn: 2,
  },
]
/** With more operations a second, a follower could not catch up two entries at a time. */
const mostOperationsUnderBounds = 50

/** What holds for a whole run: each seed draws its own. */
export interface Conditions {
  readonly calmWriteMs: Range
  readonly calmDelayMs: Range
  readonly snapshotEvery: number | null
  readonly tuning: Partial<Tuning>
}

/** The conditions that these dice choose. What `tuning` says stands. */
export const drawConditions = (die: () => number, tuning: Partial<Tuning>, operationsPerSecond: number): Conditions => {
  const snapshotEvery = oneOf(die, snapshotsEvery)
  const maxSnapshotChunkBytes = oneOf(die, chunkBytes)
  const calmDelayMs = oneOf(die, calmDelays)
  const calmWriteMs = oneOf(die, calmWrites)
  const drawn = oneOf(die, bounds)
  const fitting = operationsPerSecond <= mostOperationsUnderBounds ? drawn : {}
  return { calmWriteMs, calmDelayMs, snapshotEvery, tuning: { ...fitting, maxSnapshotChunkBytes, ...tuning } }
}
