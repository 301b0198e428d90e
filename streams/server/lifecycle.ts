import { concat, defer, EMPTY, from, type Observable, ReplaySubject, Subject, Subscription, takeUntil, tap, throwIfEmpty } from 'rxjs'
import type { Recovered } from '../../src/raft/state/server.js'
import type { Inspection } from '../loop/run.js'
import { endedBy, SharedEnd } from '../rx/hotInternals.js'
import type { OpenStorage, Storage } from '../storage/storage.js'
import { reasonOf, type StopReason } from './stopReason.js'

/** What the loop needs of an open storage. */
export type LoopStorage = Pick<OpenStorage, 'write' | 'snapshots'>

export interface LifecycleOptions {
  readonly storage: Storage
  /** The server's loop on an open storage: subscribing to it runs the server. */
  readonly loop: (recovered: Recovered, storage: LoopStorage) => Observable<Inspection>
  readonly onStep: (inspection: Inspection) => void
  /** They complete when the server stops, before `stopped$` says why. */
  readonly completes: ReadonlyArray<{ complete(): void }>
}

/** When a server opens its storage, runs, and stops. Everything happens once. */
export class Lifecycle {
  /** Emits why the server stopped, and completes: replays. */
  readonly stopped$ = new ReplaySubject<StopReason>(1)
  /** What is needed of the storage as long as the server runs; null before it is open. */
  storage: Omit<OpenStorage, 'recovered'> | null = null
  private phase: 'built' | 'running' | 'closing' | 'stopped' = 'built'
  // Subjects, not subscriptions: a listener of the first state may stop the server before there is a subscription.
  private readonly haltLoop$ = new Subject<void>()
  private readonly releaseStorage$ = new Subject<void>()
  /** What outlives the loop when the server is closed: the write under way, then the closing. */
  private readonly finishing = new Subscription()
  private writing$: Observable<never> = EMPTY

  constructor(private readonly options: LifecycleOptions) {}

  start(): void {
    if (this.phase !== 'built') return
    this.phase = 'running'
    // Not `take(1)`: the storage is open for as long as it is subscribed to.
    defer(() => this.options.storage.open())
      .pipe(
        throwIfEmpty(() => new Error('The storage completed without an OpenStorage: open() must emit one.')),
        tap((opened) => this.run(opened)),
        takeUntil(this.releaseStorage$),
      )
      .subscribe({ error: this.fail })
  }

  close(): void {
    if (this.phase === 'built') this.stop({ _tag: 'Closed' })
    if (this.phase !== 'running') return
    this.phase = 'closing'
    // Before the loop lets go of it, which would take it back.
    this.finishing.add(this.writing$.subscribe({ error: () => undefined }))
    this.haltLoop$.next()
    if (this.storage === null) this.stop({ _tag: 'Closed' })
    else this.finish(this.storage)
  }

  kill(): void {
    this.stop({ _tag: 'Killed' })
  }

  private finish(storage: Pick<OpenStorage, 'close'>): void {
    if (this.isOver) return // a listener of the last step has killed the server
    this.finishing.add(
      concat(
        this.writing$,
        defer(() => storage.close()),
      ).subscribe({ error: this.fail, complete: () => this.stop({ _tag: 'Closed' }) }),
    )
  }

  private get isOver(): boolean {
    return this.phase === 'stopped'
  }

  private run(opened: OpenStorage): void {
    if (this.storage !== null) return
    this.storage = withoutRecovered(opened)
    const loop$ = this.options.loop(opened.recovered, { write: this.write, snapshots: opened.snapshots })
    if (this.phase !== 'running') return
    loop$.pipe(endedBy(this.haltLoop$)).subscribe({ next: this.options.onStep, error: this.fail })
  }

  private readonly write: OpenStorage['write'] = (batch) => {
    const done$ = this.storage!.write(batch)
    if (done$ === EMPTY) return EMPTY // done already, so there is nothing to finish
    this.writing$ = new SharedEnd(from(done$))
    return this.writing$
  }

  private readonly fail = (error: unknown): void => this.stop(reasonOf(error))

  private stop(reason: StopReason): void {
    if (this.isOver) return
    this.phase = 'stopped'
    this.haltLoop$.next()
    this.finishing.unsubscribe()
    this.releaseStorage$.next()
    for (const stream$ of this.options.completes) stream$.complete()
    this.stopped$.next(reason)
    this.stopped$.complete()
  }
}

/** Without the log that it began with, which the server outgrows. An instance of a class stays whole. */
const withoutRecovered = (storage: OpenStorage): Omit<OpenStorage, 'recovered'> => {
  if (Object.getPrototypeOf(storage) !== Object.prototype) return storage
  const { recovered: _, ...kept } = storage
  return kept
}
