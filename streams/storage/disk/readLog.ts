import { constants } from 'node:fs'
import { either } from 'fp-ts'
import { concat, EMPTY, from, last, map, mergeMap, mergeScan, type Observable, of } from 'rxjs'
import type { LogIndex } from '../../../src/raft/ids.js'
import { refuse } from '../refuse.js'
import type { StorageError } from '../storage.js'
import { corrupt, whileReading } from './errors.js'
import { unsupported } from './formats.js'
import { type Handles, sizeOf } from './handles.js'
import type { Identity } from './identity.js'
import { keeper } from './keeper.js'
import { segmentFile, segmentsAmong } from './layout.js'
import { type Damage, type Ending, judge, type Progress, replay, type Replayed, startOf } from './replay.js'

/** The end of the log as it was read: of the last segment that holds anything. */
export interface LogEnd {
  readonly segment: number
  /** Open, for writing on. */
  readonly fd: number
  readonly bytes: Buffer
  /** What the last whole write left behind, and where in the segment that write stands. */
  readonly whole: Replayed
  readonly wholeFrom: number
  readonly wholeTo: number
  /** Whether remains of a write that never ended stand behind it. */
  readonly torn: boolean
  /** The highest index of an entry in it. */
  readonly highest: LogIndex
  /** The segments before it, oldest first. */
  readonly former: ReadonlyArray<FormerSegment>
  /** The segment after it, if rotation did not even write its header. */
  readonly unborn: number | null
}

/** A segment that is no longer written to. It can go when a snapshot has all entries up to `highest`. */
export interface FormerSegment {
  readonly segment: number
  readonly bytes: number
  readonly highest: LogIndex
}

/** The numbers of the segments: consecutive, and at least one. */
export const segmentsIn = (directory: string, names: ReadonlyArray<string>): Observable<ReadonlyArray<number>> => {
  const segments = segmentsAmong(names)
  const [first = 1] = segments
  const missing = segments.length === 0 ? first : segments.map((_, i) => first + i).find((segment, i) => segment !== segments[i])
  return missing === undefined ? of(segments) : refuse(corrupt(segmentFile(directory, missing), 0, 'the file is missing'))
}

/** Reads all of the log and changes nothing. `durable` is the write that is known to have been on disk. */
export const readLog = (
  handles: Handles,
  directory: string,
  identity: Identity,
  segments: ReadonlyArray<number>,
  durable: number,
): Observable<LogEnd> => {
  const keep = keeper()
  const read = (segment: number, whole: Replayed | null): Observable<ReadSegment> => {
    const isLast = segment === segments[segments.length - 1]
    return readSegment(handles, segmentFile(directory, segment), startOf(segment, identity, whole), keep, isLast ? durable : null)
  }
  return from(segments).pipe(
    mergeScan<number, LogEnd | null>(
      (former, segment) => read(segment, former?.whole ?? null).pipe(mergeMap((next) => following(handles, former, next))),
      null,
      1,
    ),
    last(),
    mergeMap((end) => {
      const { unread, log } = end!.whole
      return unread === null
        ? of(end!)
        : refuse(
            corrupt(
              segmentFile(directory, segments[0]!),
              0,
              `it begins after entry ${log.base.index}, and the segments before it are missing, of which no snapshot has more than entry ${unread.index}`,
            ),
          )
    }),
  )
}

interface ReadSegment {
  readonly fd: number
  readonly bytes: Buffer
  readonly progress: Progress
  readonly ending: Ending
}

/** Block by block, so that others have a turn between two. `durable` is null where another segment follows. */
const readSegment = (
  handles: Handles,
  path: string,
  start: Progress,
  keep: (payload: Uint8Array) => Uint8Array,
  durable: number | null,
): Observable<ReadSegment> =>
  handles.openDurable(path, constants.O_RDWR).pipe(
    mergeMap((fd) => sizeOf(handles, fd).pipe(map((size) => ({ fd, bytes: Buffer.allocUnsafeSlow(size) })))),
    mergeMap(({ fd, bytes }) =>
      handles.read(fd, bytes).pipe(
        mergeScan((progress, filled) => orCorrupt(path, replay(bytes.subarray(0, filled), progress, keep)), start, 1),
        last(),
        mergeMap((progress) => orCorrupt(path, judge(bytes, progress, durable)).pipe(map((ending) => ({ fd, bytes, progress, ending })))),
      ),
    ),
    whileReading(path),
  )

/** The end of the log once `next` was read after `former`, which is closed if the log goes on behind it. */
const following = (handles: Handles, former: LogEnd | null, { fd, bytes, progress, ending }: ReadSegment): Observable<LogEnd> => {
  const { segment, whole, wholeFrom, wholeTo, highest } = progress
  if (ending === 'unborn' && former !== null) return concat(handles.close(fd), of({ ...former, unborn: segment }))
  const end: LogEnd = {
    segment,
    fd,
    bytes,
    whole: whole!,
    wholeFrom,
    wholeTo,
    torn: ending === 'torn',
    highest,
    former: former === null ? [] : [...former.former, { segment: former.segment, bytes: former.bytes.length, highest: former.highest }],
    unborn: null,
  }
  return concat(former === null ? EMPTY : handles.close(former.fd), of(end))
}

const orCorrupt = <A>(path: string, judged: either.Either<Damage, A>): Observable<A> =>
  either.isRight(judged) ? of(judged.right) : refuse(errorOf(path, judged.left))

const errorOf = (path: string, { offset, what, isLater = false }: Damage): StorageError =>
  isLater ? unsupported(path, what) : corrupt(path, offset, what)
