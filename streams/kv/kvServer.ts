import type { Observable } from 'rxjs'
import type { KvRequest } from '../../src/kv/command.js'
import type { KvLimits } from '../../src/kv/limits.js'
import type { KvResult } from '../../src/kv/result.js'
import type { Store } from '../../src/kv/store.js'
import type { Raft, StopReason } from '../createRaft.js'
import type { IterableObservable } from '../iterable.js'
import type { RaftOptions } from '../options.js'
import type { KvReply } from './reply.js'
import type { Changes, WatchOptions } from './watch.js'

/** The options of `createRaft`, which has the store as its state machine, and those of the store's service. */
export interface KvServerOptions extends Omit<RaftOptions<Uint8Array, KvResult>, 'stateMachine' | 'codec'> {
  /** Where they differ from `defaultLimits`; the same on every server of the cluster. */
  readonly limits?: Partial<KvLimits>
  /** A session or idempotency key that was not used for so long ends. Default 600,000: ten minutes. */
  readonly sessionTtlMs?: number
  /** Reads that wait for the log; one more is `Overloaded`. Default 65,536. */
  readonly maxReads?: number
  /** Keys in one answer to a range, and the bytes of their values: it ends there, and says that there is `more`. Defaults 10,000 and 16 MiB. */
  readonly maxRangeKeys?: number
  readonly maxRangeBytes?: number
  /** The leader compacts to what is `keepRevisions` back, every `everyMs`. Default null: only the bounds in `limits` compact. */
  readonly compaction?: { readonly keepRevisions: number; readonly everyMs: number } | null
}

/** A server of the replicated key/value store. */
export interface KvServer {
  readonly id: string
  readonly raft: Raft<Uint8Array, KvResult>
  start(): void
  close(): Observable<StopReason>
  kill(): void
  /** The state as this server has applied it: at a follower, or at a leader that was deposed and does not know, it may be behind. */
  store(): Store
  /** Replays the present one, then each, once per turn in which something was applied. */
  readonly store$: IterableObservable<Store>
  /**
   * Has the requests carried out, now and once; the Observable tells one reply for each, in their order, and replays them.
   * Reads are linearizable.
   */
  submit(requests: ReadonlyArray<KvRequest>): Observable<ReadonlyArray<KvReply>>
  /** What changes within a range: in order, no revision missing, none twice. Fails with a `WatchError`. Any server can be watched. */
  watch(options: WatchOptions): IterableObservable<Changes>
}

export const createKvServer = (_options: KvServerOptions): KvServer => {
  throw new Error('The body follows.')
}
