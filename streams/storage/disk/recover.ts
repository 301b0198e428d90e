import { either } from 'fp-ts'
import { constants } from 'node:fs'
import { catchError, concat, EMPTY, forkJoin, ignoreElements, map, mergeMap, type Observable, of, throwError } from 'rxjs'
import { refuse } from '../refuse.js'
import { corrupt, hasCode, whileReading, whileWriting } from './errors.js'
import { type Handles, readWhole } from './handles.js'
import type { Identity } from './identity.js'
import { segmentFile, voteFile } from './layout.js'
import { listSegments, type LogEnd, readLog } from './readLog.js'
import type { Replayed } from './replay.js'
import { isSame, readSlots, reconcile, type Slot } from './vote.js'

/** What was found, all of it durable, and where to write on. */
export interface Found extends Pick<LogEnd, 'segment' | 'fd' | 'formerBytes'> {
  readonly recovered: Replayed
  /** Whether log and vote file both hold its term and vote. */
  readonly settled: boolean
  /** Where the next write goes. */
  readonly end: number
  /** How long that segment is: behind `end` there are zeros, room for the writes to come. */
  readonly size: number
  /** The newest slot of the vote file, null if none was good; and that file, open. */
  readonly slot: Slot | null
  readonly voteFd: number
}

/**
 * Reads a data directory. Nothing is changed before all of it has been read and judged; then the torn
 * end of the last write is cut off, and what may not be durable yet is made so.
 */
export const recover = (handles: Handles, directory: string, identity: Identity): Observable<Found> =>
  forkJoin([readVote(handles, directory, identity), listSegments(handles, directory)]).pipe(
    mergeMap(([slot, segments]) => forkJoin([of(slot), readLog(handles, directory, identity, segments, slot?.durable ?? 0)])),
    mergeMap(([slot, log]) => {
      const hardState = reconcile(log.whole, log.torn, slot)
      if (either.isLeft(hardState)) return refuse(corrupt(voteFile(directory), 0, hardState.left))
      const { segment, fd, formerBytes, whole, wholeTo: end, torn, bytes } = log
      const size = torn ? end : bytes.length
      const recovered = { ...whole, ...hardState.right }
      const settled = slot !== null && isSame(recovered, whole) && isSame(recovered, slot.hardState)
      return handles.open(voteFile(directory), constants.O_RDWR | constants.O_CREAT).pipe(
        whileWriting(voteFile(directory)),
        mergeMap((voteFd) =>
          concat(repair(handles, directory, log), of({ recovered, settled, segment, fd, end, size, formerBytes, slot, voteFd })),
        ),
      )
    }),
  )

const readVote = (handles: Handles, directory: string, identity: Identity): Observable<Slot | null> =>
  readWhole(handles, voteFile(directory)).pipe(
    map((file) => readSlots(file, identity)),
    catchError((error: unknown) => (hasCode(error, 'ENOENT') ? of(null) : throwError(() => error))),
    whileReading(voteFile(directory)),
  )

/**
 * The last write is written once more before it is synced: after a failed sync its pages may be clean in
 * memory and yet not on disk, and a sync alone would answer that all is well. Those before it were synced
 * before it began.
 */
const repair = (handles: Handles, directory: string, log: LogEnd): Observable<never> => {
  const { segment, fd, bytes, wholeFrom, wholeTo, torn, unborn } = log
  const truncate = handles.call((fs, done) => fs.ftruncate(fd, wholeTo, done))
  const unlink = handles.call((fs, done) => fs.unlink(segmentFile(directory, unborn ?? 0), done))
  return concat(
    torn ? truncate : EMPTY,
    handles.write(fd, bytes.subarray(wholeFrom, wholeTo), wholeFrom),
    handles.fsync(fd),
    unborn === null ? EMPTY : unlink,
    handles.fsyncDirectory(directory),
  ).pipe(ignoreElements(), whileWriting(segmentFile(directory, segment)))
}
