import { defer, EMPTY, merge, Observable, of } from 'rxjs'
import type { DiscardSnapshots, Effect, Persist, Send } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Server } from '../../src/raft/state/server.js'
import { filterMap, Hot, HotByTag, Latest } from '../rx/hotInternals.js'
import { groupCommit, type GroupCommitOptions } from '../sinks/groupCommit.js'
import type { Network, NetworkUser, Rejected } from '../network/network.js'
import { rejectedOf } from '../sinks/rejections.js'
import { outbound } from '../sinks/outbound.js'
import { type Inspection, run, type RunOptions } from './run.js'
import type { Sink } from './sink.js'
import { type SnapshotCheck, type SnapshotEffect, snapshotStore } from '../sinks/snapshotStore.js'
import { refuse } from '../storage/refuse.js'
import type { SnapshotStorage, StorageError } from '../storage/storage.js'

/**
 * What `raft` is composed of: the sinks around the loop, each given the effects that are for it.
 *
 * @example
 * const around = (disk: OpenStorage, user: NetworkUser): RaftSinks => ({
 *   sinks: [heartbeat({ heartbeatMs: 100, scheduler }), flush({ scheduler })],
 *   network, user, scheduler, maxEffectsPerTurn: 1_024,
 *   storage: { write: (batch) => disk.write(batch), snapshots: disk.snapshots, maxWaitingSends: 4_096 },
 *   rejected: ({ reason }) => alarm(reason),
 * })
 */
export interface RaftSinks extends Pick<RunOptions, 'scheduler' | 'maxEffectsPerTurn' | 'step'> {
  /**
   * Timers, state machine, clients: each is given the effects that it takes, but none of those for disk and network.
   */
  readonly sinks: ReadonlyArray<Sink>
  readonly network: Network
  /** What the network is told of this server. Left out: nothing. */
  readonly user?: NetworkUser
  /** `snapshots` may be left out where none are taken. */
  readonly storage: GroupCommitOptions & { readonly snapshots?: SnapshotStorage; readonly checkSnapshot?: SnapshotCheck | undefined }
  /** Is told of each message and snapshot that was refused. */
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
 *
 * @example
 * const names = (initial: Server, sinks: RaftSinks): Observable<string> =>
 *   raft(initial, sinks).pipe(map(({ event }) => event._tag)) // Started, then all that happens
 */
export const raft = (
  initial: RunOptions['initial'],
  { sinks, network, user, storage, rejected, ...running }: RaftSinks,
): Observable<Inspection> =>
  new Observable<Inspection>((subscriber) => {
    const toDisk$ = new Hot<Persist | Send | DiscardSnapshots>()
    const toSnapshots$ = new Hot<SnapshotEffect>()
    const toNetwork$ = new Hot<Send>()
    const effect$ = new HotByTag<Effect>()
    const state$ = new Latest<Server>()
    const first = (): Server => {
      const server = typeof initial === 'function' ? initial() : initial
      state$.next(server)
      return server
    }
    const perform = (effect: Effect): void => {
      switch (effect._tag) {
        case 'Persist':
          return toDisk$.next(effect)
        case 'Send':
          return effect.after === null ? toNetwork$.next(effect) : toDisk$.next(effect)
        case 'DiscardSnapshots':
          return effect.after === null ? toSnapshots$.next(effect) : toDisk$.next(effect)
        case 'StoreSnapshot':
        case 'ReadChunk':
          return toSnapshots$.next(effect)
        case 'Ignored':
          return rejected(rejectedOf(effect))
        default:
          return effect$.next(effect)
      }
    }

    const persisted$ = toDisk$.pipe(
      groupCommit(storage),
      filterMap((answer) => {
        if (answer._tag === 'Persisted') return answer
        perform(answer) // it waits for nothing any more
        return null
      }),
    )
    const snapshot$ = toSnapshots$.pipe(snapshotStore(storage.snapshots ?? noSnapshots, storage.checkSnapshot))
    const inbound$ = defer(() => network(toNetwork$.pipe(outbound()), user)).pipe(
      filterMap((event) => {
        if (event._tag !== 'Rejected') return event
        rejected(event)
        return null
      }),
    )
    const answer$ = sinks.map((sink) => {
      const { byTag } = sink
      return byTag === undefined ? sink(effect$, state$) : byTag.sink(effect$.ofTag(byTag.tags), state$)
    })

    const started$ = of<RaftEvent>({ _tag: 'Started' })
    return merge(started$, ...answer$, inbound$, persisted$, snapshot$)
      .pipe(run({ ...running, initial: first, moved: (server) => state$.next(server), perform }))
      .subscribe(subscriber)
  })
