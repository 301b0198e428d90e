import { isDeepStrictEqual } from 'node:util'
import { catchError, concat, EMPTY, expand, ignoreElements, map, mergeMap, type Observable, of, throwError } from 'rxjs'
import type { LogBase } from '../../../src/raft/state/log.js'
import type { StoredSnapshot } from '../../../src/raft/state/snapshots.js'
import { refuse } from '../refuse.js'
import { corrupt, hasCode, whileReading } from './errors.js'
import { unsupported } from './formats.js'
import { type Handles, sizeOf } from './handles.js'
import type { Identity } from './identity.js'
import { snapshotFile } from './layout.js'
import { recordHeaderBytes } from './record.js'
import {
  blockBytes,
  blockOffset,
  blockOrigin,
  blocksAtOnce,
  blocksOf,
  fileBytes,
  readBlock,
  readHeader,
  snapshotMadeLater,
} from './snapshotFormat.js'

/** The file of a whole snapshot, open. */
export interface SnapshotFile extends StoredSnapshot {
  readonly path: string
  readonly fd: number
  readonly origin: number
  readonly headerBytes: number
}

/** A run of the bytes of a snapshot, and where among them it begins. */
interface PieceRun {
  readonly offset: number
  readonly bytes: Buffer
}

/**
 * The bytes of `file` from `offset` on, as many as `length`: the blocks that hold them are read and checked, some at a
 * time, and no others.
 */
export const readRange = (handles: Handles, file: SnapshotFile, offset: number, length: number): Observable<Uint8Array> => {
  const target = new Uint8Array(Math.max(0, Math.min(length, file.size - offset)))
  if (target.length === 0) return of(target)
  const end = offset + target.length
  return concat(
    runs(handles, file, Math.floor(offset / blockBytes) + 1, blocksOf(end)).pipe(
      map((run) => {
        const skipped = Math.max(0, offset - run.offset)
        target.set(run.bytes.subarray(skipped, end - run.offset), run.offset + skipped - offset)
      }),
      ignoreElements(),
    ),
    of(target),
  )
}

/**
 * Opens the snapshot that a log begins after, which `pointer` names, and checks all of it. What it lacks makes it
 * `Corrupt`; a file of a later build is `Unsupported`.
 */
export const openSnapshot = (
  handles: Handles,
  directory: string,
  identity: Identity,
  { ref, size }: StoredSnapshot,
  base: LogBase,
): Observable<SnapshotFile> => {
  const path = snapshotFile(directory, ref)
  const damaged = (what: string): Observable<never> => refuse(corrupt(path, 0, `${what}, and the log begins after it`))
  return handles.open(path, 'r').pipe(
    mergeMap((fd) =>
      sizeOf(handles, fd).pipe(
        mergeMap((bytes) => readHead(handles, fd, bytes).pipe(map((head) => ({ bytes, head })))),
        mergeMap(({ bytes, head }) => {
          const later = snapshotMadeLater(head)
          if (later !== null) return refuse(unsupported(path, later))
          const found = readHeader(head)
          if (found === null) return damaged('it does not open with the header of a snapshot')
          const { header, end: headerBytes } = found
          const { id, clusterId, incarnation } = header
          if (id !== identity.id || clusterId !== identity.clusterId || incarnation !== identity.incarnation)
            return damaged(`it belongs to server ${id} of cluster ${clusterId}, incarnation ${incarnation}`)
          if (header.ref !== ref) return damaged(`it is snapshot ${header.ref} under another name`)
          if (!isDeepStrictEqual(header.base, { index: base.index, term: base.term, configuration: base.configuration }))
            return damaged(`it is of entry ${header.base.index} of term ${header.base.term}, not of ${base.index} of term ${base.term}`)
          if (bytes !== fileBytes(headerBytes, size)) return damaged(`it has not the length of a snapshot of ${size} bytes`)
          const file: SnapshotFile = { ref, size, path, fd, origin: blockOrigin(identity, ref), headerBytes }
          return concat(runs(handles, file, 1, blocksOf(size)).pipe(ignoreElements()), of(file))
        }),
      ),
    ),
    catchError((error: unknown) => (hasCode(error, 'ENOENT') ? damaged('the file is missing') : throwError(() => error))),
    whileReading(path),
  )
}

/** So much of the file that it holds the header: its first record, whose length may be damaged. */
const readHead = (handles: Handles, fd: number, bytes: number): Observable<Buffer> => {
  const read = (length: number): Observable<Buffer> => {
    const target = Buffer.alloc(Math.min(length, bytes))
    return concat(handles.read(fd, target).pipe(ignoreElements()), of(target))
  }
  return read(recordHeaderBytes).pipe(
    mergeMap((start) =>
      start.length < recordHeaderBytes ? of(start) : read(recordHeaderBytes + Math.min(start.readUInt32LE(4), maxHeaderBytes)),
    ),
  )
}

/** More than any configuration takes. */
const maxHeaderBytes = 1 << 24

/** The bytes of the blocks from `first` to `last`, of some blocks at a time, so that others have a turn between two. */
const runs = (handles: Handles, file: SnapshotFile, first: number, last: number): Observable<PieceRun> => {
  const from = (number: number): Observable<{ readonly next: number; readonly run: PieceRun }> => {
    if (number > last) return EMPTY
    const next = Math.min(number + blocksAtOnce, last + 1)
    return readRun(handles, file, number, next).pipe(map((run) => ({ next, run })))
  }
  return from(first).pipe(
    expand(({ next }) => from(next)),
    map(({ run }) => run),
  )
}

/** The bytes of the blocks from `first` to before `next`. */
const readRun = (
  handles: Handles,
  { path, fd, origin, headerBytes, size }: SnapshotFile,
  first: number,
  next: number,
): Observable<PieceRun> => {
  const runAt = blockOffset(headerBytes, first)
  const runEnd = Math.min(blockOffset(headerBytes, next), fileBytes(headerBytes, size))
  const file = Buffer.allocUnsafeSlow(runEnd - runAt)
  const offset = (first - 1) * blockBytes
  return concat(handles.read(fd, file, runAt).pipe(ignoreElements()), of(file)).pipe(
    mergeMap(() => {
      const bytes = Buffer.allocUnsafeSlow(Math.min((next - first) * blockBytes, size - offset))
      for (let number = first; number < next; number++) {
        const fileAt = blockOffset(headerBytes, number)
        const length = Math.min(blockBytes, size - (number - 1) * blockBytes)
        const block = readBlock(file, fileAt - runAt, length, { origin, number, last: number === blocksOf(size), fileAt })
        if (block === null) return refuse(corrupt(path, fileAt, `block ${number} of the snapshot is not what was written`))
        block.copy(bytes, (number - first) * blockBytes)
      }
      return of({ offset, bytes })
    }),
    whileReading(path),
  )
}
