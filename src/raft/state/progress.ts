import { logIndex, type LogIndex, type MessageSeq, type NodeId } from '../ids.js'

/**
 * What a leader knows of one follower.
 *
 * @example
 * const progress = Progress.of(nodeId('n2'), logIndex(4))
 * progress.flow // 'Probe'
 * progress.matchIndex // 0
 */
export class Progress {
  private constructor(
    readonly id: NodeId,
    /** "index of the next log entry to send to that server". */
    readonly nextIndex: LogIndex,
    /** "index of highest log entry known to be replicated on server". */
    readonly matchIndex: LogIndex,
    /** The commitIndex that the follower was sent last. */
    readonly sentCommit: LogIndex,
    /**
     * How the leader sends to it:
     *  - `Probe`: the leader does not know where the two logs part: one request at a time, repeated by the heartbeat;
     *  - `Replicate`: the logs are known to match: requests follow each other without waiting, within a window;
     *  - `Snapshot`: the leader's log does not hold the next entry any more (§7): heartbeats, and a `Sending`.
     */
    readonly flow: 'Probe' | 'Replicate' | 'Snapshot',
    /** Requests without an answer, oldest first. */
    readonly inflight: ReadonlyArray<Inflight>,
    /** Heartbeats sent since its last answer. */
    readonly silentHeartbeats: number,
  ) {}

  /**
   * A follower of which nothing is known: "nextIndex … initialized to leader last log index + 1, matchIndex …
   * initialized to 0".
   */
  static of(id: NodeId, nextIndex: LogIndex): Progress {
    return new Progress(id, nextIndex, logIndex(0), logIndex(0), 'Probe', [], 0)
  }

  /** The same follower, with what changed. */
  with(change: Partial<Pick<Progress, 'nextIndex' | 'matchIndex' | 'sentCommit' | 'flow' | 'inflight' | 'silentHeartbeats'>>): Progress {
    return new Progress(
      this.id,
      change.nextIndex ?? this.nextIndex,
      change.matchIndex ?? this.matchIndex,
      change.sentCommit ?? this.sentCommit,
      change.flow ?? this.flow,
      change.inflight ?? this.inflight,
      change.silentHeartbeats ?? this.silentHeartbeats,
    )
  }
}

/**
 * An AppendEntries under way: the entries after `prevLogIndex` up to `lastIndex`. A heartbeat has none: its two indexes
 * are equal.
 *
 * @example
 * const waitedMs = (request: Inflight, nowMs: number): number => nowMs - request.sentAt
 */
export interface Inflight {
  readonly seq: MessageSeq
  /** When it was sent, in milliseconds of this server's clock. */
  readonly sentAt: number
  readonly prevLogIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly bytes: number
}
