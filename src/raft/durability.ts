import type { Effect, HardState, Persist, Write } from './effect.js'
import { after, type LogIndex, minIndex, nextWrite, type WriteSeq } from './ids.js'
import { commonPrefix, type Log } from './log.js'
import { thisWrite } from './rules/allServers.js'
import type { Server, ServerDraft } from './server.js'

/**
 * Figure 2: "Persistent state on all servers (updated on stable storage before responding to RPCs)".
 * Derived from what a step changed and acknowledged by number, asynchronously: a step never waits
 * for the disk, what it says does (`after`).
 */

/** The write that takes `before` to `draft`, entered among the unacknowledged; null if nothing durable changed. */
export const derivePersist = (before: Server, draft: ServerDraft): Persist | null => {
  const log: Log = draft.log
  const hardState: HardState | null = before.currentTerm === draft.currentTerm && before.votedFor === draft.votedFor
    ? null
    : { currentTerm: draft.currentTerm, votedFor: draft.votedFor }
  if (hardState === null && log === before.log) return null

  const kept = log === before.log ? log.lastIndex : commonPrefix(before.log, log)
  const truncateFrom = kept < before.log.lastIndex ? after(kept) : null
  const write: Write = { hardState, truncateFrom, firstIndex: after(kept), entries: kept < log.lastIndex ? log.from(after(kept)) : [], commitIndex: draft.commitIndex }

  const { durable } = draft
  if (truncateFrom !== null) capAt(durable, kept)
  durable.written = nextWrite(durable.written)
  durable.pending.push({ seq: durable.written, lastIndex: log.lastIndex })
  return { _tag: 'Persist', seq: durable.written, write }
}

/** A truncation takes back what earlier writes made durable or will: their entries after `kept` are no longer in the log. */
const capAt = (durable: ServerDraft['durable'], kept: LogIndex): void => {
  durable.index = minIndex(durable.index, kept)
  for (const write of durable.pending) write.lastIndex = minIndex(write.lastIndex, kept)
}

/** Enters that all writes up to `seq` are on disk; false if that was known or they were never asked for. */
export const acknowledge = (server: ServerDraft, seq: WriteSeq): boolean => {
  const { durable } = server
  if (seq <= durable.acknowledged || seq > durable.written) return false
  durable.acknowledged = seq
  let done = 0
  while (done < durable.pending.length && durable.pending[done]!.seq <= seq) done++
  // A later write never makes less durable than an earlier one: capAt has lowered the earlier ones.
  if (done > 0) durable.index = durable.pending[done - 1]!.lastIndex
  durable.pending.splice(0, done)
  return true
}

/** Puts the number of the last write asked for where a rule said `thisWrite`; nothing waits for a write that is done. */
export const numberWaits = (effects: ReadonlyArray<Effect>, { written, acknowledged }: ServerDraft['durable']): ReadonlyArray<Effect> => {
  const waits = effects.some((effect) => effect._tag === 'Send' && effect.after === thisWrite)
  if (!waits) return effects
  const last = written > acknowledged ? written : null
  return effects.map((effect) => (effect._tag === 'Send' && effect.after === thisWrite ? { ...effect, after: last } : effect))
}
