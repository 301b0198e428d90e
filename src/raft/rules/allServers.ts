import type { Apply, Effect } from '../effect.js'
import { after, type LogIndex, logIndex, messageSeq, type MessageSeq, minIndex, nextWrite, type Term, type WriteSeq, writeSeq } from '../ids.js'
import type { ServerDraft } from '../server.js'
import { becomeFollower } from './followers.js'

/** Rules for Servers, "All Servers", and the small words that the other rules share. */

/** "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower (§5.1)." */
export const observeTerm = (server: ServerDraft, T: Term): ReadonlyArray<Effect> => {
  if (T <= server.currentTerm) return []
  server.currentTerm = T
  server.votedFor = null
  return becomeFollower(server, null)
}

/**
 * "If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine (§5.3)."
 * Only what is durable here as well, so that a state machine never knows more than its server's disk.
 * No-ops and configurations are not for the state machine: they count as applied when their turn comes.
 */
export const applyCommitted = (server: ServerDraft): ReadonlyArray<Effect> => {
  const window = logIndex(server.lastApplied + server.settings.maxHandedOver)
  const upTo = minIndex(minIndex(server.commitIndex, server.durable.index), window)
  if (upTo <= server.handedOver) return []
  const effects: Apply[] = []
  const first = after(server.handedOver)
  const entries = server.log.from(first, { maxEntries: upTo - server.handedOver, maxBytes: Number.POSITIVE_INFINITY })
  for (let start = 0; start < entries.length; ) {
    let end = start
    while (end < entries.length && entries[end]!.kind === 'command') end++
    if (end > start) {
      const run = start === 0 && end === entries.length ? entries : entries.slice(start, end)
      effects.push({ _tag: 'Apply', firstIndex: after(first, start), entries: run })
    }
    start = end
    while (start < entries.length && entries[start]!.kind !== 'command') start++
  }
  server.handedOver = upTo
  passInternal(server)
  return effects
}

/** The state machine has answered up to `index`. */
export const applied = (server: ServerDraft, index: LogIndex): ReadonlyArray<Effect> => {
  if (index <= server.lastApplied || index > server.handedOver) return []
  server.lastApplied = index
  passInternal(server)
  return applyCommitted(server)
}

const passInternal = (server: ServerDraft): void => {
  let next = after(server.lastApplied)
  while (next <= server.handedOver && server.log.at(next)?.kind !== 'command') next = after(next)
  if (next - 1 !== server.lastApplied) server.lastApplied = logIndex(next - 1)
}

/** Stands in `after` for "the write this very step causes, or the last one before it"; step.ts puts the number in. */
export const thisWrite: WriteSeq = writeSeq(Number.MAX_SAFE_INTEGER)

/** The number that the write of this step will have, if it causes one. */
export const upcomingWrite = (server: ServerDraft): WriteSeq => nextWrite(server.durable.written)

export const nextMessage = (server: ServerDraft): MessageSeq => (server.counters.messages = messageSeq(server.counters.messages + 1))

export const armElectionTimer = (server: ServerDraft): Effect => ({ _tag: 'ArmElectionTimer', generation: ++server.counters.electionTimer })

export const armHeartbeat = (server: ServerDraft): Effect => ({ _tag: 'ArmHeartbeat', generation: ++server.counters.heartbeat })

export const scheduleFlush: Effect = { _tag: 'ScheduleFlush' }
