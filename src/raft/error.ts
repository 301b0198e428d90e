import type { LogIndex, NodeId } from './ids.js'

/**
 * Why a proposal was not appended. Nothing was written: it may be offered again, here or elsewhere.
 *
 *  - `NotLeader`: this server does not lead; `leader` is who does, as far as it knows;
 *  - `Overloaded`: a bound is reached (`limit` names it); offer it again when some of what is under way is done.
 */
export type Refusal =
  { readonly _tag: 'NotLeader'; readonly leader: NodeId | null } | { readonly _tag: 'Overloaded'; readonly limit: LimitName }

/**
 * Why a message is not believed. It is not handled.
 *
 *  - `AbsurdTerm`: its term is more than `maxTermLead` above the own one: no cluster counts so far while a server is away. A server that
 *    knows no leader, and a leader whose own request is answered so, follow by `maxTermLead`;
 *  - `OtherIncarnation`: the configuration names its sender with another data directory, which voted and acknowledged (§6);
 *  - `UnreadableSnapshot`: the state machine cannot begin with the snapshot that it brought (§7);
 *  - `ReplacesCommitted`: it would replace entries that are known to be committed (§5.4): its sender belongs to another history.
 */
export type Disbelief = 'AbsurdTerm' | 'OtherIncarnation' | 'UnreadableSnapshot' | 'ReplacesCommitted'

/** The bounds a proposal can meet, by the names they have in the options. */
export type LimitName =
  'maxUncommittedEntries' | 'maxUncommittedBytes' | 'maxUnapplied' | 'maxLogBytes' | 'maxPendingWrites' | 'maxProposals' | 'maxCommandBytes'

/**
 * A property that the protocol guarantees does not hold: a bug, or a disk that lied. The server that finds it stops.
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
