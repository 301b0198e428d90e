import type { LogIndex } from '../../../src/raft/ids.js'
import type { HardState } from '../../../src/raft/effect.js'
import type { LogBase } from '../../../src/raft/state/log.js'
import type { StoredSnapshot } from '../../../src/raft/state/snapshots.js'
import { presentFormat } from './formats.js'
import type { Identity } from './identity.js'
import { encodeSegmentHeader } from './payload.js'
import { recordHeaderBytes, sealRecord } from './record.js'
import { headerOrigin } from './replay.js'

/** What the log is when a segment begins. */
export interface SegmentState extends HardState {
  readonly base: LogBase
  readonly snapshot: StoredSnapshot | null
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
}

/** The first record of a segment, which is write `write` by itself. */
export const encodeSegment = (
  { id, clusterId, incarnation }: Identity,
  segment: number,
  write: number,
  { currentTerm, votedFor, base, snapshot, lastIndex, commitIndex }: SegmentState,
): Buffer => {
  const payload = encodeSegmentHeader({
    format: `rxraft log ${presentFormat}`,
    group: 0,
    id,
    clusterId,
    incarnation,
    segment,
    currentTerm,
    votedFor,
    base: { index: base.index, term: base.term, configuration: base.configuration },
    snapshot: snapshot === null ? null : { ref: snapshot.ref, size: snapshot.size },
    lastIndex,
    commitIndex,
  })
  const record = Buffer.concat([Buffer.alloc(recordHeaderBytes), payload])
  sealRecord(record, 0, record.length, { kind: 'segment', write, last: true, origin: headerOrigin, targetAt: 0 })
  return record
}
