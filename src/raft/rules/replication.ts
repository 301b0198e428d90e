import type { Effect, Send } from '../effect.js'
import { after, before, logIndex, type LogIndex, maxIndex, minIndex, nextTerm, type NodeId } from '../ids.js'
import type { Log, ReadLimit } from '../state/log.js'
import type { AppendEntriesReply, Conflict } from '../messages.js'
import type { Settings } from '../settings.js'
import { type Inflight, Progress, type ServerDraft } from '../state/server.js'
import { nextMessage, scheduleFlush } from './allServers.js'
import { advanceCommit } from './commitment.js'
import { chunkLost, endSending, answeredOtherwise, needsSnapshot, startSending } from './sendSnapshot.js'

/**
 * How a leader brings one follower's log to its own (§5.3): "If last log index ≥ nextIndex for a
 * follower: send AppendEntries RPC with log entries starting at nextIndex." A probe finds where the
 * logs agree; from then on requests are pipelined (thesis §10.2.1) within a window.
 */

/** Sends what the follower has not been sent: entries as far as the window reaches, else a new commitIndex. */
export const replicate = (server: ServerDraft, progress: Progress, at: number, effects: Effect[]): Progress => {
  const { settings, log, commitIndex } = server
  if (needsSnapshot(server, progress) && progress.flow !== 'Snapshot') return startSending(server, progress, effects)
  let now = progress
  while (hasRoom(now, settings) && now.nextIndex <= log.lastIndex) {
    now = append(server, now, { maxEntries: settings.maxEntriesPerMessage, maxBytes: settings.maxBytesPerMessage }, at, effects)
  }
  const knows = minIndex(commitIndex, before(now.nextIndex))
  const silentProbe = now.flow === 'Probe' && now.inflight.length === 0
  if (silentProbe || (hasRoom(now, settings) && now.sentCommit < knows)) now = append(server, now, nothing, at, effects)
  return now
}

/** Repeated during idle periods; also what finds out that a request or its answer was lost. */
export const heartbeat = (server: ServerDraft, progress: Progress, at: number, effects: Effect[]): Progress => {
  const sendTo = isSilent(progress) && progress.flow === 'Replicate' ? probing(progress, firstDoubtful(server, progress)) : progress
  const { id, matchIndex, sentCommit, flow, silentHeartbeats } = sendTo
  // What comes before our log cannot be asked for.
  const nextIndex = maxIndex(sendTo.nextIndex, after(server.log.base.index))
  const inflight = flow === 'Replicate' ? sendTo.inflight : unansweredProbes(sendTo, server.settings)
  const counted = new Progress(id, nextIndex, matchIndex, sentCommit, flow, inflight, silentHeartbeats + 1)
  return append(server, counted, nothing, at, effects)
}

/** A probe whose answer takes longer than a heartbeat is answered all the same: to forget it would be to ask for ever. One more has its place. */
const unansweredProbes = ({ inflight }: Progress, { maxInflightMessages }: Settings): ReadonlyArray<Inflight> =>
  inflight.length < maxInflightMessages ? inflight : inflight.slice(1)

/** After so many heartbeats without an answer what was sent is taken for lost. */
const maxSilentHeartbeats = 3
export const isSilent = ({ silentHeartbeats }: Progress): boolean => silentHeartbeats >= maxSilentHeartbeats
const nothing: ReadLimit = { maxEntries: 0, maxBytes: 0 }

const hasRoom = ({ flow, inflight }: Progress, settings: Settings): boolean => {
  if (flow === 'Snapshot') return false
  if (flow === 'Probe') return inflight.length === 0
  let bytes = 0
  for (const request of inflight) bytes += request.bytes
  return inflight.length < settings.maxInflightMessages && bytes < settings.maxInflightBytes
}

/** One AppendEntries, beginning at the follower's nextIndex. */
const append = (server: ServerDraft, progress: Progress, limit: ReadLimit, at: number, effects: Effect[]): Progress => {
  const { log, id, currentTerm, commitIndex } = server
  const { id: to, nextIndex, matchIndex, sentCommit, flow, inflight, silentHeartbeats } = progress
  const prevLogIndex = before(nextIndex)
  const entries = limit === nothing ? [] : log.from(nextIndex, limit)
  const lastIndex = logIndex(prevLogIndex + entries.length)
  const seq = nextMessage(server)
  effects.push({
    _tag: 'Send',
    // Leaves at once, in parallel with the leader's own write (thesis §10.2.1).
    after: null,
    message: {
      _tag: 'AppendEntries',
      from: id,
      to,
      seq,
      term: currentTerm,
      leaderId: id,
      prevLogIndex,
      prevLogTerm: log.termAt(prevLogIndex)!,
      entries,
      leaderCommit: commitIndex,
    },
  } satisfies Send)
  const request: Inflight = { seq, sentAt: at, prevLogIndex, lastIndex, bytes: bytesOf(log, nextIndex, lastIndex) }
  const told = maxIndex(sentCommit, minIndex(commitIndex, lastIndex))
  return new Progress(
    to,
    flow === 'Replicate' ? after(lastIndex) : nextIndex,
    matchIndex,
    told,
    flow,
    [...inflight, request],
    silentHeartbeats,
  )
}

const bytesOf = (log: Log, first: LogIndex, last: LogIndex): number => log.bytesFrom(first) - log.bytesFrom(after(last))

