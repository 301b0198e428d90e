import { members } from '../configuration.js'
import type { Effect } from '../effect.js'
import { commandEntry, noopEntry } from '../entry.js'
import type { LimitName } from '../error.js'
import type { RequestId } from '../event.js'
import { after, logIndex, type NodeId } from '../ids.js'
import { leaderOf, type Progress, type ServerDraft } from '../server.js'
import { armHeartbeat, scheduleFlush } from './allServers.js'
import { advanceCommit } from './commitment.js'
import { heartbeat, replicate } from './replication.js'

/** Rules for Servers, "Leaders": elected, take commands, send. What a follower is sent is replication.ts's business. */

/** "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server; repeat during idle periods (§5.2)." */
export const becomeLeader = (server: ServerDraft): ReadonlyArray<Effect> => {
  const nextIndex = after(server.log.lastIndex)
  const progress: Progress = { nextIndex, matchIndex: logIndex(0), sentCommit: logIndex(0), flow: 'Probe', inflight: [], silentHeartbeats: 0 }
  const followers: Record<NodeId, Progress> = Object.create(null) as Record<NodeId, Progress>
  for (const id of members(server.log.configuration)) if (id !== server.id) followers[id] = progress
  server.role = { _tag: 'Leader', followers }
  // §8, "each leader … commit[s] a blank no-op entry into the log at the start of its term": with it
  // go all entries of older terms, which must not be committed by counting (§5.4.2).
  if (server.settings.leaderNoop) server.log = server.log.append([noopEntry(server.currentTerm)])
  return [armHeartbeat(server), ...toEach(server, replicate)]
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
const admissible = (server: ServerDraft, commands: ReadonlyArray<Uint8Array>): { readonly count: number; readonly limit: LimitName | null } => {
  const { settings, log, commitIndex, lastApplied, durable } = server
  if (durable.pending.length >= settings.maxPendingWrites) return { count: 0, limit: 'maxPendingWrites' }
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
export const heartbeatDue = (server: ServerDraft, generation: number): ReadonlyArray<Effect> =>
  server.role._tag !== 'Leader' || generation !== server.counters.heartbeat ? [] : [armHeartbeat(server), ...toEach(server, heartbeat)]

/** The end of a turn: what proposals and answers have left to send goes out together. */
export const flush = (server: ServerDraft): ReadonlyArray<Effect> => toEach(server, replicate)

/** The leader's own disk: it counts itself up to `durable.index` only. */
export const leaderPersisted = (server: ServerDraft): ReadonlyArray<Effect> => (server.role._tag === 'Leader' ? advanceCommit(server) : [])

const toEach = (server: ServerDraft, send: (server: ServerDraft, to: NodeId, progress: Progress) => Sending): ReadonlyArray<Effect> => {
  const { role } = server
  if (role._tag !== 'Leader') return []
  const effects: Effect[] = []
  for (const to of Object.keys(role.followers) as NodeId[]) {
    const progress = role.followers[to]!
    const sending = send(server, to, progress)
    if (sending.progress !== progress) role.followers[to] = sending.progress
    for (const effect of sending.effects) effects.push(effect)
  }
  return effects
}

/** What sending to one follower changes. */
export interface Sending {
  readonly progress: Progress
  readonly effects: ReadonlyArray<Effect>
}
