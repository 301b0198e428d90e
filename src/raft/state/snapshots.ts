import type { LogBase } from './log.js'
import { type MessageSeq, nextRef, type NodeId, type SnapshotRef, snapshotRef } from '../ids.js'

/**
 * §7, by reference: what a server knows of the snapshots in its storage. Their bytes pass from an event to an effect as
 * one object. They are never held here. Guarantees:
 *
 *  1. `current` is what the log begins after: storage holds all of it, durably, before the log forgets what it
 *     replaced;
 *  2. storage keeps a ref that stands here or in a `Sending`, and discards one that stands here no more
 *     (persistence.ts).
 *
 * @example
 * const snapshots = new Snapshots({ ref: snapshotRef(1), size: 4_096 })
 * snapshots.nextRef // 2
 * snapshots.refs // [1]
 */
export class Snapshots {
  constructor(
    /** The snapshot that the log begins after; null where the log begins with its first entry. */
    readonly current: StoredSnapshot | null,
    /** The own state machine's, on its way to the disk. */
    readonly taking: HeldSnapshot | null = null,
    /** A leader's, on its way here. */
    readonly receiving: Receiving | null = null,
    /** Handed to the state machine, which has not answered. */
    readonly restoring: HeldSnapshot | null = null,
    /** The last number that was given out. */
    readonly lastRef: SnapshotRef = current?.ref ?? snapshotRef(0),
  ) {}

  get nextRef(): SnapshotRef {
    return nextRef(this.lastRef)
  }

  /** A copy that differs in what is named. */
  with({
    current = this.current,
    taking = this.taking,
    receiving = this.receiving,
    restoring = this.restoring,
    lastRef = this.lastRef,
  }: Partial<Pick<Snapshots, 'current' | 'taking' | 'receiving' | 'restoring' | 'lastRef'>>): Snapshots {
    return new Snapshots(current, taking, receiving, restoring, lastRef)
  }

  get refs(): ReadonlyArray<SnapshotRef> {
    return [this.current?.ref, this.taking?.ref, this.receiving?.ref, this.restoring?.ref].filter(
      (ref) => ref !== undefined && ref !== null,
    )
  }
}

/**
 * A whole snapshot in storage. `size` counts its bytes.
 *
 * @example
 * const snapshot: StoredSnapshot = { ref: snapshotRef(1), size: 4_096 }
 */
export interface StoredSnapshot {
  readonly ref: SnapshotRef
  readonly size: number
}

/**
 * `base` is Figure 13's lastIncludedIndex and lastIncludedTerm, and the configuration then.
 *
 * @example
 * const isNewerThanBaseOf = (log: Log, { base }: HeldSnapshot): boolean => base.index > log.base.index
 */
export interface HeldSnapshot {
  readonly ref: SnapshotRef
  readonly base: LogBase
}

/**
 * A snapshot that comes in chunks.
 *
 * @example
 * const told = ({ from, offset }: Receiving): string => `${offset} bytes of a snapshot of ${from}`
 */
export interface Receiving extends HeldSnapshot {
  readonly from: NodeId
  /** The last request that was received. It is answered when its chunk is stored. */
  readonly re: MessageSeq
  /** How many bytes are stored. The next chunk begins there. */
  readonly offset: number
  /** A chunk is on its way to the disk. */
  readonly storing: boolean
}

/**
 * How a leader sends one follower a snapshot: "Leaders always send chunks in order" (Figure 13). One chunk is under way
 * at a time, so that a slow disk slows only its own snapshot. The leader may take newer snapshots meanwhile; this one
 * is kept until all of it is sent.
 *
 * @example
 * const shareSent = ({ offset, snapshot }: Sending): number => offset / snapshot.size
 */
export class Sending {
  constructor(
    readonly to: NodeId,
    readonly snapshot: StoredSnapshot,
    readonly base: LogBase,
    /** Where the chunk begins that is under way, or the next one. */
    readonly offset: number,
    /**
     * The chunk is read from the own disk, is under way, or was lost. A lost one is sent again as soon as the follower
     * answers anything.
     */
    readonly chunk: 'Reading' | 'Lost' | SentChunk,
  ) {}

  /** The same snapshot, with what changed. */
  with({ offset = this.offset, chunk = this.chunk }: Partial<Pick<Sending, 'offset' | 'chunk'>>): Sending {
    return new Sending(this.to, this.snapshot, this.base, offset, chunk)
  }

  /** Whether the chunk under way is request `seq`. */
  isSentAs(seq: MessageSeq): boolean {
    return typeof this.chunk === 'object' && this.chunk.seq === seq
  }
}

/**
 * A chunk under way.
 *
 * @example
 * const waitedMs = (chunk: SentChunk, nowMs: number) => nowMs - chunk.sentAt
 */
export interface SentChunk {
  readonly seq: MessageSeq
  /** When it was sent, in milliseconds of this server's clock. */
  readonly sentAt: number
  /** How often the follower has answered something else since then. */
  readonly otherAnswers: number
}
