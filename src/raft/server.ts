import type { HardState } from './effect.js'
import { type LogIndex, type MessageSeq, messageSeq, type NodeId, term, type WriteSeq, writeSeq } from './ids.js'
import type { Log } from './log.js'
import type { Settings } from './settings.js'

/**
 * Figure 2, "State", and what an implementation needs beside it. Immutable; what a step leaves
 * unchanged stays the identical object, so `===` on any part of it says whether it changed. What
 * changes at almost every event is kept apart in `counters`.
 */
export interface Server extends HardState {
  readonly id: NodeId
  readonly settings: Settings

  // Persistent state on all servers: currentTerm and votedFor (from HardState), and
  readonly log: Log

  // Volatile state on all servers:
  /** "index of highest log entry known to be committed". */
  readonly commitIndex: LogIndex
  /** "index of highest log entry applied to state machine": the state machine has answered for it. */
  readonly lastApplied: LogIndex
  /** Handed to the state machine, which may not have answered yet. */
  readonly handedOver: LogIndex

  readonly role: Role
  readonly durable: Durable
  readonly counters: Counters
}

/** The three states of §5.1, each with the variables that only it has. */
export type Role =
  | Follower
  | Candidate
  | Leader

export interface Follower { readonly _tag: 'Follower'; readonly leader: NodeId | null }

/** `votes` holds the own name only once `ownVote`, the write with the own vote in it, is on disk. */
export interface Candidate { readonly _tag: 'Candidate'; readonly votes: ReadonlyArray<NodeId>; readonly ownVote: WriteSeq }

/** "Volatile state on leaders (reinitialized after election)": construction is the reinitialization. */
export interface Leader { readonly _tag: 'Leader'; readonly followers: Readonly<Record<NodeId, Progress>> }

/** What a leader knows of one follower. */
export interface Progress {
  /** "index of the next log entry to send to that server". */
  readonly nextIndex: LogIndex
  /** "index of highest log entry known to be replicated on server". */
  readonly matchIndex: LogIndex
  /** The commitIndex it was last sent. */
  readonly sentCommit: LogIndex
  /**
   * How it is being sent to:
   *  - `Probe`: where its log parts from ours is not known: one request at a time, repeated by the heartbeat;
   *  - `Replicate`: its log is known to match; requests follow each other without waiting, within a window.
   */
  readonly flow: 'Probe' | 'Replicate'
  /** Requests without an answer, oldest first. */
  readonly inflight: ReadonlyArray<Inflight>
  /** Heartbeats sent since it last answered. */
  readonly silentHeartbeats: number
}

/** An AppendEntries under way: entries after `prevLogIndex` up to `lastIndex`; none when these are equal. */
export interface Inflight {
  readonly seq: MessageSeq
  readonly prevLogIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly bytes: number
}

/**
 * What is on stable storage. Kept by counting writes and never by comparing terms: an entry may be
 * written, truncated and written again with the same index and term before the first write is
 * acknowledged, which then says nothing about the third.
 */
export interface Durable {
  /** The log is on disk up to here, as it is now. */
  readonly index: LogIndex
  /** The last write that was asked for. */
  readonly written: WriteSeq
  /** The last write that is known to be done. */
  readonly acknowledged: WriteSeq
  /** The writes between: each, once done, makes the log durable up to its `lastIndex`, which a later truncation lowers. */
  readonly pending: ReadonlyArray<{ readonly seq: WriteSeq; readonly lastIndex: LogIndex }>
}

/** Times and counters: what changes often and decides nothing by its value alone. */
export interface Counters {
  /** The last request sent. */
  readonly messages: MessageSeq
  /** Generations of the timers. */
  readonly electionTimer: number
  readonly heartbeat: number
}

type Writable<A> = { -readonly [K in keyof A]: A[K] }

/**
 * A server while the rules of one step write to it (an immer draft). The log, the settings and each
 * follower's progress are values that are replaced whole; the rest is written field by field.
 */
export interface ServerDraft extends Writable<Omit<Server, 'role' | 'durable' | 'counters'>> {
  role: Follower | (Omit<Candidate, 'votes'> & { votes: NodeId[] }) | (Omit<Leader, 'followers'> & { followers: Record<NodeId, Progress> })
  durable: Omit<Writable<Durable>, 'pending'> & { pending: Writable<Durable['pending'][number]>[] }
  counters: Writable<Counters>
}

/** What a server finds on its disk when it starts. */
export interface Recovered extends HardState {
  readonly log: Log
  /** An index up to which the log is known to be committed; 0 if nothing is known. A hint: it may lag. */
  readonly commitIndex: LogIndex
}

/** What a bootstrapped server that never ran finds there. */
export const fresh = (log: Log): Recovered => ({ currentTerm: term(0), votedFor: null, log, commitIndex: log.base.index })

/**
 * A server as it is before `Started`: "when servers start up, they begin as followers" (§5.2). The
 * commit hint is kept within the log; all of it was read from disk and is therefore durable.
 */
export const restart = (id: NodeId, settings: Settings, { currentTerm, votedFor, log, commitIndex }: Recovered): Server => ({
  id,
  settings,
  currentTerm,
  votedFor,
  log,
  commitIndex: Math.max(log.base.index, Math.min(commitIndex, log.lastIndex)) as LogIndex,
  lastApplied: log.base.index,
  handedOver: log.base.index,
  role: { _tag: 'Follower', leader: null },
  durable: { index: log.lastIndex, written: writeSeq(0), acknowledged: writeSeq(0), pending: [] },
  counters: { messages: messageSeq(0), electionTimer: 0, heartbeat: 0 },
})

/** Who leads, as far as this server knows. */
export const leaderOf = ({ id, role }: Pick<Server, 'id' | 'role'>): NodeId | null =>
  role._tag === 'Leader' ? id : role._tag === 'Follower' ? role.leader : null
