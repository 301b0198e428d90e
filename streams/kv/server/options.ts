import type { KvLimits } from '../../../src/kv/limits.js'
import type { KvResult } from '../../../src/kv/result.js'
import { check, type Check, orNull, record, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import { defaultClock, type RaftOptions } from '../../server/options.js'
import type { SnapshotOptions } from '../../sinks/snapshotPolicy.js'
import type { CompactionPolicy } from './housekeeping.js'
import { kvLimits } from './limits.js'

/**
 * The options of `createRaft`, which has the store as its state machine, and those of the store's service.
 *
 * @example
 * createKvServer({
 *   id: 'n1', network, storage,
 *   limits: { maxKeyBytes: 1_024 }, sessionTtlMs: 60_000,
 *   maxReads: 1_000, maxRangeKeys: 1_000, maxRangeBytes: 1 << 20, maxBatchReplyBytes: 1 << 20,
 *   snapshots: { everyEntries: 10_000 }, compaction: { keepRevisions: 10_000, everyMs: 60_000 },
 * })
 */
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
   * Bytes of keys and values in the replies to one batch. The reply that reaches the bound is the last with values:
   * later reads are `Overloaded`, later writes whose answers carry values `Indeterminate`. Default 16 MiB.
   */
  readonly maxBatchReplyBytes?: number
  /**
   * How long the log grows before a snapshot of the store replaces it (§7). Default: up to 100,000 entries or 64 MiB of
   * commands.
   */
  readonly snapshots?: Pick<SnapshotOptions, 'everyEntries' | 'everyBytes'>
  /**
   * The leader forgets old revisions by this policy. Default null: only the bounds in `limits` make the store forget.
   */
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

const compactionPolicy: Check = (name, policy) => {
  record(name, policy)
  const { keepRevisions, everyMs } = policy as Readonly<Record<string, unknown>>
  whole(0)(`${name}.keepRevisions`, keepRevisions)
  whole()(`${name}.everyMs`, everyMs)
}

const checks = {
  limits: kvLimits,
  sessionTtlMs: whole(),
  maxReads: whole(),
  maxRangeKeys: whole(),
  maxRangeBytes: whole(),
  maxBatchReplyBytes: whole(),
  snapshots: record,
  compaction: orNull(compactionPolicy),
}

/** The options with their defaults, checked; those of `createRaft` are checked there. Throws `InvalidOption`. */
export const tunedKvServer = (options: KvServerOptions) => {
  const tuned = withDefaults({ ...kvServerDefaults, limits: {}, snapshots: {}, scheduler: defaultClock }, options)
  check<Pick<KvServerOptions, keyof typeof checks>>(tuned, checks)
  return tuned
}
