import type { Decisions } from '../decision.js'
import type { Log } from '../state/log.js'
import type { RequestVote } from '../messages.js'
import type { ServerDraft } from '../state/server.js'
import { armElectionTimer } from './shared.js'

/** RequestVote RPC — "invoked by candidates to gather votes (§5.2)". */
export const receiveRequestVote = (server: ServerDraft, rpc: RequestVote): Decisions => {
  const { votedFor, currentTerm, log } = server

  // 1. Reply false if term < currentTerm (§5.1).
  const current = rpc.term === currentTerm
  // 2. If votedFor is null or candidateId, and candidate's log is at least as
  //    up-to-date as receiver's log, grant vote (§5.2, §5.4).
  const free = votedFor === null || votedFor === rpc.candidateId
  const voteGranted = current && free && isUpToDate(log, rpc)

  if (voteGranted && votedFor === null) server.votedFor = rpc.candidateId

  return [
    ...(voteGranted ? [armElectionTimer(server)] : []),
    {
      _tag: 'Send',
      message: { _tag: 'RequestVoteReply', from: server.id, to: rpc.from, re: rpc.seq, term: currentTerm, voteGranted },
      // A vote waits until no crash can make this server forget it. A refusal promises nothing.
      after: voteGranted ? 'thisWrite' : null,
    },
  ]
}

/**
 * §5.4.1: "If the logs have last entries with different terms, then the log with the later term is
 * more up-to-date. If the logs end with the same term, then whichever log is longer is more up-to-date."
 */
export const isUpToDate = ({ lastTerm, lastIndex }: Log, { lastLogTerm, lastLogIndex }: RequestVote): boolean =>
  lastLogTerm !== lastTerm ? lastLogTerm > lastTerm : lastLogIndex >= lastIndex
