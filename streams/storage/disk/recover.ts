import { either } from 'fp-ts'
import { constants } from 'node:fs'
import { catchError, concat, concatMap, EMPTY, forkJoin, from, ignoreElements, map, mergeMap, type Observable, of, throwError } from 'rxjs'
import type { HardState } from '../../../src/raft/effect.js'
import { refuse } from '../refuse.js'
import { corrupt, hasCode, whileReading, whileWriting } from './errors.js'
import { type Handles, readWhole } from './handles.js'
import type { Identity } from './identity.js'
import { segmentFile, snapshotFile, snapshotsAmong, voteFile } from './layout.js'
import { type LogEnd, readLog, segmentsIn } from './readLog.js'
import type { Replayed } from './replay.js'
import { unlink } from './snapshotFiles.js'
import { openSnapshot, type SnapshotFile } from './snapshotReader.js'
import { isSame, readSlots, reconcile, type Slot } from './vote.js'

/** What was found, all of it durable, and where to write on. */
export interface Found extends Pick<LogEnd, 'segment' | 'fd' | 'highest' | 'former'> {
  readonly recovered: Replayed
  /** Term and vote as the log holds them: older ones where a crash let the vote file alone have the last. */
  readonly logged: HardState
  /** Whether log and vote file both hold its term and vote. */
  readonly slotIsCurrent: boolean
  /** Where the next write goes. */
  readonly end: number
  /** How long that segment is: behind `end` there are zeros, room for the writes to come. */
  readonly size: number
  /** The newest slot of the vote file, null if none was good; and that file, open. */
  readonly slot: Slot | null
  readonly voteFd: number
  /** The snapshot that the log begins after, checked and open; null where it begins with its first entry. */
  readonly snapshot: SnapshotFile | null
}

/**
 * Reads a data directory. Nothing is changed before all of it has been read and judged; then the torn end of the last
 * write is cut off, what may not be durable yet is made so, and snapshots that nothing refers to are removed.
 */
export const recover = (handles: Handles, directory: string, identity: Identity): Observable<Found> =>
  forkJoin([readVote(handles, directory, identity), namesIn(handles, directory)]).pipe(
    mergeMap(([slot, names]) =>
      segmentsIn(directory, names).pipe(
        mergeMap((segments) => readLog(handles, directory, identity, segments, slot?.durable ?? 0)),
        mergeMap((log) => forkJoin([of(slot), of(names), of(log), snapshotOf(handles, directory, identity, log.whole)])),
      ),
    ),
    mergeMap(([slot, names, log, snapshot]) => {
      const hardState = reconcile(log.whole, log.torn, slot)
      if (either.isLeft(hardState)) return refuse(corrupt(voteFile(directory), 0, hardState.left))
      const { segment, fd, highest, former, whole, wholeTo: end, torn, bytes } = log
      const size = torn ? end : bytes.length
      const recovered = { ...whole, ...hardState.right }
      const logged = { currentTerm: whole.currentTerm, votedFor: whole.votedFor }
      const slotIsCurrent = slot !== null && isSame(recovered, whole) && isSame(recovered, slot.hardState)
      return handles.openDurable(voteFile(directory), constants.O_RDWR | constants.O_CREAT).pipe(
        whileWriting(voteFile(directory)),
        mergeMap((voteFd) =>
          concat(
            repair(handles, directory, log),
            removeOthers(handles, directory, names, snapshot),
            of({ recovered, logged, slotIsCurrent, segment, fd, end, size, highest, former, slot, voteFd, snapshot }),
          ),
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

const namesIn = (handles: Handles, directory: string): Observable<ReadonlyArray<string>> =>
  handles.call<string[]>((fs, done) => fs.readdir(directory, done)).pipe(whileReading(directory))

const snapshotOf = (
  handles: Handles,
  directory: string,
  identity: Identity,
  { snapshot, log }: Replayed,
): Observable<SnapshotFile | null> => (snapshot === null ? of(null) : openSnapshot(handles, directory, identity, snapshot, log.base))

/** A crash left them: one that was being stored, whole or in part, or one that was to be discarded. */
const removeOthers = (handles: Handles, directory: string, names: ReadonlyArray<string>, current: SnapshotFile | null): Observable<never> =>
  from(snapshotsAmong(names)).pipe(concatMap((ref) => (ref === current?.ref ? EMPTY : unlink(handles, snapshotFile(directory, ref)))))

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
