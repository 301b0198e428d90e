import { isVoter, voterSets } from '../configuration.js'
import type { Effect } from '../effect.js'
import { byCodeUnit, nextTerm, type NodeId } from '../ids.js'
import type { RequestVote, RequestVoteReply } from '../messages.js'
import { isQuorum } from '../quorum.js'
import { Candidate, type ServerDraft } from '../server.js'
import { armElectionTimer, enterTerm, nextMessage, thisWrite } from './allServers.js'
import { becomeLeader } from './leaders.js'

/** Rules for Servers, "Candidates (§5.2)". */

/** "If election timeout elapses: start new election", for followers and candidates; a leader has no use for it. */
export const electionTimedOut = (server: ServerDraft, generation: number): ReadonlyArray<Effect> => {
  const stale = generation !== server.counters.electionTimer
  if (stale || server.role._tag === 'Leader') return []
  // One who has no vote to give itself waits for a leader to add it (§6).
  return isVoter(server.log.configuration, server.id) ? standForElection(server) : [armElectionTimer(server)]
}

const standForElection = (server: ServerDraft): ReadonlyArray<Effect> => {
  const { id, log } = server
  // On conversion to candidate, start election: increment currentTerm, vote for self,
  enterTerm(server, nextTerm(server.currentTerm), id)
  server.role = new Candidate(server.durable.next)
  // reset election timer, send RequestVote RPCs to all other servers. These wait for the disk as a
  // vote given to another would: after a crash this server must not vote a second time in this term.
  const rivals = [...new Set(voterSets(log.configuration).flat())].filter((voter) => voter !== id).sort(byCodeUnit)
  return [armElectionTimer(server), ...rivals.map((to): Effect => ({ _tag: 'Send', message: requestVote(server, to), after: thisWrite }))]
}

const requestVote = (server: ServerDraft, to: NodeId): RequestVote => ({
  _tag: 'RequestVote',
  from: server.id,
  to,
  seq: nextMessage(server),
  term: server.currentTerm,
  candidateId: server.id,
  lastLogIndex: server.log.lastIndex,
  lastLogTerm: server.log.lastTerm,
})

export const receiveRequestVoteReply = (server: ServerDraft, { from, term, voteGranted }: RequestVoteReply): ReadonlyArray<Effect> => {
  const current = term === server.currentTerm
  return current && voteGranted ? countVote(server, from) : []
}

/** The own vote counts when it is on disk: in a cluster of one too. */
export const countOwnVote = (server: ServerDraft): ReadonlyArray<Effect> => {
  const { role, durable } = server
  const voted = role._tag === 'Candidate' && durable.acknowledged >= role.ownVote
  return voted ? countVote(server, server.id) : []
}

/** "If votes received from majority of servers: become leader." */
const countVote = (server: ServerDraft, voter: NodeId): ReadonlyArray<Effect> => {
  const { role } = server
  if (role._tag !== 'Candidate' || role.votes.includes(voter)) return []
  const votes = [...role.votes, voter]
  server.role = new Candidate(role.ownVote, votes)
  return isQuorum(voterSets(server.log.configuration), (id) => votes.includes(id)) ? becomeLeader(server) : []
}
