import type { RaftEvent } from '../../../src/raft/event.js'
import type { Message } from '../../../src/raft/messages.js'
import type { Role } from '../../../src/raft/state/role.js'
import type { Inspection } from '../../loop/run.js'
import { ordinalOf } from './names.js'
import type { TraceHash } from './traceHash.js'

/** A `switch`, since it runs at every step: V8 looks up by name in an object with so many keys. */
const numberOfEvent = (tag: RaftEvent['_tag']): number => {
  switch (tag) {
    case 'Received':
      return 4
    case 'Persisted':
      return 7
    case 'HeartbeatDue':
      return 3
    case 'Applied':
      return 8
    case 'Proposed':
      return 5
    case 'Flush':
      return 6
    case 'Unreachable':
      return 9
    case 'ElectionTimedOut':
      return 2
    case 'Started':
      return 1
    case 'SnapshotTaken':
      return 10
    case 'ChunkStored':
      return 11
    case 'SnapshotStored':
      return 12
    case 'ChunkRead':
      return 13
    case 'SnapshotRefused':
      return 14
  }
}
const numberOfRole = (tag: Role['_tag']): number => (tag === 'Follower' ? 1 : tag === 'Candidate' ? 2 : 3)

/**
 * Adds a step to the hash of a run: the event, its time, and the state after it. The effects follow from these.
 */
export const hashStep = (hash: TraceHash, { at, event, before, after, effects }: Inspection): void => {
  hash.add(at)
  hash.add(ordinalOf(after.id) * 16 + numberOfEvent(event._tag))
  if (event._tag === 'Received') hashMessage(hash, event.message)
  if (before === after) return
  hash.add(after.currentTerm)
  hash.add((after.votedFor === null ? 0 : ordinalOf(after.votedFor)) * 4 + numberOfRole(after.role._tag))
  hash.add(after.log.base.index)
  hash.add(after.log.lastIndex)
  hash.add(after.log.lastTerm)
  hash.add(after.commitIndex)
  hash.add(after.applyingIndex)
  hash.add(after.lastApplied)
  hash.add(after.writeProgress.index)
  hash.add(effects.length)
}

const hashMessage = (hash: TraceHash, message: Message): void => {
  hash.add(ordinalOf(message.from))
  hash.add(message.term)
  switch (message._tag) {
    case 'RequestVote':
      hash.add(1)
      hash.add(message.seq)
      hash.add(message.lastLogIndex)
      return hash.add(message.lastLogTerm)
    case 'RequestVoteReply':
      hash.add(2)
      hash.add(message.re)
      return hash.add(Number(message.voteGranted))
    case 'AppendEntries':
      hash.add(3)
      hash.add(message.seq)
      hash.add(message.prevLogIndex)
      hash.add(message.entries.length)
      return hash.add(message.leaderCommit)
    case 'AppendEntriesReply':
      hash.add(4)
      hash.add(message.re)
      hash.add(Number(message.success))
      return hash.add(message.matchIndex)
    case 'InstallSnapshot':
      hash.add(5)
      hash.add(message.seq)
      hash.add(message.lastIncludedIndex)
      return hash.add(message.offset)
    case 'InstallSnapshotReply':
      hash.add(6)
      hash.add(message.re)
      hash.add(message.offset)
      return hash.add(message.matchIndex)
  }
}
