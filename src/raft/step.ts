import { function as F } from 'fp-ts'
import type { Decisions } from './decision.js'
import type { Effect } from './effect.js'
import type { RaftEvent } from './event.js'
import type { Incarnation, WriteSeq } from './ids.js'
import type { Message } from './messages.js'
import { deriveDiscards, derivePersist, numberWaits } from './persistence.js'
import { applied, applyCommitted, observeTerm } from './rules/allServers.js'
import { receiveAppendEntries } from './rules/appendEntries.js'
import { countOwnVote, electionTimedOut, receiveRequestVoteReply } from './rules/candidates.js'
import { advanceCommit } from './rules/commitment.js'
import { refuse } from './rules/followers.js'
import { guard } from './rules/guards.js'
import { chunkStored, receiveInstallSnapshot, snapshotRefused } from './rules/installSnapshot.js'
import { flush, heartbeatDue, propose } from './rules/leaders.js'
import { receiveAppendEntriesReply, unreachable } from './rules/replication.js'
import { receiveRequestVote } from './rules/requestVote.js'
import { chunkRead, receiveInstallSnapshotReply } from './rules/sendSnapshot.js'
import { armElectionTimer } from './rules/shared.js'
import { snapshotStored, snapshotTaken } from './rules/takeSnapshot.js'
import { isSameFollower } from './state/role.js'
import { draftOf, isUnchanged, leads, type Server, type ServerDraft } from './state/server.js'

/**
 * What one event made of a server, and what is to be done about it.
 *
 * @example
 * const messagesOf = ({ effects }: Step): ReadonlyArray<Message> =>
 *   effects.flatMap((effect) => (effect._tag === 'Send' ? [effect.message] : []))
 */
export interface Step {
  readonly server: Server
  readonly effects: ReadonlyArray<Effect>
}

/**
 * The whole protocol: one event in, the next state and its effects out. `at` is the time at which the event was taken
 * up, in whole milliseconds of the server's monotonic clock. Total and deterministic: it reads no clock, no dice and no
 * wires. A part that an event leaves unchanged stays identical (`===`).
 *
 * @example
 * const log = logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) })
 * const server = restart(nodeId('n1'), defaultSettings, fresh(log))
 * step(server, { _tag: 'Started' }, 0).effects // [{ _tag: 'ArmElectionTimer', generation: 1 }]
 */
export const step = (server: Server, event: RaftEvent, at: number): Step => {
  const draft = draftOf(server)
  const effects = stepOn(draft, server, event, at)
  return { server: isUnchanged(server, draft) ? server : draft, effects }
}

/**
 * What `event` does to `draft`, which is a draft of `server`, and the effects. `step` makes the draft by a copy; immer
 * can make it too. What must survive a crash is compared before and after, so that no rule can forget to persist it.
 */
export const stepOn = (draft: ServerDraft, server: Server, event: RaftEvent, at: number): ReadonlyArray<Effect> => {
  const decided = decide(draft, event, at)
  if (draft.role !== server.role && isSameFollower(draft.role, server.role)) draft.role = server.role
  const persist = derivePersist(server, draft)
  const numbered = numberWaits(decided, draft)
  const discards = deriveDiscards(server, draft)
  const effects = persist === null ? numbered : [persist, ...numbered]
  return discards === null ? effects : [...effects, discards]
}

const none: Decisions = []

/** Which rule an event is for. Only a server that leads reaches the rules for leaders. */
const decide = (server: ServerDraft, event: RaftEvent, at: number): Decisions => {
  switch (event._tag) {
    case 'Started':
      return [armElectionTimer(server), ...applyCommitted(server)]
    case 'ElectionTimedOut':
      return leads(server) ? none : electionTimedOut(server, event.generation)
    case 'HeartbeatDue':
      return leads(server) ? heartbeatDue(server, event.generation, at) : none
    case 'Received':
      return receive(server, event.message, event.incarnation ?? null, at)
    case 'Proposed':
      return leads(server) ? propose(server, event.request, event.commands) : refuse(server, event.request)
    case 'Flush':
      return leads(server) ? flush(server, at) : none
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
      return leads(server) ? chunkRead(server, event, at) : none
    case 'Unreachable':
      return leads(server) ? unreachable(server, event.peer) : none
    default:
      return F.absurd(event)
  }
}

const persisted = (server: ServerDraft, seq: WriteSeq, at: number): Decisions => {
  const durable = server.writeProgress.acknowledge(seq)
  if (durable === server.writeProgress) return none
  server.writeProgress = durable
  if (leads(server)) return advanceCommit(server)
  const counted = countOwnVote(server, at)
  return counted.length === 0 ? applyCommitted(server) : [...counted, ...applyCommitted(server)]
}

/**
 * First the guards, then the term rule, then the rule for the message. That rule knows: the message's term is not newer
 * than ours.
 */
const receive = (server: ServerDraft, message: Message, incarnation: Incarnation | null, at: number): Decisions => {
  if (message.to !== server.id || message.from === server.id) return none
  const guarded = guard(server, message, incarnation, at)
  if (guarded !== null) return guarded
  const converted = observeTerm(server, message.term)
  const answered = handle(server, message, incarnation, at)
  return converted.length === 0 ? answered : [...converted, ...answered]
}

const handle = (server: ServerDraft, message: Message, incarnation: Incarnation | null, at: number): Decisions => {
  switch (message._tag) {
    case 'RequestVote':
      return receiveRequestVote(server, message)
    case 'RequestVoteReply':
      return receiveRequestVoteReply(server, message, incarnation, at)
    case 'AppendEntries':
      return receiveAppendEntries(server, message)
    case 'AppendEntriesReply':
      return leads(server) ? receiveAppendEntriesReply(server, message) : none
    case 'InstallSnapshot':
      return receiveInstallSnapshot(server, message)
    case 'InstallSnapshotReply':
      return leads(server) ? receiveInstallSnapshotReply(server, message) : none
    default:
      return F.absurd(message)
  }
}
