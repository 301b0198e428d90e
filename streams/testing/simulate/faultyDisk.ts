import { concat, EMPTY, from, Observable, type Subscriber, type Subscription } from 'rxjs'
import type { Persist, StoreSnapshot, Write } from '../../../src/raft/effect.js'
import type { OpenStorage, Storage, StorageError } from '../../storage/storage.js'
import { refuse } from '../../storage/refuse.js'
import type { Alarm } from './alarm.js'
import { type Range, whole } from './dice.js'
import type { Gate } from './gate.js'

/** The faults of a disk at the moment. */
export interface DiskFaults {
  /** How long a write takes; 0: it is done within the call. */
  readonly writeMs: Range
  /** Writes are not answered until this is over. */
  readonly hung: boolean
  /** The next write fails, with some first part of it on the disk or none. */
  readonly failing: boolean
  readonly full: boolean
  /**
   * The part of the write under way that is on the disk after a crash: all of it, as when a process is killed; nothing,
   * or some first part, as when power fails.
   */
  readonly onCrash: 'kept' | 'lost' | 'torn'
}

interface UnderWay {
  readonly batch: ReadonlyArray<Persist>
  readonly writing: Subscriber<never>
}

/**
 * A storage behind a disk that can be slow, hang, fail, be full, and lose what it had not acknowledged. The storage
 * inside answers at once.
 */
export class FaultyDisk implements Storage {
  /** How often each fault had an effect. */
  readonly stats = { writes: 0, slowed: 0, hung: 0, failed: 0, refused: 0, kept: 0, lost: 0, torn: 0 }
  /** Is told of each write that has begun and takes time. */
  onWrite: (() => void) | null = null
  private faults: DiskFaults
  private underWay: UnderWay | null = null
  private inner: OpenStorage | null = null
  /** When the write under way is done; not set while the disk hangs. */
  private readonly done: Alarm

  constructor(
    private storage: Storage,
    private readonly gate: Gate,
    private readonly die: () => number,
    faults: Partial<DiskFaults> = {},
  ) {
    this.faults = { writeMs: { min: 0, max: 0 }, hung: false, failing: false, full: false, onCrash: 'kept', ...faults }
    this.done = gate.alarm(() => this.finish())
  }

  setFaults(changed: Partial<DiskFaults>): void {
    const wasHung = this.faults.hung
    this.faults = { ...this.faults, ...changed }
    if (wasHung && !this.faults.hung && this.underWay !== null && !this.done.isSet) this.done.set(1)
  }

  /** Replaces the disk, which must not be open: the former one is lost. */
  replace(storage: Storage): void {
    this.storage = storage
  }

  get isWriting(): boolean {
    return this.underWay !== null
  }

  open(): Observable<OpenStorage> {
    return new Observable((subscriber) => {
      const opened = from(this.storage.open()).subscribe({
        next: (inner) => {
          this.inner = inner
          subscriber.next({
            ...inner,
            write: (batch) => this.write(batch),
            snapshots: { ...inner.snapshots, store: (piece) => this.storePiece(inner, piece) },
            close: () => this.close(inner, subscriber),
          })
        },
        error: (error: unknown) => subscriber.error(error),
      })
      return () => {
        this.crash()
        this.inner = null
        opened.unsubscribe()
      }
    })
  }

  private write(batch: ReadonlyArray<Persist>): Observable<never> {
    const { writeMs, hung, failing, full } = this.faults
    this.stats.writes++
    if (failing) {
      this.stats.failed++
      this.storePart(batch)
      return refuse(failed)
    }
    if (full) {
      this.stats.refused++
      return refuse(noSpace)
    }
    const takesMs = whole(this.die, writeMs)
    if (takesMs === 0 && !hung) {
      this.store(batch)
      return EMPTY
    }
    return new Observable((writing) => {
      this.underWay = { batch, writing }
      if (hung) this.stats.hung++
      else this.done.set(takesMs)
      if (takesMs > 0) this.stats.slowed++
      this.onWrite?.()
    })
  }

