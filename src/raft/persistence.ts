import type { DiscardSnapshots, Effect, Persist, Send, SnapshotPointer, Write } from './effect.js'
import { after, type SnapshotRef } from './ids.js'
import { keptPrefix } from './state/log.js'
import { thisWrite } from './rules/allServers.js'
import type { Role, Server, ServerDraft } from './state/server.js'
import type { Sending } from './state/snapshots.js'

/**
 * Figure 2: "Persistent state on all servers (updated on stable storage before responding to RPCs)".
 * Derived from what a step changed, so that no rule can forget it, and asynchronous: a step never
 * waits for the disk, what it says does (`after`).
 */

/** The write that takes `before` to `draft`, entered among the unacknowledged; null if nothing durable changed. */
export const derivePersist = (before: Server, draft: ServerDraft): Persist | null => {
  const { currentTerm, votedFor, log } = draft
  const hardState = before.currentTerm === currentTerm && before.votedFor === votedFor ? null : { currentTerm, votedFor }
  if (hardState === null && log === before.log) return null

  const snapshot = pointer(before, draft)
  const forgotten = snapshot !== null && !snapshot.keepsSuffix
  const kept = log === before.log ? log.lastIndex : forgotten ? log.base.index : keptPrefix(before.log, log)
  const truncates = !forgotten && kept < before.log.lastIndex
  const firstIndex = after(kept)
  const write: Write = {
    snapshot,
    hardState,
    truncateFrom: truncates ? firstIndex : null,
    firstIndex,
    entries: kept < log.lastIndex ? log.from(firstIndex) : [],
    commitIndex: draft.commitIndex,
  }
  const durable = (truncates ? draft.writeProgress.truncate(kept) : draft.writeProgress).write(log.lastIndex)
  draft.writeProgress = durable
  return { _tag: 'Persist', seq: durable.written, write }
}

/** The snapshot that the log begins after now and did not before. */
const pointer = (before: Server, { log, snapshots: { current } }: ServerDraft): SnapshotPointer | null => {
  const { base } = log
  if (base === before.log.base || current === null) return null
  return { ref: current.ref, size: current.size, base, keepsSuffix: before.log.termAt(base.index) === base.term }
}

const none: ReadonlyArray<Sending> = []
const sendingsOf = (role: Role): ReadonlyArray<Sending> => (role._tag === 'Leader' ? role.sendings : none)

/**
 * Gives up the snapshots that `before` referred to and `draft` does not, derived as writes are. They wait for the disk: the
 * write that points to a newer snapshot must be there before the older one goes.
 */
export const deriveDiscards = (before: Server, draft: ServerDraft): DiscardSnapshots | null => {
  const transfers = sendingsOf(before.role)
  if (before.snapshots === draft.snapshots && transfers === sendingsOf(draft.role)) return null
  const refs = new Set<SnapshotRef>([...before.snapshots.refs, ...transfers.map(({ snapshot }) => snapshot.ref)])
  for (const ref of draft.snapshots.refs) refs.delete(ref)
  for (const { snapshot } of sendingsOf(draft.role)) refs.delete(snapshot.ref)
  if (refs.size === 0) return null
  return { _tag: 'DiscardSnapshots', refs: [...refs], after: draft.writeProgress.isComplete ? null : draft.writeProgress.written }
}

/** Puts the number of the last write asked for where a rule said `thisWrite`; nothing waits for a write that is done. */
export const numberWaits = (effects: ReadonlyArray<Effect>, draft: ServerDraft): ReadonlyArray<Effect> => {
  if (!effects.some(waits)) return effects
  const last = draft.writeProgress.isComplete ? null : draft.writeProgress.written
  return effects.map((effect) => (waits(effect) ? { _tag: 'Send', message: effect.message, after: last } : effect))
}

const waits = (effect: Effect): effect is Send => effect._tag === 'Send' && effect.after === thisWrite
