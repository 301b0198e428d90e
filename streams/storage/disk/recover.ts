import { either } from 'fp-ts'
import { constants } from 'node:fs'
import { catchError, concat, defer, EMPTY, from, ignoreElements, last, map, mergeMap, mergeScan, type Observable, of, throwError } from 'rxjs'
import { refuse } from '../refuse.js'
import { corrupt, hasCode, whileReading, whileWriting } from './errors.js'
import { type Handles, readWhole, sizeOf } from './handles.js'
import type { Identity } from './identity.js'
import { keeper } from './keeper.js'
import { segmentFile, segmentsAmong, voteFile } from './layout.js'
import { type Damage, judge, type Progress, replay, type Replayed, startOf } from './replay.js'
import { isSame, readSlots, reconcile, type Slot } from './vote.js'

/** What was found, all of it durable, and where to write on. */
export interface Found {
  readonly recovered: Replayed
  /** Whether both places hold its term and vote. */
  readonly settled: boolean
  readonly slot: Slot | null
  /** The vote file, open. */
  readonly voteFd: number
  /** The segment that is being written: its number, its open file, where its last write ends. */
  readonly segment: number
  readonly fd: number
  readonly end: number
  /** What the segments before it occupy. */
  readonly formerBytes: number
}

/** The last segment that holds anything, read. */
interface ReadSegment {
  readonly fd: number
  readonly bytes: Buffer
  readonly progress: Progress
  readonly whole: Replayed
  readonly torn: boolean
  readonly formerBytes: number
  /** The segment after it, if rotation did not even write its header. */
  readonly unborn: number | null
}

/**
 * Reads a data directory. Nothing is changed before all of it has been read and judged; then the torn
 * end of the last write is cut off, and what may not be durable yet is made so.
 */
export const recover = (handles: Handles, directory: string, identity: Identity): Observable<Found> =>
  slotsIn(handles, directory, identity).pipe(
    mergeMap((slot) => segmentsIn(handles, directory).pipe(
      mergeMap((segments) => readSegments(handles, directory, identity, segments, slot?.durable ?? 0)),
      mergeMap((read) => {
        const { whole, torn, unborn, progress, fd, formerBytes } = read
        const hardState = reconcile(whole, torn || unborn !== null, slot)
        if (either.isLeft(hardState)) return refuse(corrupt(voteFile(directory), 0, hardState.left))
        const found: Omit<Found, 'voteFd'> = {
          recovered: { ...whole, ...hardState.right },
          settled: isSame(hardState.right, whole) && slot !== null && isSame(hardState.right, slot.hardState),
          slot, segment: progress.segment, fd, end: progress.wholeTo, formerBytes,
        }
        return handles.open(voteFile(directory), constants.O_RDWR | constants.O_CREAT).pipe(
          whileWriting(voteFile(directory)),
          mergeMap((voteFd) => concat(repair(handles, directory, read), of({ ...found, voteFd }))),
        )
      }),
    )),
  )

const slotsIn = (handles: Handles, directory: string, identity: Identity): Observable<Slot | null> =>
  readWhole(handles, voteFile(directory)).pipe(
    map((file) => readSlots(file, identity)),
    catchError((error: unknown) => (hasCode(error, 'ENOENT') ? of(null) : throwError(() => error))),
    whileReading(voteFile(directory)),
  )

const segmentsIn = (handles: Handles, directory: string): Observable<ReadonlyArray<number>> =>
  handles.call<string[]>((fs, done) => fs.readdir(directory, done)).pipe(
    whileReading(directory),
    mergeMap((names) => {
      const segments = segmentsAmong(names)
      const missing = segments.length === 0 ? 1 : segments.find((segment, i) => i > 0 && segment !== segments[i - 1]! + 1)
      return missing === undefined ? of(segments) : refuse(corrupt(segmentFile(directory, segments.length === 0 ? 1 : missing - 1), 0, 'the file is missing'))
    }),
  )

const readSegments = (handles: Handles, directory: string, identity: Identity, segments: ReadonlyArray<number>, durable: number): Observable<ReadSegment> => {
  const keep = keeper()
  return from(segments).pipe(
    mergeScan((former: ReadSegment | null, segment) => {
      const path = segmentFile(directory, segment)
      const start = startOf(segment, identity, former?.whole ?? null)
      const isLast = segment === segments[segments.length - 1]
      return handles.open(path, 'r+').pipe(
        mergeMap((fd) => sizeOf(handles, fd).pipe(
          mergeMap((size) => {
            const bytes = Buffer.allocUnsafeSlow(size)
            return handles.read(fd, bytes).pipe(
              mergeScan((progress, filled) => orCorrupt(path, replay(bytes.subarray(0, filled), progress, keep)), start, 1),
              last(),
              mergeMap((progress) => orCorrupt(path, either.map((ending) => ({ progress, ending }))(judge(bytes, progress, isLast, durable)))),
              mergeMap(({ progress, ending }) => {
                if (ending === 'unborn' && former !== null) return concat(handles.close(fd), of({ ...former, unborn: segment }))
                const formerBytes = former === null ? 0 : former.formerBytes + former.bytes.length
                const read: ReadSegment = { fd, bytes, progress, whole: progress.whole!, torn: ending === 'torn', formerBytes, unborn: null }
                return concat(former === null ? EMPTY : handles.close(former.fd), of(read))
              }),
            )
          }),
        )),
        whileReading(path),
      )
    }, null, 1),
    last(),
    map((read) => read!),
  )
}

const orCorrupt = <A>(path: string, judged: either.Either<Damage, A>): Observable<A> =>
  either.isRight(judged) ? of(judged.right) : refuse(corrupt(path, judged.left.offset, judged.left.what))

/**
 * The last write is written once more before it is synced: after a failed sync its pages may be clean in memory
 * and yet not on disk, and then a sync alone would answer that all is well. Those before it were
 * synced before it began.
 */
const repair = (handles: Handles, directory: string, { fd, bytes, progress: { segment, wholeFrom, wholeTo }, torn, unborn }: ReadSegment): Observable<never> => {
  const unlink = (path: string): Observable<never> => handles.call((fs, done) => fs.unlink(path, done)).pipe(ignoreElements())
  const truncate = handles.call((fs, done) => fs.ftruncate(fd, wholeTo, done)).pipe(ignoreElements())
  return concat(
    unborn === null ? EMPTY : unlink(segmentFile(directory, unborn)),
    torn ? truncate : EMPTY,
    defer(() => handles.write(fd, bytes.subarray(wholeFrom, wholeTo), wholeFrom)),
    handles.fsync(fd),
    handles.fsyncDirectory(directory),
  ).pipe(whileWriting(segmentFile(directory, segment)))
}
