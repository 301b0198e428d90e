import { concat, concatMap, defer, EMPTY, from, ignoreElements, mergeMap, type Observable } from 'rxjs'
import type { StoreSnapshot } from '../../../src/raft/effect.js'
import { InvariantViolation } from '../../../src/raft/error.js'
import type { SnapshotRef } from '../../../src/raft/ids.js'
import { whileWriting } from './errors.js'
import type { Handles } from './handles.js'
import type { Identity } from './identity.js'
import { snapshotFile } from './layout.js'
import type { SerialQueue } from './serialQueue.js'
import { blockOrigin, encodeHeader, fileBytes } from './snapshotFormat.js'
import { readRange, type SnapshotFile } from './snapshotReader.js'
import { SnapshotWriter } from './snapshotWriter.js'

/** A snapshot that has not all of its bytes yet. */
interface Unfinished {
  readonly path: string
  readonly fd: number
  readonly headerBytes: number
  readonly writer: SnapshotWriter
}

/** The snapshots of a data directory (§7), each in a file of its own that is open as long as anyone may ask for it. */
export class SnapshotFiles {
  private readonly whole = new Map<SnapshotRef, SnapshotFile>()
  private readonly unfinished = new Map<SnapshotRef, Unfinished>()

  constructor(
    private readonly handles: Handles,
    private readonly directory: string,
    private readonly identity: Identity,
    /** The one that the log begins after. */
    current: SnapshotFile | null,
    private readonly row: SerialQueue,
  ) {
    if (current !== null) this.whole.set(current.ref, current)
  }

  get bytes(): number {
    let sum = 0
    for (const { headerBytes, size } of this.whole.values()) sum += fileBytes(headerBytes, size)
    for (const { writer } of this.unfinished.values()) sum += writer.end
    return sum
  }

  store(piece: StoreSnapshot): Observable<never> {
    return this.row(() => (piece.offset === 0 ? this.begin(piece) : this.goOn(piece)))
  }

  read(ref: SnapshotRef, offset: number, maxBytes: number): Observable<Uint8Array> {
    return this.row(() => {
      const file = this.whole.get(ref)
      if (file === undefined || offset > file.size)
        throw new InvariantViolation('what is read of a snapshot is stored', `snapshot ${ref} from byte ${offset}`)
      return readRange(this.handles, file, offset, maxBytes)
    })
  }

  discard(refs: ReadonlyArray<SnapshotRef>): Observable<never> {
    return this.row(() => from(refs).pipe(concatMap((ref) => this.remove(ref))))
  }

  /** Completes when nothing is under way any more. */
  settle(): Observable<never> {
    return this.row(() => EMPTY)
  }

  private begin(piece: StoreSnapshot): Observable<never> {
    const { handles, directory, identity } = this
    const { ref, base } = piece
    const path = snapshotFile(directory, ref)
    const header = encodeHeader(identity, ref, base)
    return concat(
      this.remove(ref),
      handles.open(path, 'wx+').pipe(
        mergeMap((fd) => {
          const writer = new SnapshotWriter(handles, fd, blockOrigin(identity, ref), header.length)
          this.unfinished.set(ref, { path, fd, headerBytes: header.length, writer })
          return concat(handles.write(fd, header, 0), this.goOn(piece))
        }),
        whileWriting(path),
      ),
    )
  }

  private goOn({ ref, offset, data, last }: StoreSnapshot): Observable<never> {
    return defer(() => {
      const { handles, directory, identity } = this
      const unfinished = this.unfinished.get(ref)
      if (unfinished?.writer.size !== offset)
        throw new InvariantViolation('a piece of a snapshot continues the last one', `snapshot ${ref} at byte ${offset}`)
      const { path, fd, headerBytes, writer } = unfinished
      // The contents before the name: a snapshot that is told to be stored is there under its name, whole.
      const finish = concat(
        handles.fsync(fd),
        handles.fsyncDirectory(directory),
        defer(() => {
          this.unfinished.delete(ref)
          this.whole.set(ref, { ref, size: writer.size, path, fd, origin: blockOrigin(identity, ref), headerBytes })
          return EMPTY
        }),
      )
      return concat(writer.add(data, last), last ? finish : EMPTY).pipe(whileWriting(path))
    })
  }

  private remove(ref: SnapshotRef): Observable<never> {
    return defer(() => {
      const file = this.whole.get(ref) ?? this.unfinished.get(ref)
      if (file === undefined) return EMPTY
      this.whole.delete(ref)
      this.unfinished.delete(ref)
      return concat(this.handles.close(file.fd), unlink(this.handles, file.path))
    })
  }
}

/**
 * Takes a name away. Where it comes back after a loss of power, it is taken away again when the directory is opened.
 */
export const unlink = (handles: Handles, path: string): Observable<never> =>
  handles.call((fs, done) => fs.unlink(path, done)).pipe(ignoreElements(), whileWriting(path))
