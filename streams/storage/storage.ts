import type { ObservableInput } from 'rxjs'
import type { Persist, StoreSnapshot } from '../../src/raft/effect.js'
import type { SnapshotRef } from '../../src/raft/ids.js'
import type { Recovered } from '../../src/raft/state/server.js'

/**
 * Where a server keeps what must survive it. `open` is cold: subscribing opens and locks, the one
 * value says what was found, and unsubscribing abandons everything as a crash would.
 *
 * @example
 * // Opens a storage that no server uses, looks, and lets it go.
 * const sizeOf = (storage: Storage) => from(storage.open()).pipe(take(1), map((open) => open.sizeBytes()))
 */
export interface Storage {
  /** Reads what is there, for one server at a time. */
  open(): ObservableInput<OpenStorage>
}

/** A storage that one server has open: what it recovered, and how it is written to. */
export interface OpenStorage {
  readonly recovered: Recovered
  /**
   * Makes `batch` durable, in order and as one: completes when all of it would survive a power loss,
   * fails with a `StorageError`, after which nothing more is written. Called again only after the
   * former call completed. May complete synchronously.
   */
  write(batch: ReadonlyArray<Persist>): ObservableInput<unknown>
  readonly snapshots: SnapshotStorage
  /** Completes when everything is closed and unlocked. */
  close(): ObservableInput<unknown>
  /** Bytes that it occupies now. */
  sizeBytes(): number
}

/**
 * Where snapshots are kept (§7), each under its ref. One `store` or `discard` at a time, beside the calls of `write`;
 * `read`, of what is stored whole, at any time. What was stored in part when the storage was closed or abandoned, and
 * what no write points to, is gone when it is opened again.
 *
 * @example
 * const textOf = (snapshots: SnapshotStorage, { snapshot }: Recovered) =>
 *   snapshot === null ? EMPTY : from(snapshots.read(snapshot.ref, 0, snapshot.size)).pipe(map(utf8.decode))
 */
export interface SnapshotStorage {
  /**
   * Keeps a piece; one at offset 0 begins the snapshot, each other continues where the former ended. Completes when the
   * next may come; for the last one when all of it would survive a power loss. Fails with a `StorageError`, which is
   * final.
   */
  store(piece: StoreSnapshot): ObservableInput<unknown>
  /** Emits the bytes from `offset` on, `maxBytes` at most. */
  read(ref: SnapshotRef, offset: number, maxBytes: number): ObservableInput<Uint8Array>
  /** Gives up what is kept under `refs`. */
  discard(refs: ReadonlyArray<SnapshotRef>): ObservableInput<unknown>
}

/**
 * Why a storage cannot be used, with a sentence that says what to do. Nothing that was acknowledged is lost by it.
 *
 * @example
 * server.stopped$.subscribe((reason) => {
 *   if (reason._tag === 'StorageFull') alarm(reason.message) // says how to go on
 * })
 */
export interface StorageError {
  readonly _tag:
    /** Nothing was ever bootstrapped here. */
    | 'NotBootstrapped'
    /** The data of another server or of another cluster. */
    | 'WrongIdentity'
    /** Another process holds it. */
    | 'Locked'
    /** No permission, no directory. */
    | 'Unreadable'
    /** Damage that a crash cannot have caused. */
    | 'Corrupt'
    /** A later version of rxraft made it: its format, or a group of servers that this version does not know. */
    | 'Unsupported'
    /** No space left. */
    | 'StorageFull'
    /** A write or a sync failed; it is never tried again, since what the disk then holds is not known. */
    | 'StorageFailed'
  readonly message: string
}
