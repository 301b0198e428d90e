import type { Entry } from '../../../src/raft/state/entry.js'
import { messageSeq, type NodeId } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import type { Server } from '../../../src/raft/state/server.js'

/** Other names for the servers: a permutation. */
export type Renaming = (id: NodeId) => NodeId

export const keyOfEntry = ({ term, kind, command }: Entry): string => `${term}${String(kind)[0]}${command.join('.')}`
const keyOfEntries = (entries: ReadonlyArray<Entry>): string => entries.map(keyOfEntry).join()

/**
 * Equal for messages that mean the same, and for no others. A refusal without a conflict says nothing
 * but its term, whoever it comes from and whatever it answers.
 */
export const keyOfMessage = (m: Message): string => {
  if (saysItsTermOnly(m)) return `T>${m.to}@${m.term}`
  switch (m._tag) {
    case 'RequestVote':
      return `V${m.from}>${m.to}@${m.term} ${m.lastLogIndex}/${m.lastLogTerm}`
    case 'RequestVoteReply':
      return `v${m.from}>${m.to}@${m.term}`
    case 'AppendEntries':
      return `A${m.from}>${m.to}@${m.term}#${m.seq} ${m.prevLogIndex}/${m.prevLogTerm} ${m.leaderCommit} ${keyOfEntries(m.entries)}`
    case 'AppendEntriesReply':
      return `a${m.from}>${m.to}@${m.term}#${m.re} ${m.success} ${m.matchIndex} ${m.conflict === null ? '' : `${m.conflict.index}/${m.conflict.term}`}`
    case 'InstallSnapshot':
    case 'InstallSnapshotReply':
      throw new Error('the search takes no snapshots')
  }
}

const saysItsTermOnly = (m: Message): boolean =>
  m._tag === 'RequestVoteReply' ? !m.voteGranted : m._tag === 'AppendEntriesReply' && !m.success && m.conflict === null

export const renamedMessage = (m: Message, to: Renaming): Message => {
  const ends = { from: to(m.from), to: to(m.to) }
  switch (m._tag) {
    case 'RequestVote':
      return { ...m, ...ends, candidateId: to(m.candidateId) }
    case 'AppendEntries':
    case 'InstallSnapshot':
      return { ...m, ...ends, leaderId: to(m.leaderId) }
    case 'RequestVoteReply':
    case 'AppendEntriesReply':
    case 'InstallSnapshotReply':
      return { ...m, ...ends }
  }
}

/** Between which leader and which follower an AppendEntries or its answer passes; null for other messages. */
export const channelOf = (m: Message): { readonly leader: NodeId; readonly follower: NodeId; readonly seq: number } | null =>
  m._tag === 'AppendEntries'
    ? { leader: m.from, follower: m.to, seq: m.seq }
    : m._tag === 'AppendEntriesReply'
      ? { leader: m.to, follower: m.from, seq: m.re }
      : null

/** The same message with another `seq`, or `re`. */
export const withSeq = (m: Message, seq: number): Message =>
  'seq' in m ? (m.seq === seq ? m : { ...m, seq: messageSeq(seq) }) : m.re === seq ? m : { ...m, re: messageSeq(seq) }

/**
 * What the number of a request means to anyone: the place that the request has among those which its
 * leader counts as unanswered, from 1; 0 if it is not among them, or if nobody leads that term any
 * more. Votes are told apart by their term alone.
 */
export const placeOfSeq = (m: Message, leader: Server | null): number => {
  const channel = channelOf(m)
  return channel === null ? 0 : placeAmongUnanswered({ ...channel, term: m.term }, leader)
}

export const placeAmongUnanswered = (
  { follower, seq, term }: { readonly follower: NodeId; readonly seq: number; readonly term: number },
  leader: Server | null,
): number => {
  if (leader?.role._tag !== 'Leader' || leader.currentTerm !== term) return 0
  return 1 + (leader.role.follower(follower)?.inflight ?? []).findIndex((request) => request.seq === seq)
}
