import type { Incarnation, LogIndex, NodeId, SnapshotRef, WriteSeq } from './ids.js'
import type { Message } from './messages.js'

/** The caller's own number for a batch of commands; `Appended` and `Refused` echo it. */
export type RequestId = number

/** What happened. The events of a run, in order, are its whole story: the same events give the same states and effects. */
export type RaftEvent =
  /** The server was started or restarted from what its disk held. First, and once. */
  | { readonly _tag: 'Started' }
  /** "election timeout elapses" (§5.2), for the arming with this generation; an older one is stale and ignored. */
  | { readonly _tag: 'ElectionTimedOut'; readonly generation: number }
  /** "repeat during idle periods to prevent election timeouts" (§5.2), with a generation like the above. */
  | { readonly _tag: 'HeartbeatDue'; readonly generation: number }
  /**
   * A message arrived; it was decoded and its sender admitted at the border. `incarnation` names the data directory of the sender, as far
   * as the network is sure of it; left out or null where it knows of none.
   */
  | { readonly _tag: 'Received'; readonly message: Message; readonly incarnation?: Incarnation | null }
  /** "command received from client" (§5.3), any number of them at once. */
  | { readonly _tag: 'Proposed'; readonly request: RequestId; readonly commands: ReadonlyArray<Uint8Array> }
  /** A turn of the loop ended: send what has gathered. Answers `ScheduleFlush`. */
  | { readonly _tag: 'Flush' }
  /** Every write up to and including `seq` is on stable storage. */
  | { readonly _tag: 'Persisted'; readonly seq: WriteSeq }
  /** The state machine has answered for every entry up to and including `index`, one by one or with a snapshot restored. */
  | { readonly _tag: 'Applied'; readonly index: LogIndex }
  /** §7: "each server takes snapshots independently": `data` is the state machine's state after `index`, which it was handed. One that is not newer than the log's beginning, or comes while one is being stored, changes nothing. */
  | { readonly _tag: 'SnapshotTaken'; readonly index: LogIndex; readonly data: Uint8Array }
  /** Storage holds the first `offset` bytes of snapshot `ref`. */
  | { readonly _tag: 'ChunkStored'; readonly ref: SnapshotRef; readonly offset: number }
  /** Storage holds all of snapshot `ref`, durably: `size` bytes. */
  | { readonly _tag: 'SnapshotStored'; readonly ref: SnapshotRef; readonly size: number }
  /** Storage holds all of snapshot `ref`, which a leader sent, and the state machine cannot begin with it. */
  | { readonly _tag: 'SnapshotRefused'; readonly ref: SnapshotRef }
  /** The bytes of snapshot `ref` from `offset` on, to be sent to `peer`. */
  | { readonly _tag: 'ChunkRead'; readonly peer: NodeId; readonly ref: SnapshotRef; readonly offset: number; readonly data: Uint8Array }
  /** What was sent to `peer` may be lost: a full queue, a reset connection. */
  | { readonly _tag: 'Unreachable'; readonly peer: NodeId }
