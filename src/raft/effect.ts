import type { Entry } from './entry.js'
import type { Refusal } from './error.js'
import type { RequestId } from './event.js'
import type { LogIndex, NodeId, Term, WriteSeq } from './ids.js'
import type { Message } from './messages.js'

/**
 * The difference that a step made to what must survive a crash (Figure 2, "Persistent state on all
 * servers"). To be written in this order, of which every prefix is a legal state: hard state,
 * truncation, entries.
 */
export interface Write {
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
  /** For the election timer: forget the last arming; answer `ElectionTimedOut` after a new random timeout. */
  | { readonly _tag: 'ArmElectionTimer'; readonly generation: number }
  /** For the heartbeat timer: forget the last arming; answer `HeartbeatDue` after the heartbeat interval. */
  | { readonly _tag: 'ArmHeartbeat'; readonly generation: number }
  /** For the loop: answer `Flush` at the end of this turn, once however often it was asked. */
  | { readonly _tag: 'ScheduleFlush' }
  /** To the proposer: the first `count` commands of the batch got these indexes. What becomes of them is told by later steps. */
  | { readonly _tag: 'Appended'; readonly request: RequestId; readonly term: Term; readonly firstIndex: LogIndex; readonly count: number }
  /** To the proposer: the commands after the first `appended` ones were not appended. */
  | { readonly _tag: 'Refused'; readonly request: RequestId; readonly appended: number; readonly refusal: Refusal }

export type EffectOf<Tag extends Effect['_tag']> = Extract<Effect, { readonly _tag: Tag }>
export type Persist = EffectOf<'Persist'>
export type Send = EffectOf<'Send'>
export type Apply = EffectOf<'Apply'>
