import type { LogBase } from './state/log.js'
import type { StoredSnapshot } from './state/snapshots.js'
import type { Entry } from './state/entry.js'
import type { Disbelief, Refusal } from './error.js'
import type { RequestId } from './event.js'
import type { LogIndex, NodeId, SnapshotRef, Term, WriteSeq } from './ids.js'
import type { Message } from './messages.js'

/**
 * The difference that a step made to what must survive a crash (Figure 2, "Persistent state on all servers"). Storage
 * writes in this order: snapshot, hard state, truncation, entries. Every prefix of that order is a legal state.
 *
 * @example
 * const lastIndexAfter = ({ firstIndex, entries }: Write): number => firstIndex + entries.length - 1
 */
export interface Write {
  /** From here on the log begins after this snapshot, which storage holds. Null: the log begins where it did. */
  readonly snapshot: SnapshotPointer | null
  /** Null: neither term nor vote changed. */
  readonly hardState: HardState | null
  /** Forget the entries from here on. Null: keep all. */
  readonly truncateFrom: LogIndex | null
  /** Then append these, the first of them at `firstIndex`. */
  readonly firstIndex: LogIndex
  readonly entries: ReadonlyArray<Entry>
  /** How far the log is known to be committed. A hint: it causes no write, and nothing waits for it. */
  readonly commitIndex: LogIndex
}

/**
 * A log begins after this snapshot. `keepsSuffix`: the log holds the snapshot's last included entry, and the
 * entries after it stay (Figure 13, 6). Otherwise all entries are forgotten (7).
 *
 * @example
 * const reloaded = (log: Log, pointer: SnapshotPointer): Log => logAfter(log, pointer)
 */
export interface SnapshotPointer extends StoredSnapshot {
  readonly base: LogBase
  readonly keepsSuffix: boolean
}

/**
 * "Persistent state on all servers" (Figure 2), without the log.
 *
 * @example
 * const beforeTheFirstElection: HardState = { currentTerm: term(0), votedFor: null }
 */
export interface HardState {
  readonly currentTerm: Term
  readonly votedFor: NodeId | null
}

/**
 * A thing to do. The effects of one step are performed in their order.
 *
 * @example
 * const messagesIn = (effects: ReadonlyArray<Effect>): ReadonlyArray<Message> =>
 *   effects.flatMap((effect) => (effect._tag === 'Send' ? [effect.message] : []))
 */
export type Effect =
  /** For the storage sink; answered by `Persisted`. Writes are performed in the order of `seq`. */
  | { readonly _tag: 'Persist'; readonly seq: WriteSeq; readonly write: Write }
  /** For the network. May be lost, delayed, doubled or reordered. With `after`: not before that write is on disk. */
  | { readonly _tag: 'Send'; readonly message: Message; readonly after: WriteSeq | null }
  /**
   * For the state machine: committed, durable commands at consecutive indexes, each once per run (§5.3); answered by
   * `Applied`.
   */
  | { readonly _tag: 'Apply'; readonly firstIndex: LogIndex; readonly entries: ReadonlyArray<Entry> }
  /**
   * For the state machine, in order among the `Apply`: its state becomes this snapshot's (§7); answered by `Applied`
   * with `base.index`.
   */
  | { readonly _tag: 'Restore'; readonly snapshot: StoredSnapshot; readonly base: LogBase }
  /**
   * For storage: a piece of snapshot `ref`, from byte `offset` on. The first piece makes the file. Answered by
   * `ChunkStored`; the last piece by `SnapshotStored`, once the whole snapshot would survive a power loss. `from` is
   * the leader that sent it; null: it is the own state machine's. A leader's snapshot may be answered by
   * `SnapshotRefused` instead.
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
  /** For storage: answer `ChunkRead` with the bytes from `offset` on, at most `maxBytes`. */
  | { readonly _tag: 'ReadChunk'; readonly peer: NodeId; readonly ref: SnapshotRef; readonly offset: number; readonly maxBytes: number }
  /** For storage: these snapshots are not needed any more. With `after`: not before that write is on disk. */
  | { readonly _tag: 'DiscardSnapshots'; readonly refs: ReadonlyArray<SnapshotRef>; readonly after: WriteSeq | null }
  /** For the election timer: forget the last arming; answer `ElectionTimedOut` after a new random timeout. */
  | { readonly _tag: 'ArmElectionTimer'; readonly generation: number }
  /** For the heartbeat timer: forget the last arming; answer `HeartbeatDue` after the heartbeat interval. */
  | { readonly _tag: 'ArmHeartbeat'; readonly generation: number }
  /** For the loop: answer `Flush` at the end of this turn. Several of these in a turn get one answer. */
  | { readonly _tag: 'ScheduleFlush' }
  /** To the operator: a message of `from` was not believed and not handled. */
  | { readonly _tag: 'Ignored'; readonly from: NodeId; readonly why: Disbelief }
  /**
   * To the proposer: the first `count` commands of the batch got these indexes. Later steps tell what becomes of them.
   */
  | { readonly _tag: 'Appended'; readonly request: RequestId; readonly term: Term; readonly firstIndex: LogIndex; readonly count: number }
  /** To the proposer: the commands after the first `appended` ones were not appended. */
  | { readonly _tag: 'Refused'; readonly request: RequestId; readonly appended: number; readonly refusal: Refusal }

