import type { LogBase } from './state/log.js'
import type { StoredSnapshot } from './state/snapshots.js'
import type { Entry } from './state/entry.js'
import type { Disbelief, Refusal } from './error.js'
import type { RequestId } from './event.js'
import type { LogIndex, NodeId, SnapshotRef, Term, WriteSeq } from './ids.js'
import type { Message } from './messages.js'

/**
 * The difference that a step made to what must survive a crash (Figure 2, "Persistent state on all
 * servers"). To be written in this order, of which every prefix is a legal state: snapshot,
 * hard state, truncation, entries.
 */
export interface Write {
  /** From here on the log begins after this snapshot, which storage holds; null to leave its beginning. */
  readonly snapshot: SnapshotPointer | null
  /** Null where neither changed. */
  readonly hardState: HardState | null
  /** Forget the entries from here on; null to keep all. */
  readonly truncateFrom: LogIndex | null
  /** Then append these, the first of them at `firstIndex`. */
  readonly firstIndex: LogIndex
  readonly entries: ReadonlyArray<Entry>
  /** How far the log is known to be committed: a hint that rides along, causes no write and is waited for by nobody. */
  readonly commitIndex: LogIndex
}

/**
 * Where a log begins: after a snapshot. `keepsSuffix`: the entries after it stay, which follow its last included one (Figure 13, 6);
 * otherwise all are forgotten (7).
 */
export interface SnapshotPointer extends StoredSnapshot {
  readonly base: LogBase
  readonly keepsSuffix: boolean
}

/** "Persistent state on all servers" (Figure 2), without the log. */
export interface HardState {
  readonly currentTerm: Term
  readonly votedFor: NodeId | null
}

/** What is to be done. Effects of one step are performed in their order. */
export type Effect =
  /** For the storage sink; answered by `Persisted`. Writes are performed in the order of `seq`. */
  | { readonly _tag: 'Persist'; readonly seq: WriteSeq; readonly write: Write }
  /** For the network. May be lost, delayed, doubled or reordered. With `after`: not before that write is on disk. */
  | { readonly _tag: 'Send'; readonly message: Message; readonly after: WriteSeq | null }
  /** For the state machine: committed, durable commands at consecutive indexes, each once per run (§5.3); answered by `Applied`. */
  | { readonly _tag: 'Apply'; readonly firstIndex: LogIndex; readonly entries: ReadonlyArray<Entry> }
  /** For the state machine, in order among the `Apply`: its state is now this snapshot's, whatever it was (§7); answered by `Applied` with `base.index`. */
  | { readonly _tag: 'Restore'; readonly snapshot: StoredSnapshot; readonly base: LogBase }
  /**
   * For storage: a piece of snapshot `ref`, from byte `offset` on; the first makes the file. Answered by `ChunkStored`, or
   * for the last piece by `SnapshotStored` once all of it would survive a power loss. `from` is the leader that sent it, null where it is
   * the own state machine's: a leader's may be answered by `SnapshotRefused` instead.
   */
  | {
      readonly _tag: 'StoreSnapshot'
      readonly from: NodeId | null
      readonly ref: SnapshotRef
      readonly base: LogBase
      readonly offset: number
      readonly data: Uint8Array
      readonly last: boolean
    }
  /** For storage: answer `ChunkRead` with the bytes from `offset` on, `maxBytes` at most. */
  | { readonly _tag: 'ReadChunk'; readonly peer: NodeId; readonly ref: SnapshotRef; readonly offset: number; readonly maxBytes: number }
  /** For storage: nobody refers to these any more. With `after`: not before that write is on disk. */
  | { readonly _tag: 'DiscardSnapshots'; readonly refs: ReadonlyArray<SnapshotRef>; readonly after: WriteSeq | null }
  /** For the election timer: forget the last arming; answer `ElectionTimedOut` after a new random timeout. */
  | { readonly _tag: 'ArmElectionTimer'; readonly generation: number }
  /** For the heartbeat timer: forget the last arming; answer `HeartbeatDue` after the heartbeat interval. */
  | { readonly _tag: 'ArmHeartbeat'; readonly generation: number }
  /** For the loop: answer `Flush` at the end of this turn, once however often it was asked. */
  | { readonly _tag: 'ScheduleFlush' }
  /** To the operator: a message of `from` was not believed, and not handled. */
  | { readonly _tag: 'Ignored'; readonly from: NodeId; readonly why: Disbelief }
  /** To the proposer: the first `count` commands of the batch got these indexes. What becomes of them is told by later steps. */
  | { readonly _tag: 'Appended'; readonly request: RequestId; readonly term: Term; readonly firstIndex: LogIndex; readonly count: number }
  /** To the proposer: the commands after the first `appended` ones were not appended. */
  | { readonly _tag: 'Refused'; readonly request: RequestId; readonly appended: number; readonly refusal: Refusal }

/** The effect of one kind: `EffectOf<'Persist'>`. */
export type EffectOf<Tag extends Effect['_tag']> = Extract<Effect, { readonly _tag: Tag }>
/** A write to the disk. */
export type Persist = EffectOf<'Persist'>
/** A message for another server, once the write `after` is on the disk. */
export type Send = EffectOf<'Send'>
/** Committed entries for the state machine. */
export type Apply = EffectOf<'Apply'>
/** The state machine is to begin with a snapshot. */
export type Restore = EffectOf<'Restore'>
/** A snapshot that is to be stored. */
export type StoreSnapshot = EffectOf<'StoreSnapshot'>
/** A piece of a snapshot that is to be read for a follower. */
export type ReadChunk = EffectOf<'ReadChunk'>
/** Snapshots that are needed no longer. */
export type DiscardSnapshots = EffectOf<'DiscardSnapshots'>
