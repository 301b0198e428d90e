import { either, function as F } from 'fp-ts'
import { AsyncSubject, catchError, concat, defer, EMPTY, mergeMap, Observable, of, type SchedulerLike, timer } from 'rxjs'
import { check, optional, record, scheduler, text, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import { refuse } from '../refuse.js'
import type { OpenStorage, Storage } from '../storage.js'
import { storageError, whileReading } from './errors.js'
import { type FileSystem, nodeFileSystem } from './fileSystem.js'
import { type Handles, handlesOn } from './handles.js'
import { type Identity, identityIn } from './identity.js'
import { lastly } from './lastly.js'
import { lockPath } from './layout.js'
import { takeLock } from './lock.js'
import { occupy } from './occupancy.js'
import { type Found, recover } from './recover.js'
import { serialQueues } from './serialQueue.js'
import { SnapshotFiles } from './snapshotFiles.js'
import { Writer } from './writer.js'

/**
 * The options of `diskStorage`.
 *
 * @example
 * import fs from 'node:fs'
 *
 * // A file system for a test: no file can be renamed.
 * const fileSystem: DiskOptions['fileSystem'] = { ...fs, O_DSYNC: 0, rename: (_from, _to, done) => done(new Error('no rename')) }
 * const sizes = { segmentBytes: 16 << 20, growBytes: 1 << 18 }
 * diskStorage('./data/n1', { id: 'n1', clusterId: 'demo', ...sizes, markAfterMs: 50, scheduler, fileSystem })
 */
export interface DiskOptions {
  /** Whose data it has to be; otherwise `WrongIdentity`. Default: any server's. */
  readonly id?: string
  readonly clusterId?: string
  /** A segment that has grown to this is followed by a new one. At most 1 GiB. Default 64 MiB. */
  readonly segmentBytes?: number
  /**
   * A segment's file grows by so many zeros at a time, which makes most syncs cheaper; 1 for no more than is written.
   * Default 1 MiB.
   */
  readonly growBytes?: number
  /** The durable marker is written when nothing else was for this long. Default 100. */
  readonly markAfterMs?: number
  /** For that timer. Default: the host's, which keeps no process alive. */
  readonly scheduler?: SchedulerLike
  /** Default: `node:fs`. */
  readonly fileSystem?: FileSystem
}

/**
 * A data directory that is open.
 *
 * @example
 * diskStorage('./data/n1').open().subscribe((disk: OpenDisk) => {
 *   console.log(disk.identity.id, disk.recovered.currentTerm, disk.sizeBytes())
 *   disk.close().subscribe()
 * })
 */
export interface OpenDisk extends OpenStorage {
  /** Whose data it is. */
  readonly identity: Identity
  /**
   * Acts at the call; completes when the batch would survive a power loss. Unsubscribing stops waiting, never the
   * write.
   */
  write(batch: Parameters<OpenStorage['write']>[0]): Observable<never>
  /** Finishes what is being written, then closes and unlocks. */
  close(): Observable<never>
}

/**
 * A storage in a directory.
 *
 * @example
 * const disk: DiskStorage = diskStorage('./data/n1')
 * createRaft({ id: 'n1', network, storage: disk })
 */
export interface DiskStorage extends Storage {
  /** Reads what is there; fails where it is damaged or in use. */
  open(): Observable<OpenDisk>
}

/** A checksum covers an offset of 32 bits; and a segment is read as a whole. */
const maxSegmentBytes = 2 ** 30

/**
 * Figure 2's persistent state in `directory`, which `bootstrap` made: a segmented write-ahead log with checksums, one
 * durable write for each batch, and term and vote a second time in a file of their own; snapshots (§7) in files of
 * theirs, for which the log gives up the segments that they replace. docs/storage.md has the format and the rules of
 * recovery.
 *
 * Opening locks the directory, reads all of it, and cuts off the torn end of a write that a crash
 * interrupted. Errors, as the error of `open()`: `NotBootstrapped`, `WrongIdentity`, `Locked`,
 * `Unreadable`, `Corrupt`, `Unsupported`; `StorageFull` and `StorageFailed` there and from `write`, after which nothing
 * more is written. Unsubscribing abandons everything at once, as a crash would; opening again waits
 * until the call that was under way has returned.
 *
 * @example
 * createRaft({ id: 'n1', network, storage: diskStorage('./data/n1', { id: 'n1' }) })
 */
export const diskStorage = (directory: string, options: DiskOptions = {}): DiskStorage => {
  const tuned = withDefaults({ segmentBytes: 64 << 20, growBytes: 1 << 20 }, options)
  check<DiskOptions>(tuned, checks)
  return { open: () => open(directory, (handles) => identityIn(handles, directory), tuned) }
}

const checks = {
  id: optional(text),
  clusterId: optional(text),
  segmentBytes: whole(1, maxSegmentBytes),
  growBytes: whole(1, maxSegmentBytes),
  markAfterMs: optional(whole()),
  scheduler: optional(scheduler),
  fileSystem: optional(record),
}

/** Opens a directory that is being made, in which nothing says yet that it is `identity`'s. */
export const openUnvouched = (directory: string, identity: Identity, fileSystem: FileSystem): Observable<OpenDisk> =>
  open(directory, () => of(identity), { fileSystem })

const open = (directory: string, identify: (handles: Handles) => Observable<Identity>, options: DiskOptions): Observable<OpenDisk> =>
  new Observable((subscriber) => {
    const handles = handlesOn(options.fileSystem ?? nodeFileSystem)
    const opening = concat(occupy(handles, directory), identify(handles))
      .pipe(
        mergeMap((identity) =>
          concat(
            checkOwner(directory, identity, options),
            lock(handles, directory),
            recover(handles, directory, identity).pipe(mergeMap((found) => run(handles, directory, identity, found, options))),
          ),
        ),
        lastly(() => handles.release()),
      )
      .subscribe(subscriber)
    return () => {
      opening.unsubscribe()
      handles.release()
    }
  })

/** Emits the open disk, and completes when that was closed. */
const run = (
  handles: Handles,
  directory: string,
  identity: Identity,
  found: Found,
  { segmentBytes = 64 << 20, growBytes = 1 << 20, markAfterMs = 100, scheduler }: DiskOptions,
): Observable<OpenDisk> => {
  const {
    recovered: { currentTerm, votedFor, log, commitIndex, snapshot },
    slotIsCurrent,
  } = found
  const idle$ = scheduler === undefined ? quietTimer(markAfterMs) : timer(markAfterMs, scheduler)
  const newRow = serialQueues()
  const writer = new Writer(handles, found, { directory, identity, segmentBytes, growBytes, idle$, row: newRow() })
  const files = new SnapshotFiles(handles, directory, identity, found.snapshot, newRow())
  const closed$ = new AsyncSubject<never>()
  let closing = false
  const disk: OpenDisk = {
    identity,
    recovered: { incarnation: identity.incarnation, currentTerm, votedFor, log, commitIndex, snapshot },
    write: (batch) => writer.append(batch),
    snapshots: {
      store: (piece) => files.store(piece),
      read: (ref, offset, maxBytes) => files.read(ref, offset, maxBytes),
      discard: (refs) => files.discard(refs),
    },
    sizeBytes: () => writer.bytes + files.bytes,
    close: () => {
      if (!closing)
        concat(
          files.settle().pipe(catchError(() => EMPTY)),
          writer.mark().pipe(catchError(() => EMPTY)),
          defer(() => handles.release()),
        ).subscribe(closed$)
      closing = true
      return closed$
    },
  }
  return concat(slotIsCurrent ? EMPTY : writer.settle({ currentTerm, votedFor }), writer.forget(), of(disk), closed$)
}

const checkOwner = (
  directory: string,
  identity: Identity,
  { id = identity.id, clusterId = identity.clusterId }: DiskOptions,
): Observable<never> =>
  id === identity.id && clusterId === identity.clusterId
    ? EMPTY
    : refuse(
        storageError(
          'WrongIdentity',
          `${directory} holds server ${identity.id} of cluster ${identity.clusterId}, and it was opened for server ${id} of cluster ${clusterId}. Give each server its own directory, or correct its name.`,
        ),
      )

const lock = (handles: Handles, directory: string): Observable<never> =>
  defer(() =>
    F.pipe(
      takeLock(lockPath(directory)),
      either.fold(refuse, (unlock) => {
        handles.lastly(unlock)
        return EMPTY
      }),
    ),
  ).pipe(whileReading(directory))

/** `timer`, but it keeps no process alive. */
const quietTimer = (ms: number): Observable<unknown> =>
  new Observable((subscriber) => {
    const timeout = setTimeout(() => {
      subscriber.next(null)
      subscriber.complete()
    }, ms).unref()
    return () => clearTimeout(timeout)
  })
