import { after, type Incarnation, type LogIndex, logIndex, type NodeId, type Term } from '../../../src/raft/ids.js'
import type { Entry } from '../../../src/raft/state/entry.js'
import type { Server } from '../../../src/raft/state/server.js'
import type { Inspection } from '../../loop/run.js'
import { Moved } from './moved.js'
import { Window } from './window.js'

/**
 * An entry that some server knew to be committed.
 *
 * @example
 * const { committed } = new ClusterRecord()
 * const last: Committed | undefined = committed.at(committed.last) // undefined: nothing is known to be committed yet
 */
export interface Committed {
  readonly term: Term
  /** Undefined where it was inside a snapshot when it was first heard of. */
  readonly entry: Entry | undefined
  /** The term of the server that knew it first. */
  readonly inTerm: Term
}

/**
 * What has been seen of one server.
 *
 * @example
 * const { record } = new Checks(allChecks)
 * const n1: ServerRecord | undefined = record.named(nodeId('n1'))
 * n1?.ackedTerm // the newest term that its disk has acknowledged
 */
export class ServerRecord {
  /** The state in which its last life ended; null in its first one. */
  former: Server | null = null
  /**
   * The hard state that its disk has acknowledged, which a crash cannot take back; null while it is not known, as in a
   * watch that began late.
   */
  ackedTerm: Term | null = null
  ackedVote: NodeId | null = null
  /** Hard states that were written and are not acknowledged. */
  private unacked: { readonly seq: number; readonly term: Term; readonly vote: NodeId | null }[] = []

  constructor(public now: Server) {
    if (now.writeProgress.isComplete) this.acknowledged(now.currentTerm, now.votedFor)
  }

  /** A new life of the server begins. */
  restarted(server: Server): void {
    this.former = this.now
    this.unacked = []
    this.now = server
    this.acknowledged(server.currentTerm, server.votedFor)
  }

  private acknowledged(term: Term, vote: NodeId | null): void {
    this.ackedTerm = term
    this.ackedVote = vote
  }

  /** A write is under way. */
  write(seq: number, { currentTerm, votedFor }: Pick<Server, 'currentTerm' | 'votedFor'>): void {
    this.unacked.push({ seq, term: currentTerm, vote: votedFor })
  }

  /** A write is on the disk. */
  acknowledge(seq: number, { writeProgress, currentTerm, votedFor }: Server): void {
    while (this.unacked.length > 0 && this.unacked[0]!.seq <= seq) {
      const { term, vote } = this.unacked.shift()!
      this.acknowledged(term, vote)
    }
    if (this.ackedTerm === null && writeProgress.isComplete) this.acknowledged(currentTerm, votedFor)
  }
}

/** A server says an entry is committed where another one was known to be. */
export interface Conflicting {
  readonly index: LogIndex
  readonly was: Term
  readonly is: Term | null
}

/**
 * What the checks know of a cluster in common, kept up step by step: the latest state of each server,
 * what its disk has acknowledged, and what is committed. It judges nothing but notes what contradicts itself.
 *
 * @example
 * const checks = new Checks(allChecks)
 * server.inspect$.subscribe((step) => checks.see(step))
 * const { committed }: ClusterRecord = checks.record
 * committed.last // the highest index that a server knew to be committed
 */
export class ClusterRecord {
  readonly servers = new Map<NodeId, ServerRecord>()
  readonly committed = new Window<Committed>()
  /** Servers whose disks were lost: another disk under the same name is another server. */
  readonly lost: ServerRecord[] = []
  /** Of the last step. */
  conflict: Conflicting | null = null
  /** What the acknowledged hard state of the server that has just been restarted was. */
  readonly beforeRestart: { term: Term | null; vote: NodeId | null } = { term: null, vote: null }
  /** The record of the server of the last step. */
  server!: ServerRecord

  /** The server with that name and disk; whichever has the name now where no disk is named. */
  named(id: NodeId, incarnation: Incarnation | null = null): ServerRecord | undefined {
    const record = this.servers.get(id)
    if (incarnation === null || record === undefined || record.now.incarnation === incarnation) return record
    return this.lost.find(({ now }) => now.id === id && now.incarnation === incarnation)
  }

  /** Takes one step into the record. */
  see({ event, before, after, effects }: Inspection, moved: number): void {
    this.conflict = null
    let record = this.servers.get(after.id)
    if (record !== undefined && record.now.incarnation !== before.incarnation) {
      this.lost.push(record)
      record = undefined
    }
    if (record === undefined) {
      record = new ServerRecord(before)
      this.servers.set(after.id, record)
      this.commit(before, before.log.base.index)
    } else if ((moved & Moved.started) !== 0) {
      this.beforeRestart.term = record.ackedTerm
      this.beforeRestart.vote = record.ackedVote
      record.restarted(before)
      this.commit(before, before.log.base.index)
    }
    this.server = record
    record.now = after
    if (moved === 0) return
    if ((moved & Moved.hardState) !== 0) {
      const first = effects[0]
      if (first?._tag === 'Persist' && first.write.hardState !== null) record.write(first.seq, first.write.hardState)
    }
    if (event._tag === 'Persisted') record.acknowledge(event.seq, after)
    if ((moved & Moved.commitIndex) !== 0) this.commit(after, before.commitIndex)
  }

  /** `server` knows its log to be committed, after `from`. */
  private commit({ log, commitIndex, currentTerm }: Server, from: LogIndex): void {
    const { committed } = this
    const base = log.base
    if (base.index > 0 && committed.at(base.index) !== undefined && committed.at(base.index)!.term !== base.term)
      this.conflict = { index: base.index, was: committed.at(base.index)!.term, is: base.term }
    const first = Math.max(from, base.index) + 1
    // A watch that began late learns of the past from the first server it sees, as far as that remembers it.
    for (let index = logIndex(first); index <= commitIndex; index = after(index)) {
      const entry = log.at(index)
      const known = committed.at(index)
      if (known !== undefined) {
        if (entry === undefined || entry.term !== known.term) this.conflict = { index, was: known.term, is: entry?.term ?? null }
      } else if (entry !== undefined && index > committed.last) committed.set(index, { term: entry.term, entry, inTerm: currentTerm })
    }
  }
}
