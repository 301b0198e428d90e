import type { Decision, Decisions } from './decision.js'
import type { DiscardSnapshots, Effect, Persist, SnapshotPointer, Write } from './effect.js'
import { after, type SnapshotRef, type WriteSeq } from './ids.js'
import { keptPrefix } from './state/log.js'
import type { Role } from './state/role.js'
import type { Server, ServerDraft } from './state/server.js'
import type { Sending } from './state/snapshots.js'

/**
 * Figure 2: "Persistent state on all servers (updated on stable storage before responding to RPCs)". Derived from what
 * a step changed, so that no rule can forget it. Asynchronous: a step never waits for the disk, its effects do
 * (`after`).
 */

/**
 * The write that takes `before` to `draft`, counted among the writes without an answer; null if nothing durable
 * changed.
 */
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

/** The snapshot that the log begins after now and did not begin after before. */
const pointer = (before: Server, { log, snapshots: { current } }: ServerDraft): SnapshotPointer | null => {
  const { base } = log
  if (base === before.log.base || current === null) return null
  return { ref: current.ref, size: current.size, base, keepsSuffix: before.log.termAt(base.index) === base.term }
}

const none: ReadonlyArray<Sending> = []
const sendingsOf = (role: Role): ReadonlyArray<Sending> => (role._tag === 'Leader' ? role.sendings : none)

/**
 * Gives up the snapshots that `before` referred to and `draft` does not. Derived as writes are. It waits for the disk:
 * the write that points to a newer snapshot must be there before the older snapshot goes.
 */
export const deriveDiscards = (before: Server, draft: ServerDraft): DiscardSnapshots | null => {
  const sendings = sendingsOf(before.role)
  if (before.snapshots === draft.snapshots && sendings === sendingsOf(draft.role)) return null
  const refs = new Set<SnapshotRef>([...before.snapshots.refs, ...sendings.map(({ snapshot }) => snapshot.ref)])
  for (const ref of draft.snapshots.refs) refs.delete(ref)
  for (const { snapshot } of sendingsOf(draft.role)) refs.delete(snapshot.ref)
  return refs.size === 0 ? null : { _tag: 'DiscardSnapshots', refs: [...refs], after: lastWrite(draft) }
}

/** Puts the number of the last write in the place of `thisWrite`. */
export const numberWaits = (decisions: Decisions, draft: ServerDraft): ReadonlyArray<Effect> => {
  if (decisions.every(isNumbered)) return decisions
  const last = lastWrite(draft)
  return decisions.map((decision) => (isNumbered(decision) ? decision : { _tag: 'Send', message: decision.message, after: last }))
}

const isNumbered = (decision: Decision): decision is Decision & Effect => decision._tag !== 'Send' || decision.after === null

/** The last write that this server asked for; null if it is done, because nothing waits for a write that is done. */
const lastWrite = ({ writeProgress }: ServerDraft): WriteSeq | null => (writeProgress.isComplete ? null : writeProgress.written)
