import { InvariantViolation } from './error.js'
import type { RaftEvent } from './event.js'
import { printServer, printStep } from './print.js'
import type { Server } from './server.js'
import { step, type Step } from './step.js'

/**
 * What every step of every server keeps: the local shadows of Figure 3 and of our own promises.
 * Each looks at the state before and after one step and costs the same at any size of the log, so
 * that they run in production too. The properties that need the whole cluster in view (Election
 * Safety, Log Matching, Leader Completeness, State Machine Safety) are checked where it is in view.
 */
export interface Invariant {
  readonly name: string
  readonly holds: (before: Server, after: Server) => boolean
}

export const invariants: ReadonlyArray<Invariant> = [
  { name: 'currentTerm never decreases (§5.1)', holds: (a, b) => a.currentTerm <= b.currentTerm },
  {
    name: 'at most one vote per term (§5.2)',
    holds: (a, b) => a.currentTerm !== b.currentTerm || a.votedFor === null || a.votedFor === b.votedFor,
  },
  { name: 'a candidate and a leader voted for themselves (§5.2)', holds: (_, b) => b.role._tag === 'Follower' || b.votedFor === b.id },
  {
    name: 'a server becomes leader only from candidate (Figure 4)',
    holds: (a, b) => b.role._tag !== 'Leader' || a.role._tag !== 'Follower',
  },
  { name: 'no entry is newer than currentTerm', holds: (_, b) => b.log.lastTerm <= b.currentTerm },
  {
    name: 'Leader Append-Only: a leader never overwrites or deletes entries in its log (§5.3)',
    // One that steps down may do so at the word of the new leader, whose entries replace its own in the same step.
    holds: (a, b) =>
      a.role._tag !== 'Leader' ||
      b.role._tag !== 'Leader' ||
      a.log === b.log ||
      (a.log.lastIndex <= b.log.lastIndex && b.log.termAt(a.log.lastIndex) === a.log.lastTerm),
  },
  { name: 'commitIndex never decreases', holds: (a, b) => a.commitIndex <= b.commitIndex },
  { name: 'commitIndex is within the log', holds: (_, b) => b.commitIndex <= b.log.lastIndex },
  {
    name: 'what is committed stays (§5.4)',
    holds: (a, b) => a.log === b.log || a.commitIndex < b.log.base.index || b.log.termAt(a.commitIndex) === a.log.termAt(a.commitIndex),
  },
  {
    name: 'a leader commits only an entry of its own term by counting (§5.4.2)',
    holds: (a, b) => b.role._tag !== 'Leader' || a.commitIndex === b.commitIndex || b.log.termAt(b.commitIndex) === b.currentTerm,
  },
  {
    name: 'lastApplied ≤ handedOver ≤ commitIndex, and the log begins after what is committed',
    holds: (_, { log, lastApplied, handedOver, commitIndex }) =>
      lastApplied <= handedOver && handedOver <= commitIndex && log.base.index <= commitIndex,
  },
  {
    name: 'a snapshot only ever advances the log’s beginning (§7)',
    holds: (a, b) =>
      a.log.base.index === b.log.base.index || (a.log.base.index < b.log.base.index && b.snapshots.current !== a.snapshots.current),
  },
  {
    name: 'what the state machine was not given is forgotten only for a leader’s snapshot, with all the log (§7)',
    holds: (a, b) => b.log.base.index <= a.handedOver || a.log.base === b.log.base || b.log.base.index === b.log.lastIndex,
  },
  { name: 'lastApplied and handedOver never decrease', holds: (a, b) => a.lastApplied <= b.lastApplied && a.handedOver <= b.handedOver },
  { name: 'only what is durable is handed over', holds: (a, b) => b.handedOver === a.handedOver || b.handedOver <= b.durable.index },
  { name: 'durable is within the log', holds: (_, { durable, log }) => durable.index <= log.lastIndex },
  {
    name: 'unacknowledged writes are exactly those after the last acknowledged one',
    holds: (_, { durable: { pending, written, acknowledged } }) => pending.length === written - acknowledged,
  },
]

/** `step`, and then every invariant: throws `InvariantViolation`, with the step printed, where one does not hold. */
export const checkedStep = (server: Server, event: RaftEvent, at: number): Step => {
  const stepped = step(server, event, at)
  if (stepped.server === server) return stepped
  for (let i = 0; i < invariants.length; i++) {
    const invariant = invariants[i]!
    if (!invariant.holds(server, stepped.server))
      throw new InvariantViolation(invariant.name, `${printServer(server)}\n${printStep(event, stepped)}`)
  }
  return stepped
}
