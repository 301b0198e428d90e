import type { TraceLine, TraceMessage, TraceMessageOf } from '../line.js'
import { durableIndex } from './disk.js'
import { entryAt, lastIndex, lastTerm, type ModelLog, termAt } from './log.js'
import { type Done, done, type ModelServer } from './model.js'
import { must } from './must.js'

/*
 * The boxes "RequestVote RPC" and "AppendEntries RPC" of Figure 2, from the side of the receiver, and what senders make
 * of the answers. The term rule came before.
 */

export const requestVote = (server: ModelServer, rpc: TraceMessageOf<'RequestVote'>): Done => {
  const { id, currentTerm, log } = server
  // 2. "If votedFor is null or candidateId, and candidate's log is at least as up-to-date as receiver's log, grant
  // vote."
  const free = server.votedFor === null || server.votedFor === rpc.candidateId
  const upToDate = rpc.lastLogTerm > lastTerm(log) || (rpc.lastLogTerm === lastTerm(log) && rpc.lastLogIndex >= lastIndex(log))
  // 1. "Reply false if term < currentTerm."
  const voteGranted = rpc.term === currentTerm && free && upToDate
  if (voteGranted) server.votedFor = rpc.candidateId
  return done(['HandleRequestVoteRequest'], null, {
    _tag: 'RequestVoteReply',
    from: id,
    to: rpc.from,
    re: rpc.seq,
    term: currentTerm,
    voteGranted,
  })
}

export const requestVoteReply = (
  { role, currentTerm }: ModelServer,
  { term, voteGranted }: TraceMessageOf<'RequestVoteReply'>,
): { readonly actions: ReadonlyArray<string>; readonly granted: boolean } => ({
  actions: [term < currentTerm ? 'DropStaleResponse' : 'HandleRequestVoteResponse'],
  granted: role === 'Candidate' && term === currentTerm && voteGranted,
})

/**
 * Here the trace is asked which of two ways the receiver went: one that is full takes none of the entries and says so
 * with what it answers (docs/divergences.md). How much of a heartbeat's match it acknowledges is its own affair, as
 * long as it is on its disk.
 */
export const appendEntries = (server: ModelServer, rpc: TraceMessageOf<'AppendEntries'>, line: TraceLine): Done => {
  const actions = ['HandleAppendEntriesRequest']
  const answer = { _tag: 'AppendEntriesReply', from: server.id, to: rpc.from, re: rpc.seq, term: server.currentTerm } as const
  const refusal: TraceMessage = { ...answer, success: false, matchIndex: 0, conflict: null }
  // 1. "Reply false if term < currentTerm."
  if (rpc.term < server.currentTerm) return done(actions, null, refusal)
  must(server.role !== 'Leader', 'two lead in one term')
  server.role = 'Follower'

  // 2. "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm."
  const { log } = server
  const matches = rpc.prevLogIndex < log.baseIndex || termAt(log, rpc.prevLogIndex) === rpc.prevLogTerm
  if (!matches) return done(actions, null, { ...refusal, conflict: conflictAt(log, rpc.prevLogIndex) })

  const said = line.send.map(({ message }) => message).find(({ _tag }) => _tag === 'AppendEntriesReply')
  must(said?._tag === 'AppendEntriesReply' && said.success, 'it does not say that its log matches')
  const offered = rpc.prevLogIndex + rpc.entries.length
  const takes = said.matchIndex === offered
  const lastNew = takes ? offered : rpc.prevLogIndex
  if (!takes) must(said.matchIndex <= Math.min(rpc.prevLogIndex, durableIndex(server.disk)), 'it acknowledges more than is on its disk')

  // 3. and 4. "If an existing entry conflicts with a new one, delete the existing entry and all that follow it";
  // "append any new entries".
  const conflicts = (i: number): boolean => {
    const index = rpc.prevLogIndex + 1 + i
    return index > log.baseIndex && termAt(log, index) !== rpc.entries[i]!.term
  }
  const first = takes ? rpc.entries.findIndex((_, i) => conflicts(i)) : -1
  const change = first < 0 ? null : ({ _tag: 'Entries', from: rpc.prevLogIndex + 1 + first, entries: rpc.entries.slice(first) } as const)
  must(change === null || change.from > server.commitIndex, 'what is committed would be deleted')

  // 5. "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)."
  server.commitIndex = Math.max(server.commitIndex, Math.min(rpc.leaderCommit, lastNew))
  return done(actions, change, { ...answer, success: true, matchIndex: said.matchIndex, conflict: null })
}

/** §5.3: "the follower can include the term of the conflicting entry and the first index it stores for that term". */
const conflictAt = (log: ModelLog, prevLogIndex: number): { readonly term: number | null; readonly index: number } => {
  const term = termAt(log, prevLogIndex)
  if (term === null) return { term, index: lastIndex(log) + 1 }
  let index = prevLogIndex
  while (entryAt(log, index - 1)?.term === term) index--
  return { term, index: Math.max(index, log.baseIndex + 1) }
}

/** "If successful: update nextIndex and matchIndex for follower." What no follower can have is not believed. */
export const appendEntriesReply = (server: ModelServer, reply: TraceMessageOf<'AppendEntriesReply'>): Done => {
  const { role, currentTerm, log, matchIndex } = server
  if (reply.term < currentTerm) return done(['DropStaleResponse'])
  if (role === 'Leader' && reply.success && reply.matchIndex <= lastIndex(log)) {
    const known = matchIndex.get(reply.from) ?? 0
    server.matchIndex = new Map([...matchIndex, [reply.from, Math.max(known, reply.matchIndex)]])
  }
  return done(['HandleAppendEntriesResponse'])
}
