import { WriteProgress } from './writeProgress.js'
import type { HardState } from '../effect.js'
import type { Member } from './configuration.js'
import {
  type Incarnation,
  logIndex,
  type LogIndex,
  type MessageSeq,
  messageSeq,
  type NodeId,
  term,
  type WriteSeq,
  writeSeq,
} from '../ids.js'
import type { Log } from './log.js'
import type { Settings } from '../settings.js'
import { Snapshots, type StoredSnapshot, type Sending } from './snapshots.js'

/**
 * Figure 2, "State", and what an implementation needs beside it. Immutable; what a step leaves
 * unchanged stays the identical object, so `===` on any part of it says whether it changed. What
 * changes at almost every event is kept apart in `counters`.
 */
export interface Server extends HardState {
  readonly id: NodeId
  /** Names its data directory; null where its storage has none. Same id and another incarnation is another server. */
  readonly incarnation: Incarnation | null
  readonly settings: Settings

  // Persistent state on all servers: currentTerm and votedFor (from HardState), and
  readonly log: Log

  // Volatile state on all servers:
  /** "index of highest log entry known to be committed". */
  readonly commitIndex: LogIndex
  /** "index of highest log entry applied to state machine": the state machine has answered for it. */
  readonly lastApplied: LogIndex
  /** Handed to the state machine, which may not have answered yet. */
  readonly applyingIndex: LogIndex

  readonly role: Role
  readonly writeProgress: WriteProgress
  readonly snapshots: Snapshots
  readonly counters: Counters
}

/** The three states of §5.1, each with the variables that only it has. */
export type Role = Follower | Candidate | Leader

export class Follower {
  readonly _tag = 'Follower'
  constructor(
    readonly leader: NodeId | null,
    /** Who claims to lead this term and would replace what is committed. */
    readonly disbelieved?: NodeId,
  ) {}
}

/** `votes` holds the own one only once `ownVote`, the write with the own vote in it, is on disk. */
export class Candidate {
  readonly _tag = 'Candidate'
  constructor(
    readonly ownVote: WriteSeq,
    /** Who granted their vote, each with its data directory. */
    readonly votes: ReadonlyArray<Member> = [],
  ) {}

  hasVoteOf(id: NodeId): boolean {
    return this.votes.some((vote) => vote.id === id)
  }
}

const nothingUnderWay: ReadonlyArray<Sending> = []

/** "Volatile state on leaders (reinitialized after election)": construction is the reinitialization. */
export class Leader {
  readonly _tag = 'Leader'
  constructor(
    /** Everyone else who is sent the log, by name. */
    readonly followers: ReadonlyArray<Progress>,
    /** The snapshots under way to those whose flow is `Snapshot`. */
    readonly sendings: ReadonlyArray<Sending> = nothingUnderWay,
  ) {}

  follower(id: NodeId): Progress | undefined {
    return this.followers.find((follower) => follower.id === id)
  }

  /** With `progress` in the place of what was known of that follower. */
  with(progress: Progress): Leader {
    return new Leader(
      this.followers.map((follower) => (follower.id === progress.id ? progress : follower)),
      this.sendings,
    )
  }

  sending(to: NodeId): Sending | undefined {
    return this.sendings.find((transfer) => transfer.to === to)
  }

  /** With `transfer` in the place of the one to that follower, or with none. */
  withSending(to: NodeId, transfer: Sending | null): Leader {
    const others = this.sendings.filter((other) => other.to !== to)
    return new Leader(this.followers, transfer === null ? others : [...others, transfer])
  }
}

/** What a leader knows of one follower. */
export class Progress {
  constructor(
    readonly id: NodeId,
    /** "index of the next log entry to send to that server". */
    readonly nextIndex: LogIndex,
    /** "index of highest log entry known to be replicated on server". */
    readonly matchIndex: LogIndex,
    /** The commitIndex it was last sent. */
    readonly sentCommit: LogIndex,
    /**
     * How it is being sent to:
     *  - `Probe`: where its log parts from ours is not known: one request at a time, repeated by the heartbeat;
     *  - `Replicate`: its log is known to match; requests follow each other without waiting, within a window;
     *  - `Snapshot`: what it lacks is not in our log any more (§7): it gets heartbeats and a `Transfer`.
     */
    readonly flow: 'Probe' | 'Replicate' | 'Snapshot',
    /** Requests without an answer, oldest first. */
    readonly inflight: ReadonlyArray<Inflight>,
    /** Heartbeats sent since it last answered. */
    readonly silentHeartbeats: number,
  ) {}
}

