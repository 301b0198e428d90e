import { AsyncSubject, EMPTY, merge, type Observable, type Subscription, takeUntil } from 'rxjs'
import { either } from 'fp-ts'
import { anonymous, type Get, type KvCommand, type KvRequest, type Range } from '../../../src/kv/command.js'
import type { KvLimits } from '../../../src/kv/limits.js'
import { decodeRequest, encodeRequest } from '../../../src/kv/requestCodec.js'
import type { KvResult } from '../../../src/kv/result.js'
import type { Store } from '../../../src/kv/store.js'
import type { SnapshotOptions } from '../../sinks/snapshotPolicy.js'
import { createRaft, type Raft, type StopReason } from '../../server/createRaft.js'
import { IterableObservable } from '../../rx/iterable.js'
import { InvalidOption } from '../../options/invalidOption.js'
import { defaultClock, type RaftOptions } from '../../server/options.js'
import { compaction, type CompactionPolicy, expiry } from './housekeeping.js'
import { reads } from './reads.js'
import { type KvReply, sizeOfReply, withoutRoom } from '../reply.js'
import { kvStateMachine } from './stateMachine.js'
import { type Changes, type WatchOptions, watchStore } from './watch.js'

/** The options of `createRaft`, which has the store as its state machine, and those of the store's service. */
export interface KvServerOptions extends Omit<RaftOptions<Uint8Array, KvResult>, 'stateMachine' | 'snapshots' | 'codec'> {
  /** Where they differ from `defaultLimits`; the same on every server of the cluster. */
  readonly limits?: Partial<KvLimits>
  /** A session or idempotency key that was not used for so long ends. Default 600,000: ten minutes. */
  readonly sessionTtlMs?: number
  /** Reads that were not answered; one more is `Overloaded`. Default 65,536. */
  readonly maxReads?: number
  /** Keys in one answer to a range; more are told as `more`. Default 10,000. */
  readonly maxRangeKeys?: number
  /** Bytes of keys and values in one answer to a range of several keys; likewise. Default 16 MiB. */
  readonly maxRangeBytes?: number
  /**
   * Bytes of keys and values in the replies to one batch. The reply that reaches the bound is the last with values: later reads are
   * `Overloaded`, later writes whose answers carry values `Indeterminate`. Default 16 MiB.
   */
  readonly maxBatchReplyBytes?: number
  /** How long the log grows before a snapshot of the store replaces it (§7). Default: up to 100,000 entries or 64 MiB of commands. */
  readonly snapshots?: Pick<SnapshotOptions, 'everyEntries' | 'everyBytes'>
  /** What the leader has compacted. Default null: the history is kept within the bounds in `limits`, and that is all. */
  readonly compaction?: CompactionPolicy | null
}

/** @internal */
export const kvServerDefaults = {
  sessionTtlMs: 600_000,
  maxReads: 65_536,
  maxRangeKeys: 10_000,
  maxRangeBytes: 16 << 20,
  maxBatchReplyBytes: 16 << 20,
  compaction: null,
}

/** A server of the replicated key/value store. */
export interface KvServer {
  readonly id: string
  /** The Raft server beneath. */
  readonly raft: Raft<Uint8Array, KvResult>
  start(): void
  close(): Observable<StopReason>
  kill(): void
  /** The state as this server has applied it: anywhere but at the leader it may be behind. It is empty until what the disk held is read and applied. */
  store(): Store
  /** Replays the present one, then each, once per turn in which something was applied or a snapshot was restored: always a newer one. */
  readonly store$: IterableObservable<Store>
  /** Has a request carried out, now and once; the Observable tells the reply, and replays it. Reads are linearizable. */
  submit(request: KvRequest): Observable<KvReply>
  /** The same for many, each as `encodeRequest` makes it: one reply for each, in their order, when all are there. */
  submitAll(requests: ReadonlyArray<Uint8Array>): Observable<ReadonlyArray<KvReply>>
  /** What changes within a range: in order, no revision missing, none twice. Fails with a `WatchError`. Any server can be watched. */
  watch(options: WatchOptions): IterableObservable<Changes>
}

