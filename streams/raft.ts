import { catchError, EMPTY, filter, from, merge, NEVER, Observable, of, share } from 'rxjs'
import type { DiscardSnapshots, Effect, Persist, Send } from '../src/raft/effect.js'
import type { RaftEvent } from '../src/raft/event.js'
import type { Message } from '../src/raft/messages.js'
import { Hot } from './hotInternals.js'
import { durably, type DurablyOptions } from './durably.js'
import type { Network, Rejected } from './network/network.js'
import { outbound } from './outbound.js'
import { type Inspection, run, type RunOptions } from './run.js'
import type { Sink } from './sink.js'
import { type SnapshotEffect, snapshots } from './snapshots.js'
import { refuse } from './storage/refuse.js'
import type { SnapshotStorage, StorageError } from './storage/storage.js'

export interface RaftSinks extends Pick<RunOptions, 'scheduler' | 'maxEffectsPerTurn' | 'step'> {
  /** Timers, state machine, clients: each is given every effect but those for disk and network, and answers with events. */
  readonly sinks: ReadonlyArray<Sink>
  readonly network: Network
  /** `snapshots` may be left out where none are taken. */
  readonly storage: DurablyOptions & { readonly snapshots?: SnapshotStorage }
  readonly rejected: (what: Rejected) => void
}

const keepsNone: StorageError = { _tag: 'StorageFailed', message: 'This storage keeps no snapshots: give the server one that does.' }
const noSnapshots: SnapshotStorage = {
  store: () => refuse(keepsNone),
  read: () => refuse(keepsNone),
  discard: () => EMPTY,
}

/**
 * A server as one cold Observable: subscribing starts it from `initial`, unsubscribing kills it, and
 * every step is emitted. Events go round:
 *
 *   timers, clients, network, disk, state machine ──▶ run ──▶ effects ──▶ the same, as sinks
 */
export const raft = (
  initial: RunOptions['initial'],
  { sinks, network, storage, rejected, ...running }: RaftSinks,
): Observable<Inspection> =>
  new Observable<Inspection>((subscriber) => {
    const toDisk$ = new Hot<Persist | Send | DiscardSnapshots>()
    const toSnapshots$ = new Hot<SnapshotEffect>()
    const toNetwork$ = new Hot<Send>()
    const effect$ = new Hot<Effect>()
    const perform = (effect: Effect): void => {
      if (effect._tag === 'Send' && effect.after === null) toNetwork$.next(effect)
      else if (effect._tag === 'Send' || effect._tag === 'Persist' || effect._tag === 'DiscardSnapshots') toDisk$.next(effect)
      else if (effect._tag === 'StoreSnapshot' || effect._tag === 'ReadChunk') toSnapshots$.next(effect)
      else effect$.next(effect)
    }

    const disk$ = toDisk$.pipe(durably(storage), share())
    const persisted$ = disk$.pipe(filter((answer) => answer._tag === 'Persisted'))
    const released$ = disk$.pipe(catchError(() => NEVER)) // it is told by persisted$
    const message$: Observable<Message> = merge(toNetwork$, released$.pipe(filter((answer) => answer._tag === 'Send'))).pipe(outbound())
    const snapshot$ = merge(toSnapshots$, released$.pipe(filter((answer) => answer._tag === 'DiscardSnapshots'))).pipe(
      snapshots(storage.snapshots ?? noSnapshots),
    )

    const inbound$ = new Observable<RaftEvent>((events) =>
      from(network(message$)).subscribe({
        next: (event) => {
          if (event._tag === 'Rejected') rejected(event)
          else events.next(event)
        },
        error: (error: unknown) => events.error(error),
      }),
    )

    const started$ = of<RaftEvent>({ _tag: 'Started' })
    return merge(started$, ...sinks.map((sink) => sink(effect$)), inbound$, persisted$, snapshot$)
      .pipe(run({ ...running, initial, perform }))
      .subscribe(subscriber)
  })
