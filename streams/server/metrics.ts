import type { NodeId } from '../../src/raft/ids.js'
import type { Role } from '../../src/raft/state/role.js'
import { leaderOf, type Server } from '../../src/raft/state/server.js'
import type { ProposalCounts } from '../sinks/proposals.js'
import type { Inspection } from '../loop/run.js'

/**
 * What a server is doing, in numbers.
 *
 * @example
 * const waiting = ({ commitIndex, lastApplied }: Metrics) => commitIndex - lastApplied
 * server.metrics$.subscribe((metrics) => console.log(metrics.role, waiting(metrics))) // Leader 0
 */
export interface Metrics extends Counts {
  readonly id: NodeId
  readonly role: Role['_tag']
  readonly term: number
  readonly leader: NodeId | null
  readonly commitIndex: number
  readonly lastApplied: number
  readonly lastIndex: number
  readonly durableIndex: number
  readonly logEntries: number
  readonly logBytes: number
  /** The log begins after this index: the snapshot's, 0 for none. */
  readonly snapshotIndex: number
  readonly snapshotBytes: number
  readonly storageBytes: number
  readonly proposals: ProposalCounts
}

/**
 * Counted since the start.
 *
 * @example
 * const notWon = ({ electionsStarted, electionsWon }: Counts) => electionsStarted - electionsWon
 * server.metrics$.subscribe((metrics) => notWon(metrics) > 10 && alarm('Many elections end without a leader.'))
 */
export interface Counts {
  readonly steps: number
  readonly electionsStarted: number
  readonly electionsWon: number
  readonly messagesSent: number
  readonly messagesReceived: number
  /** Of the own state machine. */
  readonly snapshotsTaken: number
  /** From leaders. */
  readonly snapshotsInstalled: number
  readonly rejected: number
}

/** Counts what a server does, step by step. */
export const counting = () => {
  const counted = {
    steps: 0,
    electionsStarted: 0,
    electionsWon: 0,
    messagesSent: 0,
    messagesReceived: 0,
    snapshotsTaken: 0,
    snapshotsInstalled: 0,
    rejected: 0,
  }
  return {
    watch: ({ event, before, after, effects }: Inspection): void => {
      counted.steps++
      if (event._tag === 'Received') counted.messagesReceived++
      for (const effect of effects) if (effect._tag === 'Send') counted.messagesSent++
      if (before.role._tag !== after.role._tag) {
        if (after.role._tag === 'Candidate') counted.electionsStarted++
        if (after.role._tag === 'Leader') counted.electionsWon++
      } else if (after.role._tag === 'Candidate' && before.currentTerm !== after.currentTerm) counted.electionsStarted++
      if (before.log.base !== after.log.base) {
        if (before.snapshots.taking?.ref === after.snapshots.current?.ref) counted.snapshotsTaken++
        else counted.snapshotsInstalled++
      }
    },
    rejected: (): void => {
      counted.rejected++
    },
    counts: (): Counts => counted,
  }
}

export interface MetricsParts {
  readonly proposals: ProposalCounts
  readonly counts: Counts
  readonly storageBytes: number
}

export const metricsOf = (server: Server, { proposals, counts, storageBytes }: MetricsParts): Metrics => ({
  id: server.id,
  role: server.role._tag,
  term: server.currentTerm,
  leader: leaderOf(server),
  commitIndex: server.commitIndex,
  lastApplied: server.lastApplied,
  lastIndex: server.log.lastIndex,
  durableIndex: server.writeProgress.index,
  logEntries: server.log.lastIndex - server.log.base.index,
  logBytes: server.log.bytes,
  snapshotIndex: server.snapshots.current === null ? 0 : server.log.base.index,
  snapshotBytes: server.snapshots.current?.size ?? 0,
  storageBytes,
  proposals,
  ...counts,
})
