/**
 * How much the store takes. Every server of a cluster must have the same limits, as they decide what a command does;
 * change them only when all servers are down.
 *
 * @example
 * const limits: Partial<KvLimits> = { maxKeyBytes: 1_024, maxValueBytes: 1 << 16 }
 * createKvServer({ id: 'n1', network, storage, limits })
 */
export interface KvLimits {
  readonly maxKeyBytes: number
  /** Also of what `Append` makes. */
  readonly maxValueBytes: number
  /** Comparisons and operations of a transaction, nested ones included. */
  readonly maxTxnOps: number
  /**
   * Memory for the current versions of all keys, estimated; a write that would exceed it is refused with `StoreFull`.
   */
  readonly maxLiveBytes: number
  /** Older revisions are forgotten as if by `Compact`, an eighth of the bound at a time. */
  readonly maxHistoryRevisions: number
  /** Memory that only the history holds, estimated; likewise. */
  readonly maxHistoryBytes: number
  /** The next one ends the session that was not used for longest. */
  readonly maxSessions: number
  /** Serials of one session from its `firstUnanswered` on; a higher one is refused with `TooManyUnanswered`. */
  readonly maxUnanswered: number
  /** The next one forgets the key that was not used for longest. */
  readonly maxIdempotencyKeys: number
  readonly maxIdempotencyKeyBytes: number
  /** Remembered answers of all sessions, and as much again for idempotency keys: the longest unused are dropped. */
  readonly maxAnswerBytes: number
}

const MiB = 1024 * 1024

/**
 * The limits that `emptyStore` takes by default.
 *
 * @example
 * emptyStore({ maxHistoryRevisions: 2 * defaultLimits.maxHistoryRevisions })
 */
export const defaultLimits: KvLimits = {
  maxKeyBytes: 4096,
  maxValueBytes: MiB,
  maxTxnOps: 128,
  maxLiveBytes: 1024 * MiB,
  maxHistoryRevisions: 100_000,
  maxHistoryBytes: 64 * MiB,
  maxSessions: 10_000,
  maxUnanswered: 1024,
  maxIdempotencyKeys: 100_000,
  maxIdempotencyKeyBytes: 128,
  maxAnswerBytes: 64 * MiB,
}

/** The limits, with the default of each one that is left out or `undefined`. */
export const limitsFrom = (limits: Partial<KvLimits>): KvLimits => ({
  ...defaultLimits,
  ...(Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined)) as Partial<KvLimits>),
})
