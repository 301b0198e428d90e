import type { Decisions } from '../decision.js'
import type { Apply, Restore } from '../effect.js'
import type { Entry } from '../state/entry.js'
import { after, type LogIndex, logIndex, minIndex, type NodeId, type Term } from '../ids.js'
import type { Log } from '../state/log.js'
import type { ServerDraft } from '../state/server.js'
import { becomeFollower } from './followers.js'
import { mustBeKnown, versionMustBeKnown } from './unknownEntries.js'

/** Rules for Servers, "All Servers": the term rule, and what is committed is applied. */

/** "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower (§5.1)." */
export const observeTerm = (server: ServerDraft, T: Term): Decisions => {
  if (T <= server.currentTerm) return []
  enterTerm(server, T, null)
  return becomeFollower(server, null)
}

/** Another server brought the new term, or an election of one's own. */
export const enterTerm = (server: ServerDraft, term: Term, votedFor: NodeId | null): void => {
  server.currentTerm = term
  server.votedFor = votedFor
  // The snapshot under way came from the leader of the old term. The next leader sends its own, if it must.
  if (server.snapshots.receiving !== null) server.snapshots = server.snapshots.with({ receiving: null })
}

/** What the state machine is handed. */
type Applies = ReadonlyArray<Apply | Restore>

/**
 * "If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine (§5.3)."
 * Only what is durable here as well, so that a state machine never knows more than its server's disk.
 * No-ops and configurations are not for the state machine: they count as applied when their turn comes.
 * Where the log begins after what the state machine has, the snapshot that it begins after comes first (§7).
 */
export const applyCommitted = (server: ServerDraft): Applies => {
  const restore = restoreSnapshot(server)
  return restore === null ? applyEntries(server) : [restore, ...applyEntries(server)]
}

/**
 * Figure 13, 8: "Reset state machine using snapshot contents". One at a time: its bytes are needed until the state
 * machine has answered.
 */
const restoreSnapshot = (server: ServerDraft): Restore | null => {
  const { snapshots, applyingIndex, writeProgress } = server
  const { base } = server.log
  if (applyingIndex >= base.index || writeProgress.index < base.index || snapshots.current === null) return null
  if (snapshots.restoring !== null) return null
  versionMustBeKnown(base.index, base.configuration)
  server.applyingIndex = base.index
  server.snapshots = snapshots.with({ restoring: { ref: snapshots.current.ref, base } })
  return { _tag: 'Restore', snapshot: snapshots.current, base }
}

const applyEntries = (server: ServerDraft): Applies => {
  const { commitIndex, applyingIndex, lastApplied, settings, writeProgress, log } = server
  const upTo = minIndex(minIndex(commitIndex, writeProgress.index), logIndex(lastApplied + settings.maxApplying))
  if (upTo <= applyingIndex || applyingIndex < log.base.index) return []
  const first = after(applyingIndex)
  const entries = log.from(first, { maxEntries: upTo - applyingIndex, maxBytes: Number.POSITIVE_INFINITY })
  mustBeKnown(log, first, entries)
  const applies = runsOfCommands(first, entries)
  server.applyingIndex = upTo
  passInternal(server, log, lastApplied, upTo)
  // Entries that need no state machine were passed, which makes room under `maxApplying`. No later event would use that
  // room.
  return server.lastApplied > lastApplied ? [...applies, ...applyEntries(server)] : applies
}

const runsOfCommands = (first: LogIndex, entries: ReadonlyArray<Entry>): Applies => {
  const applies: Apply[] = []
  for (let start = 0; start < entries.length;) {
    let end = start
    while (end < entries.length && entries[end]!.kind === 'command') end++
    const run = start === 0 && end === entries.length ? entries : entries.slice(start, end)
    if (end > start) applies.push({ _tag: 'Apply', firstIndex: after(first, start), entries: run })
    start = end
    while (start < entries.length && entries[start]!.kind !== 'command') start++
  }
  return applies
}

/** The state machine has answered up to `index`. */
export const applied = (server: ServerDraft, index: LogIndex): Applies => {
  const { lastApplied, applyingIndex, log, snapshots } = server
  if (index <= lastApplied || index > applyingIndex) return []
  server.lastApplied = index
  if (snapshots.restoring !== null && index >= snapshots.restoring.base.index) server.snapshots = snapshots.with({ restoring: null })
  passInternal(server, log, index, applyingIndex)
  return applyCommitted(server)
}

const passInternal = (server: ServerDraft, log: Log, lastApplied: LogIndex, applyingIndex: LogIndex): void => {
  let next = after(lastApplied)
  // A snapshot replaced commands: the state machine's answer to the snapshot counts for them, and nothing else does.
  while (next <= applyingIndex && next > log.base.index && log.at(next)?.kind !== 'command') next = after(next)
  if (next > lastApplied + 1) server.lastApplied = logIndex(next - 1)
}
