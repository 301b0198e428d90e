import { EMPTY, Observable, type SchedulerLike, type Subscription, timer } from 'rxjs'
import { type Configuration, votersOnly } from '../../../src/raft/state/configuration.js'
import type { Persist, Write } from '../../../src/raft/effect.js'
import { Incarnation, type LogIndex, logIndex, NodeId, term } from '../../../src/raft/ids.js'
import { logFrom } from '../../../src/raft/state/log.js'
import { fresh, type Recovered } from '../../../src/raft/state/server.js'
import { check, fn, oneOf, optional, scheduler, text, whole } from '../../options/checks.js'
import { given } from '../../options/given.js'
import { InvalidOption } from '../../options/invalidOption.js'
import { entryHeaderBytes } from '../../wire/entries.js'
import { MemorySnapshots } from './memorySnapshots.js'
import { refuse } from '../refuse.js'
import type { OpenStorage, Storage, StorageError } from '../storage.js'
import { afterWrite, inOneAppend, lastIndexAfter, recordsOf } from './writes.js'

/**
 * What is wrong with a disk in memory. Without any of these it is instant and never fails.
 *
 * @example
 * const incarnation = '0123456789abcdef0123456789abcdef'
 * memoryStorage(['n1'], { writeMs: 5, scheduler, failAtWrite: 3, maxBytes: 1 << 20, onAbandon: 'torn', random, incarnation })
 */
export interface MemoryStorageOptions {
  /** A slow disk: every write takes this long on `scheduler`. Default 0: it answers within the call. */
  readonly writeMs?: number
  /** Required with `writeMs`. */
  readonly scheduler?: SchedulerLike
  /**
   * The write, numbered from 1 over the whole life of the storage, that fails with `StorageFailed`. What was in it is
   * lost.
   */
  readonly failAtWrite?: number
  /** A write that would exceed this fails with `StorageFull`. Default: no limit. */
  readonly maxBytes?: number
  /**
   * What becomes of a write under way when the storage is abandoned: `kept`, as when a process is
   * killed; `lost`, as when power fails; `torn`: some first part of it is there, drawn by `random`.
   * Default `kept`.
   */
  readonly onAbandon?: 'kept' | 'lost' | 'torn'
  /** Uniform in [0, 1), for `torn`. Default: always 0, which loses all. */
  readonly random?: () => number
  /**
   * 32 hexadecimal digits that name this storage, as every data directory is named. Then the first leader needs the
   * vote of every voter, and a storage that takes the place of a lost one is told from it. For every server of a
   * cluster or for none. Default: none.
   */
  readonly incarnation?: string
}

/**
 * A storage in memory. It holds what was written for as long as something refers to it.
 *
 * @example
 * const disk: MemoryStorage = memoryStorage(['n1', 'n2', 'n3'])
 * console.log(disk.stored().log.lastIndex, disk.storedSnapshot()) // 0 null
 */
export interface MemoryStorage extends Storage {
  /** What was stored so far; one server at a time. */
  open(): Observable<OpenStorage>
  /** What it would be found to hold if it were opened now. */
  stored(): Recovered
  /** The bytes of the snapshot that the stored log begins after; null where there is none. */
  storedSnapshot(): Uint8Array | null
}

/**
 * A disk for tests, simulations and browsers: what was written is found when it is opened again, after
 * a crash too. `cluster` is the configuration it was bootstrapped with (§6), or the names of its
 * voters. Open to one at a time; to a second it is `Locked`. Throws `InvalidOption`.
 *
 * @example
 * const storage = memoryStorage(['n1', 'n2', 'n3'], { writeMs: 5, scheduler, onAbandon: 'lost' })
 */
export const memoryStorage = (cluster: ReadonlyArray<string> | Configuration, memoryOptions: MemoryStorageOptions = {}): MemoryStorage => {
  const options = given(memoryOptions)
  check(options, checks)
  if (options.writeMs !== undefined && options.scheduler === undefined)
    throw new InvalidOption('scheduler', 'is needed where writes take time')
  const { incarnation } = options
  if (incarnation !== undefined && !Incarnation.is(incarnation))
    throw new InvalidOption('incarnation', `must be 32 hexadecimal digits, not ${JSON.stringify(incarnation)}`)
  const made = fresh(logFrom({ index: logIndex(0), term: term(0), configuration: configurationOf(cluster) }))
  const memory = new Memory(incarnation === undefined ? made : { ...made, incarnation }, options)
  return { open: () => memory.open(), stored: () => memory.stored, storedSnapshot: () => memory.storedSnapshot() }
}

const checks = {
  writeMs: optional(whole(0)),
  scheduler: optional(scheduler),
  failAtWrite: optional(whole()),
  maxBytes: optional(whole(0)),
  onAbandon: optional(oneOf('kept', 'lost', 'torn')),
  random: optional(fn),
  incarnation: optional(text),
}

