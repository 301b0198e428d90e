import type { RaftEvent } from '../../../src/raft/event.js'
import type { NodeId } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import type { Role } from '../../../src/raft/server.js'
import type { Inspection } from '../../run.js'
import type { TraceHash } from './traceHash.js'

const events: Readonly<Record<RaftEvent['_tag'], number>> = {
  Started: 1,
  ElectionTimedOut: 2,
  HeartbeatDue: 3,
  Received: 4,
  Proposed: 5,
  Flush: 6,
  Persisted: 7,
  Applied: 8,
  Unreachable: 9,
  SnapshotTaken: 10,
  ChunkStored: 11,
  SnapshotStored: 12,
  ChunkRead: 13,
}
const messages: Readonly<Record<Message['_tag'], number>> = {
  RequestVote: 1,
  RequestVoteReply: 2,
  AppendEntries: 3,
  AppendEntriesReply: 4,
  InstallSnapshot: 5,
  InstallSnapshotReply: 6,
}
const roles: Readonly<Record<Role['_tag'], number>> = { Follower: 1, Candidate: 2, Leader: 3 }

/** Adds a step to the hash of a run: what happened, when, and the state that it led to. The effects follow from these. */
export const hashStep = (hash: TraceHash, { at, event, before, after, effects }: Inspection, ordinal: (id: NodeId) => number): void => {
  hash.add(at)
  hash.add(ordinal(after.id) * 16 + (events[event._tag] ?? 0))
  if (event._tag === 'Received') hashMessage(hash, event.message, ordinal)
  if (before === after) return
  hash.add(after.currentTerm)
  hash.add((after.votedFor === null ? 0 : ordinal(after.votedFor)) * 4 + (roles[after.role._tag] ?? 0))
  hash.add(after.log.base.index)
  hash.add(after.log.lastIndex)
  hash.add(after.log.lastTerm)
  hash.add(after.commitIndex)
  hash.add(after.handedOver)
  hash.add(after.lastApplied)
  hash.add(after.durable.index)
  hash.add(effects.length)
}

const hashMessage = (hash: TraceHash, message: Message, ordinal: (id: NodeId) => number): void => {
  hash.add(messages[message._tag])
  hash.add(ordinal(message.from))
  hash.add(message.term)
  hash.add('seq' in message ? message.seq : message.re)
  switch (message._tag) {
    case 'RequestVote':
      hash.add(message.lastLogIndex)
      return hash.add(message.lastLogTerm)
    case 'RequestVoteReply':
      return hash.add(Number(message.voteGranted))
    case 'AppendEntries':
      hash.add(message.prevLogIndex)
      hash.add(message.entries.length)
      return hash.add(message.leaderCommit)
    case 'AppendEntriesReply':
      hash.add(Number(message.success))
      return hash.add(message.matchIndex)
    case 'InstallSnapshot':
      hash.add(message.lastIncludedIndex)
      return hash.add(message.offset)
    case 'InstallSnapshotReply':
      hash.add(message.offset)
      return hash.add(message.matchIndex)
  }
}