/** The first entry that the follower may lack; where it may lack what is no longer in our log, its refusal will say so. */
const firstDoubtful = ({ log }: ServerDraft, { matchIndex }: Progress): LogIndex => after(maxIndex(matchIndex, log.base.index))

/** Start over at `nextIndex`. What is under way no longer counts: its answers are late whatever they say. */
const probing = (
  { id, matchIndex, sentCommit, silentHeartbeats }: Progress,
  nextIndex: LogIndex,
  inflight: ReadonlyArray<Inflight> = [],
): Progress => new Progress(id, nextIndex, matchIndex, sentCommit, 'Probe', inflight, silentHeartbeats)

export const receiveAppendEntriesReply = (server: ServerDraft, reply: AppendEntriesReply): ReadonlyArray<Effect> => {
  const { role, log } = server
  const progress = role._tag === 'Leader' ? role.follower(reply.from) : undefined
  const current = reply.term === server.currentTerm
  const credible = reply.matchIndex <= log.lastIndex && reply.re <= server.counters.messages
  if (role._tag !== 'Leader' || progress === undefined || !current || !credible) return []

  const next = reply.success ? succeeded(progress, reply) : refused(progress, reply, log)
  if (next !== progress) server.role = role.with(next)
  // What is committed already is not committed again, and only a new match commits anything.
  const effects = next.matchIndex > progress.matchIndex && next.matchIndex > server.commitIndex ? advanceCommit(server) : []
  if (next.flow === 'Snapshot') return [...effects, ...answeredOtherwise(server, reply.from)]
  if (progress.flow === 'Snapshot') endSending(server, reply.from)
  const hasMore =
    hasRoom(next, server.settings) &&
    (next.nextIndex <= log.lastIndex || next.flow === 'Probe' || next.sentCommit < minIndex(server.commitIndex, before(next.nextIndex)))
  return hasMore && !effects.includes(scheduleFlush) ? [...effects, scheduleFlush] : effects
}

/** "If successful: update nextIndex and matchIndex for follower (§5.3)." */
const succeeded = (progress: Progress, { re, matchIndex: matched }: AppendEntriesReply): Progress => {
  const { id, sentCommit, flow, inflight } = progress
  const matchIndex = maxIndex(progress.matchIndex, matched)
  const request = inflight.find(({ seq }) => seq === re)
  // Late: its place was given to others. What it says is true all the same, and need not be sent again.
  if (request === undefined)
    return orSame(progress, new Progress(id, maxIndex(progress.nextIndex, after(matchIndex)), matchIndex, sentCommit, flow, inflight, 0))
  // It took fewer entries than it was offered: it is full. The next heartbeat asks again.
  const full = request.lastIndex > request.prevLogIndex && matched < request.lastIndex
  if (full) return orSame(progress, new Progress(id, after(matchIndex), matchIndex, sentCommit, 'Probe', [request], 0))
  const nextIndex = maxIndex(flow === 'Replicate' ? progress.nextIndex : after(request.lastIndex), after(matchIndex))
  // An answer frees its place in the window and those of all requests before it: theirs were lost or will come late.
  return new Progress(
    id,
    nextIndex,
    matchIndex,
    sentCommit,
    'Replicate',
    inflight.filter(({ seq }) => seq > re),
    0,
  )
}

/** `progress` itself where `next` says nothing new, as after an answer that came twice. */
const orSame = (progress: Progress, next: Progress): Progress =>
  progress.nextIndex === next.nextIndex &&
  progress.matchIndex === next.matchIndex &&
  progress.flow === next.flow &&
  progress.silentHeartbeats === next.silentHeartbeats &&
  progress.inflight.length === next.inflight.length
    ? progress
    : next

/** "If AppendEntries fails because of log inconsistency: decrement nextIndex and retry (§5.3)", a term at a time. */
const refused = (progress: Progress, { re, conflict }: AppendEntriesReply, log: Log): Progress => {
  const request = progress.inflight.find(({ seq }) => seq === re)
  if (request === undefined || conflict === null || progress.flow === 'Snapshot') return progress
  const { id, matchIndex, sentCommit } = progress
  const nextIndex = minIndex(afterConflict(log, request.prevLogIndex, conflict), request.prevLogIndex)
  return new Progress(id, maxIndex(nextIndex, after(matchIndex)), matchIndex, sentCommit, 'Probe', [], 0)
}

/**
 * Where to go on after a conflict at `prevLogIndex`. If this log holds entries of the follower's
 * conflicting term before there, the logs may agree up to the last of them; otherwise none of that
 * term's entries agree, and the first of them is what the follower must replace.
 */
const afterConflict = (log: Log, prevLogIndex: LogIndex, { term, index }: Conflict): LogIndex => {
  if (term === null) return index
  const ours = before(log.firstIndexOf(nextTerm(term)))
  return ours < prevLogIndex && ours >= index && log.termAt(ours) === term ? after(ours) : index
}

/** What was under way to `peer` may be lost. Its next heartbeat probes; nothing is sent on a line known to be broken. */
export const unreachable = (server: ServerDraft, peer: NodeId): ReadonlyArray<Effect> => {
  const { role } = server
  const progress = role._tag === 'Leader' ? role.follower(peer) : undefined
  if (role._tag !== 'Leader' || progress === undefined || progress.flow === 'Probe') return []
  if (progress.flow === 'Snapshot') {
    chunkLost(server, peer)
    return []
  }
  const last = progress.inflight.slice(-1)
  server.role = role.with(probing(progress, firstDoubtful(server, progress), last))
  return []
}
