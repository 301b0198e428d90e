import type { Inspection } from '../../loop/run.js'

/**
 * What a step moved, as bits: a check is shown the steps that moved what it looks at, and no others.
 *
 * @example
 * // A check with these bits is shown elections and starts, and no other steps.
 * const elections: Pick<Check, 'moved'> = { moved: Moved.role | Moved.started }
 */
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

/** Which of `Moved` a step moved. */
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