/**
 * A Raft server that holds the key/value store. Like `createRaft` it only builds. Throws `InvalidOption` where an option cannot work.
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
  const { limits = {}, scheduler = defaultClock, snapshots = {} } = options
  const {
    sessionTtlMs = kvServerDefaults.sessionTtlMs,
    maxReads = kvServerDefaults.maxReads,
    maxRangeKeys = kvServerDefaults.maxRangeKeys,
    maxRangeBytes = kvServerDefaults.maxRangeBytes,
    maxBatchReplyBytes = kvServerDefaults.maxBatchReplyBytes,
    compaction: policy = kvServerDefaults.compaction,
  } = options
  checkWhole({ sessionTtlMs, maxReads, maxRangeKeys, maxRangeBytes, maxBatchReplyBytes, ...(policy && { everyMs: policy.everyMs }) })

  const { stateMachine, store$, take, check } = kvStateMachine({ limits, scheduler })
  const raft = createRaft<Uint8Array, KvResult>({ ...options, stateMachine, snapshots: { ...snapshots, take, check } })
  const store = (): Store => store$.value
  const read = reads({ propose: (command) => raft.propose(command), store, scheduler, maxReads, maxRangeKeys, maxRangeBytes })
  let housekeeping: Subscription | undefined

  const keepHouse = (): Subscription => {
    const by = { role$: raft.role$, store, scheduler }
    return merge(expiry({ ...by, ttlMs: sessionTtlMs }), policy === null ? EMPTY : compaction({ ...by, ...policy }))
      .pipe(takeUntil(raft.stopped$))
      .subscribe(proposeForUs)
  }

  const proposeForUs = (command: KvCommand): void => {
    raft.propose(encodeRequest({ caller: anonymous, command })).subscribe((event) => {
      if (event._tag !== 'Applied' || event.result._tag !== 'Expired' || command._tag !== 'Expire') return
      const { sessions, idempotencyKeys } = event.result
      if (Math.max(sessions, idempotencyKeys) === command.limit) proposeForUs(command) // there may be more
    })
  }

  const carryOut = ({ command }: KvRequest, bytes: Uint8Array, settle: (reply: KvReply) => void): void => {
    if (command._tag === 'Expire') return settle({ _tag: 'Malformed', reason: 'only the leader itself may expire sessions' })
    raft.propose(bytes).subscribe((event) => {
      switch (event._tag) {
        case 'Applied':
          return settle(event.result)
        case 'NotLeader':
        case 'Overloaded':
          return settle(event)
        case 'Indeterminate':
          return settle({ _tag: 'Indeterminate' })
        case 'Appended':
        case 'Committed':
      }
    })
  }

  /** Decoded here, so that what makes no sense never enters the log, and reads do without it. */
  const carryOutBytes = (bytes: Uint8Array, settle: (reply: KvReply) => void, hasRoom: () => boolean): void => {
    const decoded = decodeRequest(bytes)
    if (either.isLeft(decoded)) return settle({ _tag: 'Malformed', reason: `${decoded.left.reason} (at byte ${decoded.left.at})` })
    const request = decoded.right
    if (isQuery(request.command)) read(request.command, settle, hasRoom)
    else carryOut(request, bytes, settle)
  }

  return {
    id: raft.id,
    raft,
    start: () => {
      raft.start()
      housekeeping ??= keepHouse()
    },
    close: () => raft.close(),
    kill: () => raft.kill(),
    store,
    store$: new IterableObservable(store$.pipe(takeUntil(raft.stopped$))),
    submit: (request) => {
      const reply$ = new AsyncSubject<KvReply>()
      const settle = (reply: KvReply): void => {
        reply$.next(reply)
        reply$.complete()
      }
      if (isQuery(request.command)) read(request.command, settle)
      else carryOut(request, encodeRequest(request), settle)
      return reply$
    },
    submitAll: (requests) => {
      const reply$ = new AsyncSubject<ReadonlyArray<KvReply>>()
      const replies = new Array<KvReply>(requests.length)
      let unanswered = requests.length
      let bytesOfReplies = 0
      const hasRoom = (): boolean => bytesOfReplies < maxBatchReplyBytes
      const finish = (): void => {
        reply$.next(replies)
        reply$.complete()
      }
      if (unanswered === 0) finish()
      requests.forEach((bytes, i) =>
        carryOutBytes(
          bytes,
          (reply) => {
            replies[i] = hasRoom() ? reply : withoutRoom(reply, 'maxBatchReplyBytes')
            bytesOfReplies += sizeOfReply(replies[i])
            if (--unanswered === 0) finish()
          },
          hasRoom,
        ),
      )
      return reply$
    },
    watch: (watchOptions) => new IterableObservable(watchStore(store$.pipe(takeUntil(raft.stopped$)), scheduler, watchOptions)),
  }
}

const isQuery = (command: KvCommand): command is Get | Range => command._tag === 'Get' || command._tag === 'Range'

const checkWhole = (numbers: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new InvalidOption(name, `must be a whole number above 0, not ${value}`)
  }
}
