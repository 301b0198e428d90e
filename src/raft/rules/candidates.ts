import { type Configuration, isAnonymous, isVoter, type Member, voterSets } from '../state/configuration.js'
import type { Decision, Decisions } from '../decision.js'
import { byCodeUnit, type Incarnation, maxTerm, nextTerm, type NodeId } from '../ids.js'
import type { RequestVote, RequestVoteReply } from '../messages.js'
import { isQuorum } from '../quorum.js'
import { Candidate } from '../state/role.js'
import type { ServerDraft } from '../state/server.js'
import { enterTerm } from './allServers.js'
import { becomeLeader } from './leaders.js'
import { armElectionTimer, nextMessage } from './shared.js'

/** Rules for Servers, "Candidates (§5.2)". */

/** "If election timeout elapses: start new election", for followers and candidates. */
export const electionTimedOut = (server: ServerDraft, generation: number): Decisions => {
  if (generation !== server.counters.electionTimer) return []
  // A server without a vote waits for a leader to add it (§6). A server in the last term that disk and wire can hold
  // cannot stand.
  const mayStand = isVoter(server.log.configuration, server) && server.currentTerm < maxTerm
  return mayStand ? standForElection(server) : [armElectionTimer(server)]
}

const standForElection = (server: ServerDraft): Decisions => {
  const { id, log } = server
  // On conversion to candidate, start election: increment currentTerm, vote for self,
  enterTerm(server, nextTerm(server.currentTerm), id)
  server.role = new Candidate(server.writeProgress.next)
  // reset election timer, send RequestVote RPCs to all other servers. These wait for the disk, as a vote for another
  // server does: after a crash this server must not vote a second time in this term.
  const rivals = [...new Set(voterSets(log.configuration).flat())].filter((voter) => voter !== id).sort(byCodeUnit)
  return [
    armElectionTimer(server),
    ...rivals.map((to): Decision => ({ _tag: 'Send', message: requestVote(server, to), after: 'thisWrite' })),
  ]
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

export const receiveRequestVoteReply = (
  server: ServerDraft,
  { from, term, voteGranted }: RequestVoteReply,
  incarnation: Incarnation | null,
  at: number,
): Decisions => {
  const current = term === server.currentTerm
  return current && voteGranted ? countVote(server, { id: from, incarnation }, at) : []
}

/** The own vote counts when it is on disk. That holds in a cluster of one too. */
export const countOwnVote = (server: ServerDraft, at: number): Decisions => {
  const { role, writeProgress } = server
  const voted = role._tag === 'Candidate' && writeProgress.acknowledged >= role.ownVote
  return voted ? countVote(server, { id: server.id, incarnation: server.incarnation }, at) : []
}

/** "If votes received from majority of servers: become leader." */
const countVote = (server: ServerDraft, vote: Member, at: number): Decisions => {
  const { role, log } = server
  if (role._tag !== 'Candidate' || role.hasVoteOf(vote.id)) return []
  const isFirst = isFirstElection(server)
  if (isFirst && vote.incarnation === null) return []
  const standing = new Candidate(role.ownVote, [...role.votes, vote])
  server.role = standing
  const voted = (id: NodeId): boolean => standing.hasVoteOf(id)
  const elected = isFirst ? everybody(log.configuration, voted) : isQuorum(voterSets(log.configuration), voted)
  return elected ? becomeLeader(server, isFirst ? standing.votes : null, at) : []
}

/**
 * Not in the paper. In a cluster that was made with data directories, the first leader needs the vote of every voter.
 * It writes their incarnations down as its first entry (docs/decisions/0012). A server whose log lacks that entry
 * cannot tell a voter that lost its disk from a voter that never had a log. But a candidate that lacks the entry needs
 * every vote, and a voter that has it refuses: its log is more up-to-date.
 */
const isFirstElection = ({ incarnation, log }: ServerDraft): boolean => incarnation !== null && isAnonymous(log.configuration)

const everybody = (configuration: Configuration, voted: (id: NodeId) => boolean): boolean =>
  voterSets(configuration).every((voters) => voters.every(voted))
