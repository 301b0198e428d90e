import type { Decision, Decisions } from '../decision.js'
import { after, before, logIndex, type LogIndex, maxIndex, minIndex, nextTerm, type NodeId } from '../ids.js'
import type { Log, ReadLimit } from '../state/log.js'
import type { AppendEntries, AppendEntriesReply, Conflict } from '../messages.js'
import type { Settings } from '../settings.js'
import type { Inflight, Progress } from '../state/progress.js'
import type { LeaderDraft } from '../state/server.js'
import { advanceCommit } from './commitment.js'
import { answeredOtherwise, chunkLost, needsSnapshot, startSending } from './sendSnapshot.js'
import { nextMessage, scheduleFlush } from './shared.js'

/**
 * How a leader makes one follower's log equal to its own (§5.3): "If last log index ≥ nextIndex for a follower: send
 * AppendEntries RPC with log entries starting at nextIndex." A probe finds where the two logs agree. From then on
 * requests are pipelined within a window (thesis §10.2.1).
 */

/**
 * Sends the entries that the follower was not sent, as far as the window reaches. With none to send, sends a new
 * commitIndex.
 */
export const replicate = (leader: LeaderDraft, progress: Progress, at: number): Decisions => {
  if (needsSnapshot(leader, progress) && progress.flow !== 'Snapshot') return startSending(leader, progress)
  const sends: Decision[] = []
  let now = progress
  for (let limit = nextLimit(leader, now); limit !== null; limit = nextLimit(leader, now)) {
    const request = appendEntries(leader, now.id, now.nextIndex, limit)
    now = now.with({
      nextIndex: now.flow === 'Replicate' ? after(lastIndexOf(request)) : now.nextIndex,
      sentCommit: commitSent(now, request),
      inflight: [...now.inflight, inflightOf(request, leader.log, at)],
    })
    sends.push(send(request))
  }
  if (now !== progress) leader.role = leader.role.withProgress(now)
  return sends
}

/** How much the follower's next request may carry; null while there is nothing to send. */
const nextLimit = ({ settings, log, commitIndex }: LeaderDraft, progress: Progress): ReadLimit | null => {
  const { flow, inflight, nextIndex, sentCommit } = progress
  const room = hasRoom(progress, settings)
  if (room && nextIndex <= log.lastIndex) return { maxEntries: settings.maxEntriesPerMessage, maxBytes: settings.maxBytesPerMessage }
  const silentProbe = flow === 'Probe' && inflight.length === 0
  return silentProbe || (room && sentCommit < minIndex(commitIndex, before(nextIndex))) ? nothing : null
}

const nothing: ReadLimit = { maxEntries: 0, maxBytes: 0 }

/** Repeated during idle periods. A heartbeat also finds out that a request or its answer was lost. */
export const heartbeat = (leader: LeaderDraft, progress: Progress, at: number): Decisions => {
  const { settings, log } = leader
  const now = isSilent(progress) && progress.flow === 'Replicate' ? probing(progress, firstDoubtful(leader, progress)) : progress
  // An entry that our log does not hold any more cannot be asked for.
  const nextIndex = maxIndex(now.nextIndex, after(log.base.index))
  const unanswered = now.flow === 'Replicate' ? now.inflight : unansweredProbes(now.inflight, settings)
  const request = appendEntries(leader, now.id, nextIndex, nothing)
  leader.role = leader.role.withProgress(
    now.with({
      nextIndex,
      sentCommit: commitSent(now, request),
      inflight: [...unanswered, inflightOf(request, log, at)],
      silentHeartbeats: now.silentHeartbeats + 1,
    }),
  )
  return [send(request)]
}

/**
 * A late reply still counts, so the probes stay in flight. One more may be sent: with no room, it takes the place of
 * the oldest.
 */
const unansweredProbes = (inflight: ReadonlyArray<Inflight>, { maxInflightMessages }: Settings): ReadonlyArray<Inflight> =>
  inflight.length < maxInflightMessages ? inflight : inflight.slice(1)

/** After so many heartbeats without an answer the leader takes for lost what it sent. */
const maxSilentHeartbeats = 3
export const isSilent = ({ silentHeartbeats }: Progress): boolean => silentHeartbeats >= maxSilentHeartbeats

const hasRoom = ({ flow, inflight }: Progress, settings: Settings): boolean => {
  if (flow === 'Snapshot') return false
  if (flow === 'Probe') return inflight.length === 0
  let bytes = 0
  for (const request of inflight) bytes += request.bytes
  return inflight.length < settings.maxInflightMessages && bytes < settings.maxInflightBytes
}

/** One AppendEntries: the entries from `nextIndex` on. */
const appendEntries = (leader: LeaderDraft, to: NodeId, nextIndex: LogIndex, limit: ReadLimit): AppendEntries => {
  const { id, currentTerm, log, commitIndex } = leader
  const prevLogIndex = before(nextIndex)
  const entries = limit === nothing ? [] : log.from(nextIndex, limit)
  return {
    _tag: 'AppendEntries',
    from: id,
    to,
    seq: nextMessage(leader),
    term: currentTerm,
    leaderId: id,
    prevLogIndex,
    prevLogTerm: log.termAt(prevLogIndex)!,
    entries,
    leaderCommit: commitIndex,
  }
}

/** A request leaves at once, in parallel with the leader's own write (thesis §10.2.1). */
const send = (message: AppendEntries): Decision => ({ _tag: 'Send', after: null, message })

