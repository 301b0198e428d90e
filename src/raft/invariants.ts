import { InvariantViolation } from './error.js'
import type { RaftEvent } from './event.js'
import { printServer, printStep } from './print.js'
import type { Server } from './state/server.js'
import { step, type Step } from './step.js'

/**
 * Every step of every server keeps this: as much of Figure 3, and of our own promises, as one server can see. Each
 * invariant looks at the state before and after one step. It costs the same at any size of the log, so that it runs in
 * production too. Election Safety, Log Matching, Leader Completeness and State Machine Safety need a view of the whole
 * cluster: streams/testing checks them.
 *
 * @example
 * const monotonic: Invariant = {
 *   name: 'lastApplied never decreases',
 *   reads: ['lastApplied'],
 *   holds: (before, after) => before.lastApplied <= after.lastApplied,
 * }
 */
export interface Invariant {
  readonly name: string
  /**
   * The parts that `holds` looks at, before and after. It is asked only when one of them has changed, because it held
   * before.
   */
  readonly reads: ReadonlyArray<Part>
  /** Whether a step keeps it. */
  readonly holds: (before: Server, after: Server) => boolean
}

/** A bit for each part of a server that an invariant may look at. */
const parts = {
  currentTerm: 1,
  votedFor: 2,
  log: 4,
  commitIndex: 8,
  applyingIndex: 16,
  lastApplied: 32,
  role: 64,
  writeProgress: 128,
  snapshots: 256,
} as const satisfies Partial<Record<keyof Server, number>>
type Part = keyof typeof parts

const changed = (a: Server, b: Server): number =>
  (a.currentTerm === b.currentTerm ? 0 : parts.currentTerm) |
  (a.votedFor === b.votedFor ? 0 : parts.votedFor) |
  (a.log === b.log ? 0 : parts.log) |
  (a.commitIndex === b.commitIndex ? 0 : parts.commitIndex) |
  (a.applyingIndex === b.applyingIndex ? 0 : parts.applyingIndex) |
  (a.lastApplied === b.lastApplied ? 0 : parts.lastApplied) |
  (a.role === b.role ? 0 : parts.role) |
  (a.writeProgress === b.writeProgress ? 0 : parts.writeProgress) |
  (a.snapshots === b.snapshots ? 0 : parts.snapshots)

/**
 * The properties that hold after every step, each with its name.
 *
 * @example
 * const brokenBy = (before: Server, after: Server): ReadonlyArray<string> =>
 *   invariants.filter(({ holds }) => !holds(before, after)).map(({ name }) => name)
 */