class Memory {
  private isOpen = false
  private writes = 0
  private readonly snapshots = new MemorySnapshots()
  /**
   * Stored since `known` was, as it came: the log is built when it is asked for, and not twice for a server that
   * runs.
   */
  private since: Write[] = []
  private lastIndex: LogIndex

  constructor(
    private known: Recovered,
    private readonly options: MemoryStorageOptions,
  ) {
    this.lastIndex = known.log.lastIndex
  }

  get stored(): Recovered {
    this.known = inOneAppend(this.since).reduce(afterWrite, this.known)
    this.since = []
    return this.known
  }

  private store(writes: ReadonlyArray<Write>): void {
    for (const write of writes) {
      this.lastIndex = lastIndexAfter(this.lastIndex, write)
      this.since.push(write)
      if (write.snapshot !== null) this.known = this.stored // so that what it replaces is let go of
    }
  }

  open(): Observable<OpenStorage> {
    return new Observable((subscriber) => {
      if (this.isOpen) {
        subscriber.error({
          _tag: 'Locked',
          message: 'This storage is open already. Give each server one of its own.',
        } satisfies StorageError)
        return
      }
      this.isOpen = true
      this.snapshots.keepOnly(this.stored.snapshot?.ref ?? null)
      let failed: StorageError | null = null
      /** The write under way, where it is not kept when abandoned. */
      let underWay: ReadonlyArray<Write> | null = null

      const finish = (): void => {
        if (underWay !== null) this.store(underWay)
        underWay = null
      }

      const write = (batch: ReadonlyArray<Persist>): Observable<never> => {
        if (failed !== null) return refuse(failed)
        const writes = batch.map((persist) => persist.write)
        writes.reduce(lastIndexAfter, this.lastIndex)
        failed = this.failure(writes)
        if (failed !== null) return refuse(failed)
        const { writeMs = 0, onAbandon = 'kept' } = this.options
        if (writeMs === 0 || onAbandon === 'kept') this.store(writes)
        else underWay = writes
        if (writeMs === 0) return EMPTY
        return this.afterAWhile(subscriber, finish)
      }

      const storePiece = (): Observable<never> => {
        failed ??= this.failure([])
        if (failed !== null) return refuse(failed)
        return (this.options.writeMs ?? 0) === 0 ? EMPTY : this.afterAWhile(subscriber, () => undefined)
      }

      const close = (): Observable<never> => {
        finish()
        subscriber.complete()
        return EMPTY
      }

      subscriber.add(() => {
        if (underWay !== null) this.abandon(underWay)
        this.isOpen = false
      })
      subscriber.next({
        recovered: this.stored,
        write,
        snapshots: this.snapshots.open(storePiece),
        close,
        sizeBytes: () => this.sizeBytes(this.stored),
      })
    })
  }

  /** What takes as long as a write does. It tells nothing once the storage is abandoned. */
  private afterAWhile(opened: Subscription, act: () => void): Observable<never> {
    const { writeMs = 0, scheduler } = this.options
    return new Observable((writing) =>
      timer(writeMs, scheduler).subscribe({
        complete: () => {
          if (opened.closed) return
          act()
          writing.complete()
        },
      }),
    )
  }

  storedSnapshot(): Uint8Array | null {
    const { snapshot } = this.stored
    return snapshot === null ? null : this.snapshots.read(snapshot.ref, 0, snapshot.size)
  }

  private sizeBytes(result: Recovered): number {
    return sizeBytes(result) + this.snapshots.sizeBytes
  }

  private failure(writes: ReadonlyArray<Write>): StorageError | null {
    const { failAtWrite, maxBytes } = this.options
    if (++this.writes === failAtWrite)
      return { _tag: 'StorageFailed', message: `Write ${this.writes} failed, as it was told to. Open the storage again.` }
    if (maxBytes !== undefined && this.sizeBytes(writes.reduce(afterWrite, this.stored)) > maxBytes)
      return { _tag: 'StorageFull', message: `More than the ${maxBytes} bytes that this storage may hold. Give it a larger maxBytes.` }
    return null
  }

  private abandon(writes: ReadonlyArray<Write>): void {
    const { onAbandon, random = () => 0 } = this.options
    if (onAbandon !== 'torn') return
    const records = writes.flatMap(recordsOf)
    this.store(records.slice(0, Math.floor(random() * (records.length + 1))))
  }
}

const sizeBytes = ({ log }: Recovered): number => log.bytes + (log.lastIndex - log.base.index) * entryHeaderBytes

const configurationOf = (cluster: ReadonlyArray<string> | Configuration): Configuration => {
  if ('_tag' in cluster) return cluster
  return votersOnly(
    cluster.map((id) => {
      if (!NodeId.is(id)) throw new InvalidOption('cluster', `names must match [a-z0-9][a-z0-9._-]{0,63}, not ${JSON.stringify(id)}`)
      return id
    }),
  )
}