/** An AppendEntries under way: entries after `prevLogIndex` up to `lastIndex`; none when these are equal. */
export interface Inflight {
  readonly seq: MessageSeq
  /** When it was sent, in milliseconds of this server's clock. */
  readonly sentAt: number
  readonly prevLogIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly bytes: number
}

/** Times and counters: what changes often and decides nothing by its value alone. */
export class Counters {
  constructor(
    /** The last request sent. */
    readonly messages: MessageSeq,
    /** Generations of the timers. */
    readonly electionTimer: number,
    readonly heartbeat: number,
  ) {}
}

/**
 * A server while the rules of one step write to it. Its fields are replaced; what stands in them are
 * values and never written into. (Why not immer's draft: docs/decisions/0002.)
 */
export type ServerDraft = { -readonly [Field in keyof Server]: Server[Field] }

/** The copy that a step writes to. Spelled out: a spread costs fifteen times as much. */
export const draftOf = (s: Server): ServerDraft => ({
  id: s.id,
  incarnation: s.incarnation,
  settings: s.settings,
  currentTerm: s.currentTerm,
  votedFor: s.votedFor,
  log: s.log,
  commitIndex: s.commitIndex,
  lastApplied: s.lastApplied,
  applyingIndex: s.applyingIndex,
  role: s.role,
  writeProgress: s.writeProgress,
  snapshots: s.snapshots,
  counters: s.counters,
})

/** Whether both follow the same leader: the leader of two terms may be one server. */
export const isSameFollower = (a: Role, b: Role): boolean =>
  a._tag === 'Follower' && b._tag === 'Follower' && a.leader === b.leader && a.disbelieved === b.disbelieved

/** Whether nothing differs between the two: then a step gives back the very same server. */
export const isUnchanged = (a: Server, b: Server): boolean =>
  a.currentTerm === b.currentTerm &&
  a.votedFor === b.votedFor &&
  a.log === b.log &&
  a.commitIndex === b.commitIndex &&
  a.lastApplied === b.lastApplied &&
  a.applyingIndex === b.applyingIndex &&
  a.role === b.role &&
  a.writeProgress === b.writeProgress &&
  a.snapshots === b.snapshots &&
  a.counters === b.counters

/** What a server finds on its disk when it starts. */
export interface Recovered extends HardState {
  /** Names the data directory; left out or null where the storage has none. */
  readonly incarnation?: Incarnation | null
  readonly log: Log
  /** An index up to which the log is known to be committed; 0 if nothing is known. A hint: it may lag. */
  readonly commitIndex: LogIndex
  /** The snapshot that the log begins after; null where there is none. */
  readonly snapshot: StoredSnapshot | null
}

/** What a bootstrapped server that never ran finds there. */
export const fresh = (log: Log): Recovered => ({ currentTerm: term(0), votedFor: null, log, commitIndex: log.base.index, snapshot: null })

/**
 * A server as it is before `Started`: "when servers start up, they begin as followers" (§5.2). The
 * commit hint is kept within the log; all of it was read from disk and is therefore durable. A state machine
 * begins anew: with the snapshot, if there is one.
 */
export const restart = (
  id: NodeId,
  settings: Settings,
  { incarnation = null, currentTerm, votedFor, log, commitIndex, snapshot }: Recovered,
): Server => ({
  id,
  incarnation,
  settings,
  currentTerm,
  votedFor,
  log,
  commitIndex: Math.max(log.base.index, Math.min(commitIndex, log.lastIndex)) as LogIndex,
  lastApplied: snapshot === null ? log.base.index : logIndex(0),
  applyingIndex: snapshot === null ? log.base.index : logIndex(0),
  role: new Follower(null),
  writeProgress: new WriteProgress(log.lastIndex, writeSeq(0), writeSeq(0), []),
  snapshots: new Snapshots(snapshot),
  counters: new Counters(messageSeq(0), 0, 0),
})

/** Who leads, as far as this server knows. */
export const leaderOf = ({ id, role }: Pick<Server, 'id' | 'role'>): NodeId | null =>
  role._tag === 'Leader' ? id : role._tag === 'Follower' ? role.leader : null