/**
 * The effect of one kind: `EffectOf<'Persist'>`.
 *
 * @example
 * const timeout = ({ generation }: EffectOf<'ArmElectionTimer'>): RaftEvent => ({ _tag: 'ElectionTimedOut', generation })
 */
export type EffectOf<Tag extends Effect['_tag']> = Extract<Effect, { readonly _tag: Tag }>
/**
 * A write to the disk.
 *
 * @example
 * // Once the write is on the disk:
 * const answerTo = ({ seq }: Persist): RaftEvent => ({ _tag: 'Persisted', seq })
 */
export type Persist = EffectOf<'Persist'>
/**
 * A message for another server, once the write `after` is on the disk.
 *
 * @example
 * const mayGo = ({ after }: Send, lastWriteOnDisk: number): boolean => after === null || after <= lastWriteOnDisk
 */
export type Send = EffectOf<'Send'>
/**
 * Committed entries for the state machine.
 *
 * @example
 * const answerTo = ({ firstIndex, entries }: Apply): RaftEvent => ({ _tag: 'Applied', index: logIndex(firstIndex + entries.length - 1) })
 */
export type Apply = EffectOf<'Apply'>
/**
 * The state machine is to begin with a snapshot.
 *
 * @example
 * const answerTo = ({ base }: Restore): RaftEvent => ({ _tag: 'Applied', index: base.index })
 */
export type Restore = EffectOf<'Restore'>
/**
 * A snapshot that is to be stored.
 *
 * @example
 * const answerTo = ({ ref, offset, data, last }: StoreSnapshot): RaftEvent =>
 *   last ? { _tag: 'SnapshotStored', ref, size: offset + data.length } : { _tag: 'ChunkStored', ref, offset: offset + data.length }
 */
export type StoreSnapshot = EffectOf<'StoreSnapshot'>
/**
 * A piece of a snapshot that is to be read for a follower.
 *
 * @example
 * const answerTo = ({ peer, ref, offset, maxBytes }: ReadChunk, snapshot: Uint8Array): RaftEvent =>
 *   ({ _tag: 'ChunkRead', peer, ref, offset, data: snapshot.subarray(offset, offset + maxBytes) })
 */
export type ReadChunk = EffectOf<'ReadChunk'>
/**
 * Snapshots that are needed no longer.
 *
 * @example
 * const discard = (stored: Map<number, Uint8Array>, { refs }: DiscardSnapshots): void => refs.forEach((ref) => stored.delete(ref))
 */
export type DiscardSnapshots = EffectOf<'DiscardSnapshots'>
