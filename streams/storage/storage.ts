import type { ObservableInput } from 'rxjs'
import type { Persist } from '../../src/raft/effect.js'
import type { Recovered } from '../../src/raft/server.js'

/**
 * Where a server keeps what must survive it. `open` is cold: subscribing opens and locks, the one
 * value says what was found, and unsubscribing abandons everything as a crash would.
 */
export interface Storage {
  open(): ObservableInput<OpenStorage>
}

export interface OpenStorage {
  readonly recovered: Recovered
  /**
   * Makes `batch` durable, in order and as one: completes when all of it would survive a power loss,
   * fails with a `StorageError`, after which nothing more is written. Called again only after the
   * former call completed. May complete synchronously.
   */
  write(batch: ReadonlyArray<Persist>): ObservableInput<unknown>
  /** Completes when everything is closed and unlocked. */
  close(): ObservableInput<unknown>
  /** Bytes that it occupies now. */
  sizeBytes(): number
}

/** Why a storage cannot be used, with a sentence that says what to do. Nothing that was acknowledged is lost by it. */
export interface StorageError {
  readonly _tag:
    /** Nothing was ever bootstrapped here. */
    | 'NotBootstrapped'
    /** Somebody else's data: another server's or another cluster's. */
    | 'WrongIdentity'
    /** Another process holds it. */
    | 'Locked'
    /** No permission, no directory. */
    | 'Unreadable'
    /** Damage that a crash cannot have caused. */
    | 'Corrupt'
    /** No space left. */
    | 'StorageFull'
    /** A write or a sync failed; it is never tried again, since what the disk then holds is not known. */
    | 'StorageFailed'
  readonly message: string
}
