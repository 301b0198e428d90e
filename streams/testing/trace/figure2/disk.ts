import type { TraceRecovered } from '../line.js'
import { type Change, changed, entryAt, isSame, lastIndex, type ModelLog, termAt } from './log.js'
import { must } from './must.js'

/*
 * "Updated on stable storage before responding to RPCs" (Figure 2), where writing takes time (docs/divergences.md): a
 * disk, and the writes on their way to it. What is on the disk is not yet durable while a write under way will replace
 * it.
 */

interface HardState {
  readonly currentTerm: number
  readonly votedFor: string | null
}

interface PendingWrite extends HardState {
  readonly seq: number
  readonly change: Change | null
}

export interface Disk extends HardState {
  readonly log: ModelLog
  readonly written: number
  readonly pending: ReadonlyArray<PendingWrite>
}

export const write = (disk: Disk, hardState: HardState, change: Change | null): Disk => ({
  ...disk,
  written: disk.written + 1,
  pending: [...disk.pending, { ...hardState, seq: disk.written + 1, change }],
})

/** All writes up to `seq` are done. */
export const persisted = (disk: Disk, seq: number): Disk => {
  const done = disk.pending.filter((pending) => pending.seq <= seq)
  const { currentTerm, votedFor } = done.at(-1) ?? disk
  return {
    ...disk,
    currentTerm,
    votedFor,
    log: done.reduce((log, { change }) => (change === null ? log : changed(log, change)), disk.log),
    pending: disk.pending.filter((pending) => pending.seq > seq),
  }
}

/**
 * Up to where the log is on the disk and will not be taken from it by a write under way. Terms are not looked at: the
 * same may have been written twice.
 */
export const durableIndex = ({ log, pending }: Disk): number => Math.min(lastIndex(log), ...pending.map(({ change }) => keptBy(change)))

const keptBy = (change: Change | null): number =>
  change === null ? Number.POSITIVE_INFINITY : change._tag === 'Entries' ? change.from - 1 : change.kept

/** What may be said once the writes up to `after` are done; null: now. */
export const once = (disk: Disk, after: number | null): Disk => {
  must(after === null || after <= disk.written, `something waits for write ${after}, which it did not ask for`)
  return after === null ? disk : persisted(disk, after)
}

/** Whether that vote can no longer be forgotten. */
export const remembers = ({ currentTerm, votedFor }: Disk, T: number, candidate: string): boolean =>
  currentTerm === T && votedFor === candidate

const isState = (found: TraceRecovered, { currentTerm, votedFor }: HardState, log: ModelLog): boolean =>
  found.currentTerm === currentTerm &&
  found.votedFor === votedFor &&
  found.entries.length === log.entries.length &&
  found.base.index === log.baseIndex &&
  found.entries.every((entry, i) => isSame(entry, log.entries[i]))

/**
 * A crash: the disk holds what was acknowledged and, of the writes under way, any number of the first records: of each
 * write the snapshot, the hard state, then the truncation, then the entries one by one.
 */
export const mayHold = (disk: Disk, found: TraceRecovered): boolean => {
  let { log }: { log: ModelLog } = disk
  let hardState: HardState = disk
  if (isState(found, hardState, log)) return true
  for (const write of disk.pending) {
    const { change } = write
    if (change?._tag === 'Snapshot') log = changed(log, change)
    if (isState(found, hardState, log)) return true
    hardState = write
    if (isState(found, hardState, log)) return true
    if (change?._tag !== 'Entries') continue
    for (let n = 0; n <= change.entries.length; n++) {
      if (isState(found, hardState, changed(log, { ...change, entries: change.entries.slice(0, n) }))) return true
    }
    log = changed(log, change)
  }
  return false
}

/** Whether a disk holds that entry for good. */
export const holds = (disk: Disk, index: number, log: ModelLog): boolean =>
  index <= disk.log.baseIndex ||
  (index <= durableIndex(disk) && termAt(disk.log, index) === termAt(log, index) && isSame(entryAt(disk.log, index), entryAt(log, index)))
