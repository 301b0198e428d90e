import { AsyncSubject, defaultIfEmpty, forkJoin, map, type Observable, type Subscription, takeUntil } from 'rxjs'
import type { KvRequest } from '../../../src/kv/command.js'
import type { KvResult } from '../../../src/kv/result.js'
import type { Store } from '../../../src/kv/store.js'
import { createRaft, type Raft, type StopReason } from '../../server/createRaft.js'
import type { Proposal } from '../../sinks/proposal.js'
import { IterableObservable } from '../../rx/iterable.js'
import { carrier } from './carrier.js'
import { housekeeping } from './housekeeping.js'
import { type KvServerOptions, tunedKvServer } from './options.js'
import { reads } from './reads.js'
import { type KvReply, sizeOfReply, withoutRoom } from '../reply.js'
import { kvStateMachine } from './stateMachine.js'
import { type Changes, type WatchOptions, watchStore } from './watch.js'

export type { KvServerOptions } from './options.js'

/**
 * A server of the replicated key/value store.
 *
 * @example
 * const run = (server: KvServer) => {
 *   server.raft.role$.subscribe((role) => console.log(server.id, role))
 *   server.store$.subscribe(({ revision }) => console.log(`stands at revision ${revision}`))
 *   server.start()
 * }
 */
export interface KvServer {
  readonly id: string
  /** The Raft server beneath. */
  readonly raft: Raft<Uint8Array, KvResult>
  /** Opens the storage and takes part. */
  start(): void
  /** Finishes what is being written, then closes the storage. */
  close(): Observable<StopReason>
  /** Ends at once, as a process that is killed. */
  kill(): void
  /**
   * The state as this server has applied it. It may be behind, except at the leader. It is empty until the disk was
   * read and applied.
   */
  store(): Store
  /**
   * Replays the present store, then emits a newer one after each turn in which something was applied or a snapshot was
   * restored.
   */
  readonly store$: IterableObservable<Store>
  /**
   * Has a request carried out, now and once; the Observable tells the reply, and replays it. Reads are linearizable.
   */
  submit(request: KvRequest): Observable<KvReply>
  /** The same for many, each as `encodeRequest` makes it: one reply for each, in their order, when all are there. */
  submitAll(requests: ReadonlyArray<Uint8Array>): Observable<ReadonlyArray<KvReply>>
  /**
   * The changes within a range: in order, no revision missing, none twice. Fails with a `WatchError`. Any server can be
   * watched.
   */
  watch(options: WatchOptions): IterableObservable<Changes>
}

/**
 * A Raft server that holds the key/value store. Like `createRaft` it only builds. Throws `InvalidOption` where an
 * option cannot work.
 *
 * @example
 * const network = memoryNetwork()
 * const cluster = ['n1', 'n2', 'n3']
 * const servers = cluster.map((id) => createKvServer({ id, network: network.join(id), storage: memoryStorage(cluster) }))
 * for (const server of servers) server.start()
 * const client = createClient({ transport: memoryTransport(servers), endpoints: cluster })
 * await client.put('greeting', 'hello')
 */
export const createKvServer = (options: KvServerOptions): KvServer => {
  const tuned = tunedKvServer(options)
  const { limits, scheduler, snapshots, maxBatchReplyBytes } = tuned
  const { stateMachine, store$, take, check } = kvStateMachine({ limits, scheduler })
  const raft = createRaft<Uint8Array, KvResult>({ ...tuned, stateMachine, snapshots: { ...snapshots, take, check } })
  const store = (): Store => store$.value
  const propose = (command: Uint8Array): Proposal<KvResult> => raft.propose(command)
  const requests = carrier({ propose, read: reads({ ...tuned, propose, store }) })
  const living$ = store$.pipe(takeUntil(raft.stopped$))
  let keeping: Subscription | undefined

  return {
    id: raft.id,
    raft,
    start: () => {
      raft.start()
      keeping ??= housekeeping({ ...tuned, role$: raft.role$, store, propose })
        .pipe(takeUntil(raft.stopped$))
        .subscribe()
    },
    close: () => raft.close(),
    kill: () => raft.kill(),
    store,
    store$: new IterableObservable(living$),
    submit: (request) => requests.submit(request),
    submitAll: (batch) => {
      const room = replyRoom(maxBatchReplyBytes)
      const replies = batch.map((bytes) => requests.submitBytes(bytes, room.isLeft).pipe(map(room.fitted)))
      const replies$ = new AsyncSubject<ReadonlyArray<KvReply>>()
      forkJoin(replies).pipe(defaultIfEmpty([])).subscribe(replies$)
      return replies$
    },
    watch: (watchOptions) => new IterableObservable(watchStore(living$, scheduler, watchOptions)),
  }
}

/** Bytes that the replies to one batch may carry together. */
const replyRoom = (maxBytes: number) => {
  let bytes = 0
  const isLeft = (): boolean => bytes < maxBytes
  return {
    isLeft,
    /** The reply; without its values where the replies before it took all the room. */
    fitted: (reply: KvReply): KvReply => {
      const fitted = isLeft() ? reply : withoutRoom(reply, 'maxBatchReplyBytes')
      bytes += sizeOfReply(fitted)
      return fitted
    },
  }
}
