import { function as F } from 'fp-ts'
import type { Effect } from './effect.js'
import type { RaftEvent } from './event.js'
import type { Incarnation, WriteSeq } from './ids.js'
import type { Message } from './messages.js'
import { deriveDiscards, derivePersist, numberWaits } from './persistence.js'
import { applied, applyCommitted, armElectionTimer, observeTerm } from './rules/allServers.js'
import { receiveAppendEntries } from './rules/appendEntries.js'
import { guard } from './rules/guards.js'
import { countOwnVote, electionTimedOut, receiveRequestVoteReply } from './rules/candidates.js'
import { advanceCommit } from './rules/commitment.js'
import { receiveInstallSnapshot, chunkStored, snapshotRefused } from './rules/installSnapshot.js'
import { flush, heartbeatDue, propose } from './rules/leaders.js'
import { receiveAppendEntriesReply, unreachable } from './rules/replication.js'
import { receiveRequestVote } from './rules/requestVote.js'
import { snapshotStored, snapshotTaken } from './rules/takeSnapshot.js'
import { chunkRead, receiveInstallSnapshotReply } from './rules/sendSnapshot.js'
import { draftOf, isSameFollower, isUnchanged, type Server, type ServerDraft } from './state/server.js'

/** What one event made of a server, and what is to be done about it. */
export interface Step {
  readonly server: Server
  readonly effects: ReadonlyArray<Effect>
}

/**
 * The whole protocol: one event in, the next state and its effects out. `at` is the time at which the
 * event was taken up, in whole milliseconds of the server's monotonic clock. Total and deterministic:
 * it reads no clock, no dice and no wires. What an event leaves unchanged stays identical (`===`);
 * what must survive a crash is compared before and after, so that no rule can forget to persist it.
 */
export const step = (server: Server, event: RaftEvent, at: number): Step => {
  const draft = draftOf(server)
  const decided = decide(draft, event, at)
  if (draft.role !== server.role && isSameFollower(draft.role, server.role)) draft.role = server.role
  const persist = derivePersist(server, draft)
  const numbered = numberWaits(decided, draft)
  const discards = deriveDiscards(server, draft)
  const effects = persist === null ? numbered : [persist, ...numbered]
  return { server: isUnchanged(server, draft) ? server : draft, effects: discards === null ? effects : [...effects, discards] }
}

const decide = (server: ServerDraft, event: RaftEvent, at: number): ReadonlyArray<Effect> => {
  switch (event._tag) {
    case 'Started':
      return [armElectionTimer(server), ...applyCommitted(server)]
    case 'ElectionTimedOut':
      return electionTimedOut(server, event.generation)
    case 'HeartbeatDue':
      return heartbeatDue(server, event.generation, at)
    case 'Received':
      return receive(server, event.message, event.incarnation ?? null, at)
    case 'Proposed':
      return propose(server, event.request, event.commands)
    case 'Flush':
      return flush(server, at)
    case 'Persisted':
      return persisted(server, event.seq, at)
    case 'Applied':
      return applied(server, event.index)
    case 'SnapshotTaken':
      return snapshotTaken(server, event.index, event.data)
    case 'ChunkStored':
      return chunkStored(server, event.ref, event.offset)
    case 'SnapshotStored':
      return snapshotStored(server, event.ref, event.size)
    case 'SnapshotRefused':
      return snapshotRefused(server, event.ref)
    case 'ChunkRead':
      return chunkRead(server, event, at)
    case 'Unreachable':
      return unreachable(server, event.peer)
    default:
      return F.absurd(event)
  }
}

const persisted = (server: ServerDraft, seq: WriteSeq, at: number): ReadonlyArray<Effect> => {
  const durable = server.writeProgress.acknowledge(seq)
  if (durable === server.writeProgress) return []
  server.writeProgress = durable
  switch (server.role._tag) {
    case 'Follower':
      return applyCommitted(server)
    case 'Candidate':
      return [...countOwnVote(server, at), ...applyCommitted(server)]
    case 'Leader':
      return advanceCommit(server)
  }
}

/** First the guards, then the term rule, then the rule for the message, which knows that the message's term is not newer than ours. */
const receive = (server: ServerDraft, message: Message, incarnation: Incarnation | null, at: number): ReadonlyArray<Effect> => {
  if (message.to !== server.id || message.from === server.id) return []
  const guarded = guard(server, message, incarnation, at)
  if (guarded !== null) return guarded
  const converted = observeTerm(server, message.term)
  const answered = handle(server, message, incarnation, at)
  return converted.length === 0 ? answered : [...converted, ...answered]
}

const handle = (server: ServerDraft, message: Message, incarnation: Incarnation | null, at: number): ReadonlyArray<Effect> => {
  switch (message._tag) {
    case 'RequestVote':
      return receiveRequestVote(server, message)
    case 'RequestVoteReply':
      return receiveRequestVoteReply(server, message, incarnation, at)
    case 'AppendEntries':
      return receiveAppendEntries(server, message)
    case 'AppendEntriesReply':
      return receiveAppendEntriesReply(server, message)
    case 'InstallSnapshot':
      return receiveInstallSnapshot(server, message)
    case 'InstallSnapshotReply':
      return receiveInstallSnapshotReply(server, message)
    default:
      return F.absurd(message)
  }
}
