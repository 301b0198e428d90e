import type { Effect, Persist, Write } from './effect.js'
import { after } from './ids.js'
import { commonPrefix } from './log.js'
import { thisWrite } from './rules/allServers.js'
import type { Server, ServerDraft } from './server.js'

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

  const kept = log === before.log ? log.lastIndex : commonPrefix(before.log, log)
  const truncates = kept < before.log.lastIndex
  const firstIndex = after(kept)
  const write: Write = {
    hardState,
    truncateFrom: truncates ? firstIndex : null,
    firstIndex,
    entries: kept < log.lastIndex ? log.from(firstIndex) : [],
    commitIndex: draft.commitIndex,
  }
  const durable = (truncates ? draft.durable.truncate(kept) : draft.durable).write(log.lastIndex)
  draft.durable = durable
  return { _tag: 'Persist', seq: durable.written, write }
}

/** Puts the number of the last write asked for where a rule said `thisWrite`; nothing waits for a write that is done. */
export const numberWaits = (effects: ReadonlyArray<Effect>, draft: ServerDraft): ReadonlyArray<Effect> => {
  const waits = effects.some((effect) => effect._tag === 'Send' && effect.after === thisWrite)
  if (!waits) return effects
  const last = draft.durable.settled ? null : draft.durable.written
  return effects.map((effect) =>
    effect._tag === 'Send' && effect.after === thisWrite ? { _tag: 'Send', message: effect.message, after: last } : effect,
  )
}
