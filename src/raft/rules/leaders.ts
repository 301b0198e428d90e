import { type Member, members, withIncarnations } from '../state/configuration.js'
import type { Effect } from '../effect.js'
import { commandEntry, configurationEntry, type Entry, noopEntry } from '../state/entry.js'
import type { LimitName } from '../error.js'
import type { RequestId } from '../event.js'
import { after, logIndex } from '../ids.js'
import { Leader, leaderOf, Progress, type Role, type ServerDraft } from '../state/server.js'
import { armHeartbeat, scheduleFlush } from './allServers.js'
import { heartbeat, replicate } from './replication.js'

/** Rules for Servers, "Leaders": elected, take commands, send. What a follower is sent is replication.ts's business. */

/**
 * "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server; repeat during idle periods (§5.2)." `firstVotes`: of
 * a first election, everybody's; null after any other.
 */
export const becomeLeader = (server: ServerDraft, firstVotes: ReadonlyArray<Member> | null, at: number): ReadonlyArray<Effect> => {
  const nextIndex = after(server.log.lastIndex)
  const others = members(server.log.configuration).filter((id) => id !== server.id)
  server.role = new Leader(others.map((id) => new Progress(id, nextIndex, logIndex(0), logIndex(0), 'Probe', [], 0)))
  server.log = server.log.append(openingEntries(server, firstVotes))
  return [armHeartbeat(server), ...toEach(server, replicate, at)]
}

/**
 * §8, "each leader … commit[s] a blank no-op entry into the log at the start of its term": with it go all entries of older terms, which
 * must not be committed by counting (§5.4.2). A first leader begins with the configuration that names everybody's data directory.
 */
const openingEntries = ({ currentTerm, log, settings }: ServerDraft, firstVotes: ReadonlyArray<Member> | null): ReadonlyArray<Entry> => {
  if (firstVotes !== null) return [configurationEntry(currentTerm, withIncarnations(log.configuration, firstVotes))]
  return settings.leaderNoop ? [noopEntry(currentTerm)] : []
}

/** "If command received from client: append entry to local log, respond after entry applied to state machine (§5.3)." */
export const propose = (server: ServerDraft, request: RequestId, commands: ReadonlyArray<Uint8Array>): ReadonlyArray<Effect> => {
  if (server.role._tag !== 'Leader') {
    return [{ _tag: 'Refused', request, appended: 0, refusal: { _tag: 'NotLeader', leader: leaderOf(server) } }]
  }
  const { count, limit } = admissible(server, commands)
  const effects: Effect[] = []
  if (count > 0) {
    const firstIndex = after(server.log.lastIndex)
    const taken = count === commands.length ? commands : commands.slice(0, count)
    server.log = server.log.append(taken.map((command) => commandEntry(server.currentTerm, command)))
    effects.push({ _tag: 'Appended', request, term: server.currentTerm, firstIndex, count }, scheduleFlush)
  }
  if (limit !== null) effects.push({ _tag: 'Refused', request, appended: count, refusal: { _tag: 'Overloaded', limit } })
  return effects
}

/** How many of the commands there is room for, and which limit the next one meets. */
const admissible = (
  server: ServerDraft,
  commands: ReadonlyArray<Uint8Array>,
): { readonly count: number; readonly limit: LimitName | null } => {
  const { settings, log, commitIndex, lastApplied, writeProgress } = server
  if (writeProgress.pending.length >= settings.maxPendingWrites) return { count: 0, limit: 'maxPendingWrites' }
  if (commitIndex - lastApplied >= settings.maxUnapplied) return { count: 0, limit: 'maxUnapplied' }
  let uncommitted = log.lastIndex - commitIndex
  let uncommittedBytes = log.bytesFrom(after(commitIndex))
  let logBytes = log.bytes
  for (let count = 0; count < commands.length; count++) {
    const size = commands[count]!.length
    if (++uncommitted > settings.maxUncommittedEntries) return { count, limit: 'maxUncommittedEntries' }
    if ((uncommittedBytes += size) > settings.maxUncommittedBytes) return { count, limit: 'maxUncommittedBytes' }
    if ((logBytes += size) > settings.maxLogBytes) return { count, limit: 'maxLogBytes' }
  }
  return { count: commands.length, limit: null }
}

/** The heartbeat of this generation is due. */
export const heartbeatDue = (server: ServerDraft, generation: number, at: number): ReadonlyArray<Effect> =>
  server.role._tag !== 'Leader' || generation !== server.counters.heartbeat ? [] : [armHeartbeat(server), ...toEach(server, heartbeat, at)]

/**
 * The end of a turn: what proposals and answers have left to send goes out together. Heartbeats are for "idle periods" (§5.2): what goes
 * to all of them, when none had left anything unanswered, takes the place of the next one. Who is silent, busy or served otherwise gets it in time.
 */
export const flush = (server: ServerDraft, at: number): ReadonlyArray<Effect> => {
  const { role } = server
  const sends = toEach(server, replicate, at)
  return sends.length > 0 && isHeartbeat(role, server.role) ? [armHeartbeat(server), ...sends] : sends
}

const isHeartbeat = (before: Role, now: Role): boolean =>
  before._tag === 'Leader' &&
  now._tag === 'Leader' &&
  before.followers.every(({ inflight }, i) => inflight.length === 0 && now.followers[i]!.inflight.length > 0)

const toEach = (
  server: ServerDraft,
  send: (server: ServerDraft, progress: Progress, at: number, effects: Effect[]) => Progress,
  at: number,
): ReadonlyArray<Effect> => {
  const { role } = server
  if (role._tag !== 'Leader') return []
  const effects: Effect[] = []
  const followers = role.followers.map((progress) => send(server, progress, at, effects))
  // The role as it is now: a transfer may have begun.
  const { sendings } = server.role._tag === 'Leader' ? server.role : role
  if (sendings !== role.sendings || followers.some((progress, i) => progress !== role.followers[i]))
    server.role = new Leader(followers, sendings)
  return effects
}
