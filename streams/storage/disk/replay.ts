import { either } from 'fp-ts'
import { type LogIndex, logIndex, maxIndex } from '../../../src/raft/ids.js'
import { applyHeader, applyRecord, type State } from './apply.js'
import { madeLater } from './formats.js'
import type { Identity } from './identity.js'
import { findLaterWrite, originOf, readRecord } from './record.js'

/*
 * Bytes of segments to what a server finds when it starts. Pure; recover.ts brings the bytes.
 */

/** A state as of the end of a physical write. */
export interface Replayed extends State {
  readonly write: number
}

/** How far a segment is read. */
export interface Progress {
  readonly segment: number
  readonly identity: Identity
  /** What the last whole write left behind; null before the header of the first segment. */
  readonly whole: Replayed | null
  /** Where in this segment that write begins and ends; both 0 if it stands in the segment before. */
  readonly wholeFrom: number
  readonly wholeTo: number
  /** The same, and the records of a write whose last record was not read yet. */
  readonly state: State | null
  readonly at: number
  /** The highest index of an entry in this segment, also where it was truncated later; 0 where there is none. */
  readonly highest: LogIndex
}

/** Why a segment cannot be read: a crash cannot explain it, or (`isLater`) a later build of rxraft wrote it. */
export interface Damage {
  readonly isLater?: boolean
  readonly offset: number
  readonly what: string
}

/** At the start of `segment`, after what the segments before it left behind. */
export const startOf = (segment: number, identity: Identity, whole: Replayed | null): Progress => ({
  segment,
  identity,
  whole,
  wholeFrom: 0,
  wholeTo: 0,
  state: whole,
  at: 0,
  highest: logIndex(0),
})

/**
 * Where the checksums of a segment begin; those of its header begin where no name is needed, so that it can say whose
 * it is.
 */
export const segmentOrigin = ({ clusterId, id, incarnation }: Identity, segment: number): number =>
  originOf(['log', clusterId, id, incarnation, String(segment)])
export const headerOrigin = originOf(['rxraft log'])

/**
 * Reads on as long as good records follow. `bytes` is the segment from its start, as far as it was read. `keep` copies
 * a payload out of it.
 */
export const replay = (bytes: Buffer, progress: Progress, keep: (payload: Uint8Array) => Uint8Array): either.Either<Damage, Progress> => {
  const origin = segmentOrigin(progress.identity, progress.segment)
  let { whole, wholeFrom, wholeTo, state, at, highest } = progress
  for (;;) {
    const record = readRecord(bytes, at, at === 0 ? headerOrigin : origin)
    if (record === null) return either.right({ ...progress, whole, wholeFrom, wholeTo, state, at, highest })
    if (whole !== null && record.write !== whole.write + 1)
      return either.left({ offset: at, what: `a record of write ${record.write} stands where one of write ${whole.write + 1} should` })

    const later = at === 0 && record.kind === 'segment' ? madeLater(record.payload, 'log') : null
    if (later !== null) return either.left({ offset: at, what: later, isLater: true })
    const next = at === 0 ? applyHeader(progress, record) : applyRecord(state, record, keep)
    if (typeof next === 'string') return either.left({ offset: at, what: next })
    state = next
    at = record.end
    if (record.kind === 'entries') highest = maxIndex(highest, state.log.lastIndex)
    if (record.last) {
      whole = { ...state, write: record.write }
      wholeFrom = wholeTo
      wholeTo = at
    }
  }
}

export type Ending =
  /** Everything in the file belongs to whole writes, or is room for the next: zeros, as if that write had not begun. */
  | 'whole'
  /** Behind the last whole write stand remains of one that never ended: they are to be cut off. */
  | 'torn'
  /** Not even the header was written: rotation did not get further, the file is to be removed. */
  | 'unborn'

/**
 * Tells the torn end of the last write from damage, at the end of a segment that was read as far as it goes.
 * A write may reach the disk in part, its pages in any order; but it begins only after the former was
 * synced. So what follows the last whole write can be the torn next one, unless
 *
 *  - a good record of a write after that follows,
 *  - another segment follows (then `durable` is null), or
 *  - the durable marker says that the next one was on disk (`durable` is the number of a write that was).
 */
export const judge = (bytes: Buffer, progress: Progress, durable: number | null): either.Either<Damage, Ending> => {
  const { segment, identity, whole, wholeTo, at } = progress
  if (whole === null) return either.left({ offset: at, what: 'no header of a log stands there' })
  const next = whole.write + 1
  const damage = (but: string): either.Either<Damage, Ending> =>
    either.left({ offset: at, what: `a record of write ${next} should stand there, ${but}` })

  const ending: Ending = wholeTo === 0 ? 'unborn' : isBlank(bytes.subarray(wholeTo)) ? 'whole' : 'torn'
  if (ending !== 'whole') {
    if (durable === null) return damage('and another segment follows')
    const later = findLaterWrite(bytes, at, segmentOrigin(identity, segment), next)
    if (later !== null) return damage(`and a later write follows at byte ${later}`)
  }
  return durable !== null && durable >= next ? damage(`and all writes up to ${durable} were on disk`) : either.right(ending)
}

const isBlank = (bytes: Buffer): boolean => bytes.equals(Buffer.alloc(bytes.length))
