import type { LogIndex, NodeId, WriteSeq } from '../ids.js'
import type { Member } from './configuration.js'
import { Progress } from './progress.js'
import type { Sending } from './snapshots.js'

/**
 * The three states of §5.1, each with the variables that only it has.
 *
 * @example
 * const knowsTheLeader = (role: Role): boolean => role._tag === 'Leader' || (role._tag === 'Follower' && role.leader !== null)
 */
export type Role = Follower | Candidate | Leader

/**
 * A server that answers requests and makes none of its own (§5.1).
 *
 * @example
 * new Follower(nodeId('n2')).leader // 'n2'
 */
export class Follower {
  readonly _tag = 'Follower'
  constructor(
    /** The leader of the current term, if it is known. */
    readonly leader: NodeId | null,
    /** A server that says it leads this term, and would replace committed entries. */
    readonly disbelieved?: NodeId,
  ) {}
}

/**
 * A server that asks for votes, to become the leader (§5.2).
 *
 * @example
 * new Candidate(writeSeq(1)).hasVoteOf(nodeId('n1')) // false: its write is not on the disk yet
 */
export class Candidate {
  readonly _tag = 'Candidate'
  constructor(
    /** The write that holds the own vote. The own vote joins `votes` once that write is on disk. */
    readonly ownVote: WriteSeq,
    /** The servers that granted their vote, each with its data directory. */
    readonly votes: ReadonlyArray<Member> = [],
  ) {}

  /** Whether that voter granted its vote. */
  hasVoteOf(id: NodeId): boolean {
    return this.votes.some((vote) => vote.id === id)
  }
}

/**
 * "Volatile state on leaders (reinitialized after election)".
 *
 * @example
 * const leader = new Leader().following([nodeId('n2'), nodeId('n3')], logIndex(5))
 * leader.follower(nodeId('n2'))?.nextIndex // 5
 */
export class Leader {
  readonly _tag = 'Leader'
  constructor(
    /** Every other server that is sent the log, by name. They may come and go in the middle of a term (§6). */
    readonly followers: ReadonlyArray<Progress> = [],
    /** The snapshots under way to the followers whose flow is `Snapshot`. */
    readonly sendings: ReadonlyArray<Sending> = [],
  ) {}

  /** The progress of a follower. */
  follower(id: NodeId): Progress | undefined {
    return this.followers.find((follower) => follower.id === id)
  }

  /** Leads exactly `ids` from now on: a known follower keeps its progress, a new one begins at `nextIndex`. */
  following(ids: ReadonlyArray<NodeId>, nextIndex: LogIndex): Leader {
    return new Leader(
      ids.map((id) => this.follower(id) ?? Progress.of(id, nextIndex)),
      this.sendings.filter(({ to }) => ids.includes(to)),
    )
  }

  /**
   * With `progress` in the place of the follower's former one. A server that is no follower any more does not become
   * one.
   */
  withProgress(progress: Progress): Leader {
    const place = this.followers.findIndex(({ id }) => id === progress.id)
    if (place < 0) return this
    const followers = this.followers.slice()
    followers[place] = progress
    return new Leader(followers, this.sendings)
  }

  /** The snapshot on its way to a follower. */
  sending(to: NodeId): Sending | undefined {
    return this.sendings.find((sending) => sending.to === to)
  }

  /** With `sending` in the place of the former one to the same follower. */
  withSending(sending: Sending): Leader {
    return new Leader(this.followers, [...this.withoutSending(sending.to).sendings, sending])
  }

  /** Without the snapshot on its way to that follower. */
  withoutSending(to: NodeId): Leader {
    return new Leader(
      this.followers,
      this.sendings.filter((other) => other.to !== to),
    )
  }
}

/** Whether both follow the same leader. One server may lead two terms, and its follower's role stays the same value. */
export const isSameFollower = (a: Role, b: Role): boolean =>
  a._tag === 'Follower' && b._tag === 'Follower' && a.leader === b.leader && a.disbelieved === b.disbelieved
