import { either } from 'fp-ts'
import { concat, EMPTY, from, last, map, mergeMap, mergeScan, type Observable, of } from 'rxjs'
import { refuse } from '../refuse.js'
import { corrupt, whileReading } from './errors.js'
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
  /** What the segments before it occupy. */
  readonly formerBytes: number
  /** The segment after it, if rotation did not even write its header. */
  readonly unborn: number | null
}

/** The numbers of the segments: consecutive, and at least one. */
export const listSegments = (handles: Handles, directory: string): Observable<ReadonlyArray<number>> =>
  handles
    .call<string[]>((fs, done) => fs.readdir(directory, done))
    .pipe(
      whileReading(directory),
      mergeMap((names) => {
        const segments = segmentsAmong(names)
        const [first = 1] = segments
        const missing = segments.length === 0 ? first : segments.map((_, i) => first + i).find((segment, i) => segment !== segments[i])
        return missing === undefined ? of(segments) : refuse(corrupt(segmentFile(directory, missing), 0, 'the file is missing'))
      }),
    )

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
    map((end) => end!),
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
  handles.open(path, 'r+').pipe(
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
  const { segment, whole, wholeFrom, wholeTo } = progress
  if (ending === 'unborn' && former !== null) return concat(handles.close(fd), of({ ...former, unborn: segment }))
  const formerBytes = former === null ? 0 : former.formerBytes + former.bytes.length
  const end: LogEnd = { segment, fd, bytes, whole: whole!, wholeFrom, wholeTo, torn: ending === 'torn', formerBytes, unborn: null }
  return concat(former === null ? EMPTY : handles.close(former.fd), of(end))
}

const orCorrupt = <A>(path: string, judged: either.Either<Damage, A>): Observable<A> =>
  either.isRight(judged) ? of(judged.right) : refuse(corrupt(path, judged.left.offset, judged.left.what))