export const invariants: ReadonlyArray<Invariant> = [
  { name: 'currentTerm never decreases (§5.1)', reads: ['currentTerm'], holds: (a, b) => a.currentTerm <= b.currentTerm },
  {
    name: 'at most one vote per term (§5.2)',
    reads: ['currentTerm', 'votedFor'],
    holds: (a, b) => a.currentTerm !== b.currentTerm || a.votedFor === null || a.votedFor === b.votedFor,
  },
  {
    name: 'a candidate and a leader voted for themselves (§5.2)',
    reads: ['role', 'votedFor'],
    holds: (_, b) => b.role._tag === 'Follower' || b.votedFor === b.id,
  },
  {
    name: 'a server becomes leader only from candidate (Figure 4)',
    reads: ['role'],
    holds: (a, b) => b.role._tag !== 'Leader' || a.role._tag !== 'Follower',
  },
  { name: 'no entry is newer than currentTerm', reads: ['log', 'currentTerm'], holds: (_, b) => b.log.lastTerm <= b.currentTerm },
  {
    name: 'Leader Append-Only: a leader never overwrites or deletes entries in its log (§5.3)',
    reads: ['role', 'log'],
    // A leader may step down at a message of the new leader, whose entries replace its own in the same step.
    holds: (a, b) =>
      a.role._tag !== 'Leader' ||
      b.role._tag !== 'Leader' ||
      a.log === b.log ||
      (a.log.lastIndex <= b.log.lastIndex && b.log.termAt(a.log.lastIndex) === a.log.lastTerm),
  },
  { name: 'commitIndex never decreases', reads: ['commitIndex'], holds: (a, b) => a.commitIndex <= b.commitIndex },
  { name: 'commitIndex is within the log', reads: ['commitIndex', 'log'], holds: (_, b) => b.commitIndex <= b.log.lastIndex },
  {
    name: 'what is committed stays (§5.4)',
    reads: ['log', 'commitIndex'],
    holds: (a, b) => a.log === b.log || a.commitIndex < b.log.base.index || b.log.termAt(a.commitIndex) === a.log.termAt(a.commitIndex),
  },
  {
    name: 'a leader commits only an entry of its own term by counting (§5.4.2)',
    reads: ['role', 'commitIndex', 'log', 'currentTerm'],
    holds: (a, b) => b.role._tag !== 'Leader' || a.commitIndex === b.commitIndex || b.log.termAt(b.commitIndex) === b.currentTerm,
  },
  {
    name: 'lastApplied ≤ applyingIndex ≤ commitIndex, and the log begins after what is committed',
    reads: ['lastApplied', 'applyingIndex', 'commitIndex', 'log'],
    holds: (_, { log, lastApplied, applyingIndex, commitIndex }) =>
      lastApplied <= applyingIndex && applyingIndex <= commitIndex && log.base.index <= commitIndex,
  },
  {
    name: 'a snapshot only ever advances the log’s beginning (§7)',
    reads: ['log', 'snapshots'],
    holds: (a, b) =>
      a.log.base.index === b.log.base.index || (a.log.base.index < b.log.base.index && b.snapshots.current !== a.snapshots.current),
  },
  {
    name: 'what the state machine was not given is forgotten only for a leader’s snapshot, with all the log (§7)',
    reads: ['log', 'applyingIndex'],
    holds: (a, b) => b.log.base.index <= a.applyingIndex || a.log.base === b.log.base || b.log.base.index === b.log.lastIndex,
  },
  {
    name: 'lastApplied and applyingIndex never decrease',
    reads: ['lastApplied', 'applyingIndex'],
    holds: (a, b) => a.lastApplied <= b.lastApplied && a.applyingIndex <= b.applyingIndex,
  },
  {
    name: 'only what is durable is handed over',
    reads: ['applyingIndex', 'writeProgress'],
    holds: (a, b) => b.applyingIndex === a.applyingIndex || b.applyingIndex <= b.writeProgress.index,
  },
  {
    name: 'durable is within the log',
    reads: ['writeProgress', 'log'],
    holds: (_, { writeProgress, log }) => writeProgress.index <= log.lastIndex,
  },
  {
    name: 'unacknowledged writes are exactly those after the last acknowledged one',
    reads: ['writeProgress'],
    holds: (_, { writeProgress: { pending, written, acknowledged } }) => pending.length === written - acknowledged,
  },
]

const bitsOf = (reads: ReadonlyArray<Part>): number => reads.reduce((bits, part) => bits | parts[part], 0)
const all = bitsOf(Object.keys(parts) as Part[])
/** For each combination of parts, the invariants that look at one of them. */
const askedWhen: ReadonlyArray<ReadonlyArray<Invariant>> = Array.from({ length: all + 1 }, (_, moved) =>
  invariants.filter(({ reads }) => (bitsOf(reads) & moved) !== 0),
)

/**
 * `step`, and then every invariant that looks at a part which the step changed. When the server starts, from a state
 * that others wrote, all are asked. Throws `InvariantViolation`, with the step printed, if one does not hold.
 *
 * @example
 * const replay = (server: Server, events: ReadonlyArray<RaftEvent>, at: number): Server =>
 *   events.reduce((reached, event) => checkedStep(reached, event, at).server, server)
 */
export const checkedStep = (server: Server, event: RaftEvent, at: number): Step => {
  const stepped = step(server, event, at)
  if (stepped.server === server) return stepped
  const moved = event._tag === 'Started' ? all : changed(server, stepped.server)
  const asked = askedWhen[moved]!
  for (let i = 0; i < asked.length; i++) {
    const invariant = asked[i]!
    if (!invariant.holds(server, stepped.server))
      throw new InvariantViolation(invariant.name, `${printServer(server)}\n${printStep(event, stepped)}`)
  }
  return stepped
}