  private finish(): void {
    const { underWay } = this
    if (underWay === null) return
    this.underWay = null
    this.store(underWay.batch)
    underWay.writing.complete()
  }

  /**
   * Stores a piece of a snapshot, as slowly as a write. A piece is lost in a crash if no write points to it.
   */
  private storePiece(inner: OpenStorage, piece: StoreSnapshot): Observable<unknown> {
    const { writeMs, hung, failing, full } = this.faults
    if (failing || full) {
      this.stats[failing ? 'failed' : 'refused']++
      return refuse(failing ? failed : noSpace)
    }
    const takesMs = whole(this.die, writeMs)
    const stored$ = from(inner.snapshots.store(piece))
    if (takesMs === 0 && !hung) return stored$
    return concat(
      stored$,
      new Observable<never>((storing) => {
        const look = (): Subscription =>
          this.gate.schedule(
            () => {
              if (!this.faults.hung) storing.complete()
              else if (!storing.closed) storing.add(look())
            },
            Math.max(1, takesMs),
          )
        storing.add(look())
      }),
    )
  }

  private close(inner: OpenStorage, subscriber: Subscriber<OpenStorage>): Observable<unknown> {
    subscriber.complete()
    return from(inner.close())
  }

  private crash(): void {
    const { underWay } = this
    this.underWay = null
    if (underWay === null) return
    this.done.clear()
    const { onCrash } = this.faults
    this.stats[onCrash]++
    if (onCrash === 'kept') this.store(underWay.batch)
    else if (onCrash === 'torn') this.storePart(underWay.batch)
  }

  /** Some of the first records, or none, or all but the last. */
  private storePart(batch: ReadonlyArray<Persist>): void {
    this.store(firstRecords(batch, Math.floor(this.die() * recordCount(batch))))
  }

  private store(batch: ReadonlyArray<Persist>): void {
    if (batch.length === 0) return
    const stored$ = this.inner!.write(batch)
    if (stored$ !== EMPTY) from(stored$).subscribe() // EMPTY: it is there already
  }
}

const failed: StorageError = { _tag: 'StorageFailed', message: 'The write failed, as it was told to. Open the storage again.' }
const noSpace: StorageError = { _tag: 'StorageFull', message: 'The disk is full, as it was told to be. Free some of it.' }

const recordsIn = ({ snapshot, hardState, truncateFrom, entries }: Write): number =>
  Number(snapshot !== null) + Number(hardState !== null) + Number(truncateFrom !== null) + entries.length

const recordCount = (batch: ReadonlyArray<Persist>): number => batch.reduce((sum, { write }) => sum + recordsIn(write), 0)

/**
 * The first `count` records of a batch, in the order in which a disk takes them, of which every prefix is a legal
 * state.
 */
export const firstRecords = (batch: ReadonlyArray<Persist>, count: number): ReadonlyArray<Persist> => {
  const kept: Persist[] = []
  let left = count
  for (const persist of batch) {
    if (left === 0) break
    const { write } = persist
    const all = recordsIn(write)
    if (all <= left) kept.push(persist)
    else kept.push({ ...persist, write: partOf(write, left) })
    left -= Math.min(all, left)
  }
  return kept
}

const partOf = (write: Write, count: number): Write => {
  let left = count
  const take = (): boolean => left-- > 0
  const snapshot = write.snapshot !== null && take() ? write.snapshot : null
  const hardState = write.hardState !== null && take() ? write.hardState : null
  const truncateFrom = write.truncateFrom !== null && take() ? write.truncateFrom : null
  // The hint rides on the last record: before its entries it would speak of others.
  return {
    ...write,
    snapshot,
    hardState,
    truncateFrom,
    entries: write.entries.slice(0, Math.max(0, left)),
    commitIndex: 0 as Write['commitIndex'],
  }
}
