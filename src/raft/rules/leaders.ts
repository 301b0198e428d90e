import { type Member, members, withIncarnations } from '../state/configuration.js'
import type { Decision, Decisions } from '../decision.js'
import { commandEntry, configurationEntry, type Entry, noopEntry } from '../state/entry.js'
import type { LimitName } from '../error.js'
import type { RequestId } from '../event.js'
import { after } from '../ids.js'
import type { Progress } from '../state/progress.js'
import { Leader } from '../state/role.js'
import type { LeaderDraft, ServerDraft } from '../state/server.js'
import { heartbeat, replicate } from './replication.js'
import { armHeartbeat, scheduleFlush } from './shared.js'

/** Rules for Servers, "Leaders": elected, takes commands, sends. replication.ts says what a follower is sent. */

/**
 * "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server; repeat during idle periods (§5.2)."
 * `firstVotes` holds every voter's vote after a first election, and is null after any other.
 */
export const becomeLeader = (server: ServerDraft, firstVotes: ReadonlyArray<Member> | null, at: number): Decisions => {
  const nextIndex = after(server.log.lastIndex)
  const others = members(server.log.configuration).filter((id) => id !== server.id)
  const leader: LeaderDraft = Object.assign(server, { role: new Leader().following(others, nextIndex) })
  leader.log = leader.log.append(openingEntries(leader, firstVotes))
  return [armHeartbeat(leader), ...toEach(leader, replicate, at)]
}

/**
 * §8, "each leader … commit[s] a blank no-op entry into the log at the start of its term": with it all entries of older
 * terms are committed, which must not be committed by counting (§5.4.2). A first leader begins with the configuration
 * that names every data directory.
 */
const openingEntries = ({ currentTerm, log, settings }: LeaderDraft, firstVotes: ReadonlyArray<Member> | null): ReadonlyArray<Entry> => {
  if (firstVotes !== null) return [configurationEntry(currentTerm, withIncarnations(log.configuration, firstVotes))]
  return settings.leaderNoop ? [noopEntry(currentTerm)] : []
}

/**
 * "If command received from client: append entry to local log, respond after entry applied to state machine (§5.3)."
 */
export const propose = (leader: LeaderDraft, request: RequestId, commands: ReadonlyArray<Uint8Array>): Decisions => {
  const { count, limit } = admissible(leader, commands)
  const decisions: Decision[] = []
  if (count > 0) {
    const firstIndex = after(leader.log.lastIndex)
    const taken = count === commands.length ? commands : commands.slice(0, count)
    leader.log = leader.log.append(taken.map((command) => commandEntry(leader.currentTerm, command)))
    decisions.push({ _tag: 'Appended', request, term: leader.currentTerm, firstIndex, count }, scheduleFlush)
  }
  if (limit !== null) decisions.push({ _tag: 'Refused', request, appended: count, refusal: { _tag: 'Overloaded', limit } })
  return decisions
}

/** How many of the commands there is room for, and the limit that the next one meets. */
const admissible = (
  leader: LeaderDraft,
  commands: ReadonlyArray<Uint8Array>,
): { readonly count: number; readonly limit: LimitName | null } => {
  const { settings, log, commitIndex, lastApplied, writeProgress } = leader
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
export const heartbeatDue = (leader: LeaderDraft, generation: number, at: number): Decisions =>
  generation === leader.counters.heartbeat ? [armHeartbeat(leader), ...toEach(leader, heartbeat, at)] : []

/**
 * The end of a turn: all that proposals and answers have left to send goes out together. Heartbeats are for "idle
 * periods" (§5.2). So a flush that sends to every follower takes the place of the next heartbeat, if no follower had a
 * request under way. A follower that is silent or busy, or gets a snapshot, still gets its heartbeat in time.
 */
export const flush = (leader: LeaderDraft, at: number): Decisions => {
  const before = leader.role
  const sends = toEach(leader, replicate, at)
  return sends.length > 0 && isHeartbeat(before, leader.role) ? [armHeartbeat(leader), ...sends] : sends
}

const isHeartbeat = (before: Leader, now: Leader): boolean =>
  before.followers.every(({ inflight }) => inflight.length === 0) && now.followers.every(({ inflight }) => inflight.length > 0)

/** Sends to each follower, and remembers what it was sent. */
const toEach = (leader: LeaderDraft, send: (leader: LeaderDraft, progress: Progress, at: number) => Decisions, at: number): Decisions => {
  const decisions: Decision[] = []
  for (const progress of leader.role.followers) for (const decision of send(leader, progress, at)) decisions.push(decision)
  return decisions
}
