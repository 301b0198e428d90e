import { WriteProgress } from './writeProgress.js'
import type { HardState } from '../effect.js'
import { type Incarnation, logIndex, type LogIndex, maxIndex, minIndex, type NodeId, term, writeSeq } from '../ids.js'
import { Counters } from './counters.js'
import type { Log } from './log.js'
import { Follower, type Leader, type Role } from './role.js'
import type { Settings } from '../settings.js'
import { Snapshots, type StoredSnapshot } from './snapshots.js'

/**
 * Figure 2, "State", and what an implementation needs beside it. Immutable. A part that a step leaves unchanged stays
 * the identical object: `===` on any part says whether it changed.
 *
 * @example
 * const notYetApplied = ({ commitIndex, lastApplied }: Server): number => commitIndex - lastApplied
 */
export interface Server extends HardState {
  readonly id: NodeId
  /**
   * Names its data directory; null where its storage has none. The same id with another incarnation is another server.
   */
  readonly incarnation: Incarnation | null
  readonly settings: Settings

  // Persistent state on all servers: currentTerm and votedFor (from HardState), and
  readonly log: Log

  // Volatile state on all servers:
  /** "index of highest log entry known to be committed". */
  readonly commitIndex: LogIndex
  /** "index of highest log entry applied to state machine": the state machine has answered for it. */
  readonly lastApplied: LogIndex
  /** The last index that the state machine was handed. It may not have answered yet. */
  readonly applyingIndex: LogIndex

  readonly role: Role
  readonly writeProgress: WriteProgress
  readonly snapshots: Snapshots
  readonly counters: Counters
}

/**
 * A server while the rules of one step write to it. A rule replaces fields. It never writes into the value that stands
 * in a field. (docs/decisions/0002 says why this is not an immer draft.)
 */
export type ServerDraft = { -readonly [Field in keyof Server]: Server[Field] }

/** The draft of a server that leads: the rules for leaders take it. */
export type LeaderDraft = ServerDraft & { role: Leader }

export const leads = (server: ServerDraft): server is LeaderDraft => server.role._tag === 'Leader'

/** The copy that a step writes to. Each field is spelled out, because a spread costs fifteen times as much. */
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

/** Whether no field differs. Then a step gives back the server that it was given. */
export const isUnchanged = (a: Server, b: Server): boolean =>
  a.counters === b.counters &&
  a.id === b.id &&
  a.incarnation === b.incarnation &&
  a.settings === b.settings &&
  a.currentTerm === b.currentTerm &&
  a.votedFor === b.votedFor &&
  a.log === b.log &&
  a.commitIndex === b.commitIndex &&
  a.lastApplied === b.lastApplied &&
  a.applyingIndex === b.applyingIndex &&
  a.role === b.role &&
  a.writeProgress === b.writeProgress &&
  a.snapshots === b.snapshots

/**
 * What a server finds on its disk when it starts.
 *
 * @example
 * const hasVotedInItsTerm = ({ votedFor }: Recovered): boolean => votedFor !== null
 */
export interface Recovered extends HardState {
  /** Names the data directory; left out or null where the storage has none. */
  readonly incarnation?: Incarnation | null
  readonly log: Log
  /** An index up to which the log is known to be committed; 0 if nothing is known. A hint: it may be too low. */
  readonly commitIndex: LogIndex
  /** The snapshot that the log begins after; null where there is none. */
  readonly snapshot: StoredSnapshot | null
}

/**
 * What a bootstrapped server that never ran finds on its disk.
 *
 * @example
 * const log = logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) })
 * fresh(log).currentTerm // 0
 */
export const fresh = (log: Log): Recovered => ({ currentTerm: term(0), votedFor: null, log, commitIndex: log.base.index, snapshot: null })

/**
 * A server before `Started`: "when servers start up, they begin as followers" (§5.2). The whole log came from the disk,
 * so all of it is durable. The commit hint is kept within the log. The state machine begins anew: with the snapshot, if
 * there is one.
 *
 * @example
 * const log = logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) })
 * const server = restart(nodeId('n1'), defaultSettings, fresh(log))
 * server.role._tag // 'Follower'
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
  commitIndex: maxIndex(log.base.index, minIndex(commitIndex, log.lastIndex)),
  lastApplied: snapshot === null ? log.base.index : logIndex(0),
  applyingIndex: snapshot === null ? log.base.index : logIndex(0),
  role: new Follower(null),
  writeProgress: new WriteProgress(log.lastIndex, writeSeq(0), writeSeq(0), []),
  snapshots: new Snapshots(snapshot),
  counters: Counters.start(),
})

/**
 * The leader, as far as this server knows.
 *
 * @example
 * leaderOf({ id: nodeId('n1'), role: new Follower(nodeId('n2')) }) // 'n2'
 * leaderOf({ id: nodeId('n1'), role: new Leader() }) // 'n1'
 */
export const leaderOf = ({ id, role }: Pick<Server, 'id' | 'role'>): NodeId | null =>
  role._tag === 'Leader' ? id : role._tag === 'Follower' ? role.leader : null
