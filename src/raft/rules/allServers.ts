import type { Effect } from '../effect.js'
import type { Entry } from '../state/entry.js'
import {
  after,
  type LogIndex,
  logIndex,
  messageSeq,
  type MessageSeq,
  minIndex,
  type NodeId,
  type Term,
  type WriteSeq,
  writeSeq,
} from '../ids.js'
import type { Log } from '../state/log.js'
import { Counters, type ServerDraft } from '../state/server.js'
import { becomeFollower } from './followers.js'
import { mustBeKnown, versionMustBeKnown } from './unknownEntries.js'

/** Rules for Servers, "All Servers", and the small words that the other rules share. */

/** "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower (§5.1)." */
export const observeTerm = (server: ServerDraft, T: Term): ReadonlyArray<Effect> => {
  if (T <= server.currentTerm) return []
  enterTerm(server, T, null)
  return becomeFollower(server, null)
}

/** Whoever brought the new term about: another server, or an election of one's own. */
export const enterTerm = (server: ServerDraft, term: Term, votedFor: NodeId | null): void => {
  server.currentTerm = term
  server.votedFor = votedFor
  // The snapshot of a leader whose term is over: the next one sends its own, if it must.
  if (server.snapshots.receiving !== null) server.snapshots = server.snapshots.with({ receiving: null })
}

/**
 * "If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine (§5.3)."
 * Only what is durable here as well, so that a state machine never knows more than its server's disk.
 * No-ops and configurations are not for the state machine: they count as applied when their turn comes.
 * Where the log begins after what the state machine has, the snapshot that it begins after comes first (§7).
 */
export const applyCommitted = (server: ServerDraft): ReadonlyArray<Effect> => {
  const restore = restoreSnapshot(server)
  return restore === null ? applyEntries(server) : [restore, ...applyEntries(server)]
}

/** Figure 13, 8: "Reset state machine using snapshot contents". One at a time: until it is answered for, its bytes are needed. */
const restoreSnapshot = (server: ServerDraft): Effect | null => {
  const { snapshots, applyingIndex, writeProgress } = server
  const { base } = server.log
  if (applyingIndex >= base.index || writeProgress.index < base.index || snapshots.current === null) return null
  if (snapshots.restoring !== null) return null
  versionMustBeKnown(base.index, base.configuration)
  server.applyingIndex = base.index
  server.snapshots = snapshots.with({ restoring: { ref: snapshots.current.ref, base } })
  return { _tag: 'Restore', snapshot: snapshots.current, base }
}

const applyEntries = (server: ServerDraft): ReadonlyArray<Effect> => {
  const { commitIndex, applyingIndex, lastApplied, settings, writeProgress, log } = server
  const upTo = minIndex(minIndex(commitIndex, writeProgress.index), logIndex(lastApplied + settings.maxApplying))
  if (upTo <= applyingIndex || applyingIndex < log.base.index) return []
  const first = after(applyingIndex)
  const entries = log.from(first, { maxEntries: upTo - applyingIndex, maxBytes: Number.POSITIVE_INFINITY })
  mustBeKnown(log, first, entries)
  const effects = runsOfCommands(first, entries)
  server.applyingIndex = upTo
  passInternal(server, log, lastApplied, upTo)
  // What needs no state machine has made room for more under `maxApplying`, and nobody else would ask again.
  return server.lastApplied > lastApplied ? [...effects, ...applyEntries(server)] : effects
}

const runsOfCommands = (first: LogIndex, entries: ReadonlyArray<Entry>): ReadonlyArray<Effect> => {
  const effects: Effect[] = []
  for (let start = 0; start < entries.length;) {
    let end = start
    while (end < entries.length && entries[end]!.kind === 'command') end++
    const run = start === 0 && end === entries.length ? entries : entries.slice(start, end)
    if (end > start) effects.push({ _tag: 'Apply', firstIndex: after(first, start), entries: run })
    start = end
    while (start < entries.length && entries[start]!.kind !== 'command') start++
  }
  return effects
}

/** The state machine has answered up to `index`. */
export const applied = (server: ServerDraft, index: LogIndex): ReadonlyArray<Effect> => {
  const { lastApplied, applyingIndex, log, snapshots } = server
  if (index <= lastApplied || index > applyingIndex) return []
  server.lastApplied = index
  if (snapshots.restoring !== null && index >= snapshots.restoring.base.index) server.snapshots = snapshots.with({ restoring: null })
  passInternal(server, log, index, applyingIndex)
  return applyCommitted(server)
}

const passInternal = (server: ServerDraft, log: Log, lastApplied: LogIndex, applyingIndex: LogIndex): void => {
  let next = after(lastApplied)
  // What a snapshot replaced held commands: only the answer to the snapshot speaks for them.
  while (next <= applyingIndex && next > log.base.index && log.at(next)?.kind !== 'command') next = after(next)
  if (next > lastApplied + 1) server.lastApplied = logIndex(next - 1)
}

/** Stands in `after` for "the write this very step causes, or the last one before it"; step.ts puts the number in. */
export const thisWrite: WriteSeq = writeSeq(Number.MAX_SAFE_INTEGER)

export const nextMessage = (server: ServerDraft): MessageSeq => {
  const { messages, electionTimer, heartbeat } = server.counters
  const seq = messageSeq(messages + 1)
  server.counters = new Counters(seq, electionTimer, heartbeat)
  return seq
}

export const armElectionTimer = (server: ServerDraft): Effect => {
  const { messages, electionTimer, heartbeat } = server.counters
  const generation = electionTimer + 1
  server.counters = new Counters(messages, generation, heartbeat)
  return { _tag: 'ArmElectionTimer', generation }
}

export const armHeartbeat = (server: ServerDraft): Effect => {
  const { messages, electionTimer, heartbeat } = server.counters
  const generation = heartbeat + 1
  server.counters = new Counters(messages, electionTimer, generation)
  return { _tag: 'ArmHeartbeat', generation }
}

export const scheduleFlush: Effect = { _tag: 'ScheduleFlush' }
