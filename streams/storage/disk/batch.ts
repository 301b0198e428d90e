import type { HardState, Persist, SnapshotPointer } from '../../../src/raft/effect.js'
import { InvariantViolation } from '../../../src/raft/error.js'
import { after, before, type LogIndex, logIndex, maxIndex } from '../../../src/raft/ids.js'
import { printEffect } from '../../../src/raft/print.js'
import { entriesByteLength, writeEntries } from '../../wire/entries.js'
import { hardStateByteLength, pointerByteLength, writeHardState, writeIndex, writePointer } from './payload.js'
import { type RecordKind, recordHeaderBytes, sealRecord, u48Bytes } from './record.js'

/*
 * A batch of writes as the records of one physical write, in an order of which every prefix is a
 * legal state: of each write snapshot pointer, hard state, truncation, entries; the commit hint last.
 */

export interface BatchSize {
  readonly records: number
  readonly bytes: number
  /** The last hard state in it, null for none. */
  readonly hardState: HardState | null
  /** The last pointer to a snapshot in it, null for none. */
  readonly snapshot: SnapshotPointer | null
  /** The highest index of an entry in it; 0 for none. */
  readonly highest: LogIndex
  /** Where the log ends after it. */
  readonly lastIndex: LogIndex
  /** The latest commit hint. It alone causes no write. */
  readonly commitIndex: LogIndex
}

/**
 * What `batch` will take, after a log that ends at `lastIndex` and whose last hint was `commitIndex`. Throws where it
 * does not continue that log.
 */
export const sizeOfBatch = (batch: ReadonlyArray<Persist>, lastIndex: LogIndex, commitIndex: LogIndex): BatchSize => {
  let last = lastIndex
  let records = 0
  let bytes = 0
  let hardState: HardState | null = null
  let snapshot: SnapshotPointer | null = null
  let highest = logIndex(0)
  let commit = commitIndex
  for (const persist of batch) {
    const { write } = persist
    if (write.snapshot !== null) {
      records++
      bytes += pointerByteLength(write.snapshot)
      snapshot = write.snapshot
      if (!snapshot.keepsSuffix) last = snapshot.base.index
      else if (snapshot.base.index > last)
        throw new InvariantViolation('what is written continues the log on disk', printEffect(persist), snapshot.base.index)
    }
    if (write.hardState !== null) {
      records++
      bytes += hardStateByteLength(write.hardState)
      hardState = write.hardState
    }
    if (write.truncateFrom !== null) {
      records++
      bytes += u48Bytes
      last = before(write.truncateFrom)
    }
    if (write.entries.length > 0) {
      records++
      bytes += u48Bytes + entriesByteLength(write.entries)
      if (write.firstIndex !== last + 1)
        throw new InvariantViolation('what is written continues the log on disk', printEffect(persist), write.firstIndex)
      last = after(last, write.entries.length)
      highest = maxIndex(highest, last)
    }
    if (write.commitIndex > commit) commit = write.commitIndex
  }
  if (records > 0 && commit > commitIndex) {
    records++
    bytes += u48Bytes
  }
  return { records, bytes: bytes + records * recordHeaderBytes, hardState, snapshot, highest, lastIndex: last, commitIndex: commit }
}

export interface BatchPosition {
  readonly origin: number
  /** Where in the segment the write begins. */
  readonly offset: number
  /** The number of the physical write. */
  readonly write: number
}

/** Writes `batch`, whose size is `size`, to the start of `target`. */
export const encodeBatch = (batch: ReadonlyArray<Persist>, size: BatchSize, place: BatchPosition, target: Buffer): void => {
  let at = 0
  let left = size.records
  const seal = (kind: RecordKind, end: number): void => {
    sealRecord(target, at, end, { kind, write: place.write, last: --left === 0, origin: place.origin, targetAt: place.offset })
    at = end
  }
  for (const {
    write: { snapshot, hardState, truncateFrom, firstIndex, entries },
  } of batch) {
    if (snapshot !== null) seal('pointer', writePointer(snapshot, target, at + recordHeaderBytes))
    if (hardState !== null) seal('hardState', writeHardState(hardState, target, at + recordHeaderBytes))
    if (truncateFrom !== null) seal('truncation', writeIndex(truncateFrom, target, at + recordHeaderBytes))
    if (entries.length > 0) seal('entries', writeEntries(entries, target, writeIndex(firstIndex, target, at + recordHeaderBytes)))
  }
  if (left > 0) seal('commit', writeIndex(size.commitIndex, target, at + recordHeaderBytes))
}
