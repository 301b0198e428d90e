import type { LogBase } from './log.js'
import { type MessageSeq, nextRef, type NodeId, type SnapshotRef, snapshotRef } from '../ids.js'

/**
 * §7, by reference: what a server knows of the snapshots in its storage. Their bytes pass from an event to an effect as
 * one object and are never held here. Guarantees:
 *
 *  1. `current` is what the log begins after: storage holds all of it, durably, before the log is told to forget what it replaced;
 *  2. a ref that is named here, or in a `Transfer`, is kept by the storage; one that is named no more is discarded, see durability.ts.
 */
export class Snapshots {
  constructor(
    /** The one that the log begins after; null where the log begins with its first entry. */
    readonly current: StoredSnapshot | null,
    /** Of the own state machine, on its way to the disk. */
    readonly taking: HeldSnapshot | null = null,
    /** Of a leader, on its way here. */
    readonly receiving: Receiving | null = null,
    /** Handed to the state machine, which has not answered. */
    readonly restoring: HeldSnapshot | null = null,
    /** The last number that was given out. */
    readonly lastRef: SnapshotRef = current?.ref ?? snapshotRef(0),
  ) {}

  get nextRef(): SnapshotRef {
    return nextRef(this.lastRef)
  }

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

/** A whole snapshot in storage; `size` is that of its bytes. */
export interface StoredSnapshot {
  readonly ref: SnapshotRef
  readonly size: number
}

/** `base` is Figure 13's lastIncludedIndex and lastIncludedTerm, and the configuration then. */
export interface HeldSnapshot {
  readonly ref: SnapshotRef
  readonly base: LogBase
}

/** A snapshot that comes in chunks. */
export interface Receiving extends HeldSnapshot {
  readonly from: NodeId
  /** The request that was received last: the one to be answered when its chunk is stored. */
  readonly re: MessageSeq
  /** Bytes that are stored: where the next chunk begins. */
  readonly offset: number
  /** A chunk is on its way to the disk. */
  readonly storing: boolean
}

/**
 * How a leader sends one follower a snapshot: "Leaders always send chunks in order" (Figure 13), one at a time, so that a slow
 * disk slows its own transfer. The leader may take newer snapshots meanwhile; this one is kept until it is through.
 */
export class Sending {
  constructor(
    readonly to: NodeId,
    readonly snapshot: StoredSnapshot,
    readonly base: LogBase,
    /** Where the chunk begins that is under way, or the next one. */
    readonly offset: number,
    /** The chunk is read from the own disk, is under way, or was lost. A lost one is sent again as soon as the follower answers anything. */
    readonly chunk: 'Reading' | 'Lost' | SentChunk,
  ) {}
}

/** A chunk under way. */
export interface SentChunk {
  readonly seq: MessageSeq
  /** When it was sent, in milliseconds of this server's clock. */
  readonly sentAt: number
  /** How often the follower has answered something else since then. */
  readonly otherAnswers: number
}