const lastIndexOf = ({ prevLogIndex, entries }: AppendEntries): LogIndex => logIndex(prevLogIndex + entries.length)

const inflightOf = (request: AppendEntries, log: Log, at: number): Inflight => {
  const { seq, prevLogIndex } = request
  const lastIndex = lastIndexOf(request)
  return { seq, sentAt: at, prevLogIndex, lastIndex, bytes: log.bytesFrom(after(prevLogIndex)) - log.bytesFrom(after(lastIndex)) }
}

/** The greatest commitIndex that the follower was sent, `request` included. */
const commitSent = ({ sentCommit }: Progress, request: AppendEntries): LogIndex =>
  maxIndex(sentCommit, minIndex(request.leaderCommit, lastIndexOf(request)))

/**
 * The first entry that the follower may lack. Our log may not hold that entry any more: the follower's refusal says so.
 */
const firstDoubtful = ({ log }: LeaderDraft, { matchIndex }: Progress): LogIndex => after(maxIndex(matchIndex, log.base.index))

/** Starts over at `nextIndex`. The requests under way count no more, except for those in `inflight`. */
const probing = (progress: Progress, nextIndex: LogIndex, inflight: ReadonlyArray<Inflight> = []): Progress =>
  progress.with({ flow: 'Probe', nextIndex, inflight })

export const receiveAppendEntriesReply = (leader: LeaderDraft, reply: AppendEntriesReply): Decisions => {
  const { log, role } = leader
  const progress = role.follower(reply.from)
  const current = reply.term === leader.currentTerm
  const credible = reply.matchIndex <= log.lastIndex && reply.re <= leader.counters.messages
  if (progress === undefined || !current || !credible) return []

  const next = reply.success ? succeeded(progress, reply) : refused(progress, reply, log)
  if (next !== progress) leader.role = role.withProgress(next)
  // Only a new match commits anything, and only beyond what is committed already.
  const commits = next.matchIndex > progress.matchIndex && next.matchIndex > leader.commitIndex ? advanceCommit(leader) : []
  if (next.flow === 'Snapshot') return [...commits, ...answeredOtherwise(leader, reply.from)]
  // A heartbeat found that the follower's log has caught up by itself, or that the answer to the last chunk was lost.
  if (progress.flow === 'Snapshot') leader.role = leader.role.withoutSending(reply.from)
  const hasMore =
    hasRoom(next, leader.settings) &&
    (next.nextIndex <= log.lastIndex || next.flow === 'Probe' || next.sentCommit < minIndex(leader.commitIndex, before(next.nextIndex)))
  return hasMore && !commits.includes(scheduleFlush) ? [...commits, scheduleFlush] : commits
}

/** "If successful: update nextIndex and matchIndex for follower (§5.3)." */
const succeeded = (progress: Progress, { re, matchIndex: matched }: AppendEntriesReply): Progress => {
  const { flow, inflight } = progress
  const matchIndex = maxIndex(progress.matchIndex, matched)
  const request = inflight.find(({ seq }) => seq === re)
  // A late answer: its place was given to others. It is true all the same, and those entries need not be sent again.
  if (request === undefined)
    return orSame(progress, progress.with({ nextIndex: maxIndex(progress.nextIndex, after(matchIndex)), matchIndex, silentHeartbeats: 0 }))
  // The follower is full: it took fewer entries than it was offered. The next heartbeat asks again.
  const full = request.lastIndex > request.prevLogIndex && matched < request.lastIndex
  if (full)
    return orSame(
      progress,
      progress.with({ flow: 'Probe', nextIndex: after(matchIndex), matchIndex, inflight: [request], silentHeartbeats: 0 }),
    )
  return progress.with({
    flow: 'Replicate',
    nextIndex: maxIndex(flow === 'Replicate' ? progress.nextIndex : after(request.lastIndex), after(matchIndex)),
    matchIndex,
    // An answer frees its place in the window, and the places of all requests before it: their answers were lost or
    // come late.
    inflight: inflight.filter(({ seq }) => seq > re),
    silentHeartbeats: 0,
  })
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
  const nextIndex = minIndex(afterConflict(log, request.prevLogIndex, conflict), request.prevLogIndex)
  return progress.with({
    flow: 'Probe',
    nextIndex: maxIndex(nextIndex, after(progress.matchIndex)),
    inflight: [],
    silentHeartbeats: 0,
  })
}

/**
 * Where to go on after a conflict at `prevLogIndex`. This log may hold entries of the follower's conflicting term
 * before there: then the logs may agree up to the last of them. Otherwise no entry of that term agrees, and the
 * follower must replace the first of them.
 */
const afterConflict = (log: Log, prevLogIndex: LogIndex, { term, index }: Conflict): LogIndex => {
  if (term === null) return index
  const ours = before(log.firstIndexOf(nextTerm(term)))
  return ours < prevLogIndex && ours >= index && log.termAt(ours) === term ? after(ours) : index
}

/**
 * The requests under way to `peer` may be lost. Its next heartbeat probes. Nothing is sent before: the line is known to
 * be broken.
 */
export const unreachable = (leader: LeaderDraft, peer: NodeId): Decisions => {
  const progress = leader.role.follower(peer)
  if (progress?.flow === 'Snapshot') chunkLost(leader, peer)
  else if (progress?.flow === 'Replicate')
    leader.role = leader.role.withProgress(probing(progress, firstDoubtful(leader, progress), progress.inflight.slice(-1)))
  return []
}
