import type { LogIndex, Term } from '../../src/raft/ids.js'
import type { Server } from '../../src/raft/state/server.js'
import type { Proposal, ProposalEvent } from './proposal.js'

/** Ends a proposal with its last event. */
export type End<R> = (proposal: Proposal<R>, event: ProposalEvent<R>) => void

/** Proposals that were appended and have not ended, in the order of their indexes. At most `maxProposals`. */
export class ProposalQueue<R> {
  private waiting: Proposal<R>[] = []
  /** The place of the first one that waits. */
  private head = 0
  /** The place after the last one that is known to be committed. */
  private committed = 0

  constructor(private readonly end: End<R>) {}

  add(proposal: Proposal<R>): void {
    this.waiting.push(proposal)
  }

  tellCommitted(server: Server): void {
    while (this.committed < this.waiting.length && isCommitted(server, this.waiting[this.committed]!)) {
      this.waiting[this.committed++]!.tellCommitted()
    }
  }

  /** The state machine answered for the entry of `term` at `index`. */
  applied(index: LogIndex, term: Term, result: R): void {
    const next = this.waiting[this.head]
    if (next === undefined || next.index !== index || next.term !== term) return
    this.head++
    if (this.head === this.waiting.length || this.head === keptPlaces) {
      this.waiting = this.waiting.slice(this.head)
      this.committed -= this.head
      this.head = 0
    }
    this.end(next, { _tag: 'Applied', index, result })
  }

  /** The state machine goes on after `index` with a snapshot: what came of the commands up to there it cannot say. */
  restored(index: LogIndex): void {
    const first = this.waiting.findIndex((proposal, i) => i >= this.head && proposal.index > index)
    const lost = this.waiting.splice(this.head, (first === -1 ? this.waiting.length : first) - this.head)
    this.committed = Math.max(this.head, this.committed - lost.length)
    this.endUnknown(lost)
  }

  /** The server leads no more. What is not known to be committed may yet be, by another leader. */
  abandonUncommitted(): void {
    this.endUnknown(this.waiting.splice(this.committed))
  }

  abandonAll(): void {
    const lost = this.waiting.slice(this.head)
    this.waiting = []
    this.head = this.committed = 0
    this.endUnknown(lost)
  }

  private endUnknown(lost: ReadonlyArray<Proposal<R>>): void {
    for (const proposal of lost) this.end(proposal, { _tag: 'Indeterminate', index: proposal.index })
  }
}

/** The step that commits an index may have put another leader's entry there. */
const isCommitted = <R>(server: Server, { index, term }: Proposal<R>): boolean =>
  index <= server.commitIndex && server.log.termAt(index) === term

/** The places of proposals that have ended are given back so many at a time. */
const keptPlaces = 8_192
