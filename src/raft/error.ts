import type { LogIndex, NodeId } from './ids.js'

/**
 * Why a proposal was not appended. Nothing was written: the client may offer it again, here or elsewhere.
 *
 *  - `NotLeader`: this server does not lead. `leader` names the leader, as far as this server knows;
 *  - `Overloaded`: a bound is reached, and `limit` names it. Offer the proposal again when some of the work under way
 *    is done.
 *
 * @example
 * const leaderIn = (refusal: Refusal): NodeId | null => (refusal._tag === 'NotLeader' ? refusal.leader : null)
 */
export type Refusal =
  { readonly _tag: 'NotLeader'; readonly leader: NodeId | null } | { readonly _tag: 'Overloaded'; readonly limit: LimitName }

/**
 * Why a message is not believed. It is not handled.
 *
 *  - `AbsurdTerm`: its term is more than `maxTermLead` above the own term. No cluster counts so far while a server is
 *    away. A server that knows no leader follows by `maxTermLead`, and so does a leader whose own request is answered
 *    so;
 *  - `OtherIncarnation`: the configuration names its sender with another data directory, which voted and acknowledged
 *    (§6);
 *  - `UnreadableSnapshot`: the state machine cannot begin with the snapshot that it brought (§7);
 *  - `ReplacesCommitted`: it would replace entries that are known to be committed (§5.4). Its sender belongs to another
 *    history.
 *
 * @example
 * const isOfAnotherHistory = (why: Disbelief): boolean => why === 'ReplacesCommitted'
 */
export type Disbelief = 'AbsurdTerm' | 'OtherIncarnation' | 'UnreadableSnapshot' | 'ReplacesCommitted'

/**
 * The bounds that a proposal can meet, by their names in the options.
 *
 * @example
 * const waitsForTheDisk = (limit: LimitName): boolean => limit === 'maxPendingWrites'
 */
export type LimitName =
  'maxUncommittedEntries' | 'maxUncommittedBytes' | 'maxUnapplied' | 'maxLogBytes' | 'maxPendingWrites' | 'maxProposals' | 'maxCommandBytes'

/**
 * A property that the protocol guarantees does not hold: there is a bug, or a disk lied. The server that finds it
 * stops.
 *
 * @example
 * server.state$.subscribe({ error: (error) => error instanceof InvariantViolation && alarm(error.message) })
 */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
  constructor(
    /** The invariant, by its name in invariants.ts. */
    readonly invariant: string,
    /** The step that broke it, printed. */
    readonly step: string,
    readonly index: LogIndex | null = null,
  ) {
    super(`${invariant}\n${step}`)
  }
}
