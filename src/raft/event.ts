import type { Incarnation, LogIndex, NodeId, SnapshotRef, WriteSeq } from './ids.js'
import type { Message } from './messages.js'

/**
 * The caller's own number for a batch of commands; `Appended` and `Refused` echo it.
 *
 * @example
 * const requestAfter = (last: RequestId): RequestId => last + 1
 */
export type RequestId = number

/**
 * An event of one server. The same events in the same order give the same states and effects.
 *
 * @example
 * const untilCandidate: ReadonlyArray<RaftEvent> = [{ _tag: 'Started' }, { _tag: 'ElectionTimedOut', generation: 1 }]
 */
export type RaftEvent =
  /** The server was started or restarted from its disk. This event comes first, and once. */
  | { readonly _tag: 'Started' }
  /** "election timeout elapses" (§5.2), for the arming with this generation. An older generation is ignored. */
  | { readonly _tag: 'ElectionTimedOut'; readonly generation: number }
  /** "repeat during idle periods to prevent election timeouts" (§5.2), with a generation in the same way. */
  | { readonly _tag: 'HeartbeatDue'; readonly generation: number }
  /**
   * A message arrived. The border decoded it and admitted its sender. `incarnation` names the sender's data directory
   * if the network is sure of it; otherwise it is left out or null.
   */
  | { readonly _tag: 'Received'; readonly message: Message; readonly incarnation?: Incarnation | null }
  /** "command received from client" (§5.3), any number of them at once. */
  | { readonly _tag: 'Proposed'; readonly request: RequestId; readonly commands: ReadonlyArray<Uint8Array> }
  /** A turn of the loop ended: send all that has gathered. Answers `ScheduleFlush`. */
  | { readonly _tag: 'Flush' }
  /** Every write up to and including `seq` is on stable storage. */
  | { readonly _tag: 'Persisted'; readonly seq: WriteSeq }
  /**
   * The state machine has answered for every entry up to and including `index`: each entry, or a snapshot that it
   * restored.
   */
  | { readonly _tag: 'Applied'; readonly index: LogIndex }
  /**
   * §7: "each server takes snapshots independently": `data` is the state machine's state after `index`, which it was
   * handed. The event changes nothing if the log begins there or later already, or while another snapshot is stored.
   */
  | { readonly _tag: 'SnapshotTaken'; readonly index: LogIndex; readonly data: Uint8Array }
  /** Storage holds the first `offset` bytes of snapshot `ref`. */
  | { readonly _tag: 'ChunkStored'; readonly ref: SnapshotRef; readonly offset: number }
  /** Storage holds all `size` bytes of snapshot `ref`, durably. */
  | { readonly _tag: 'SnapshotStored'; readonly ref: SnapshotRef; readonly size: number }
  /** Storage holds all of snapshot `ref`, which a leader sent, and the state machine cannot begin with it. */
  | { readonly _tag: 'SnapshotRefused'; readonly ref: SnapshotRef }
  /** The bytes of snapshot `ref` from `offset` on, to be sent to `peer`. */
  | { readonly _tag: 'ChunkRead'; readonly peer: NodeId; readonly ref: SnapshotRef; readonly offset: number; readonly data: Uint8Array }
  /** Messages to `peer` may be lost: a queue was full, or a connection was reset. */
  | { readonly _tag: 'Unreachable'; readonly peer: NodeId }
