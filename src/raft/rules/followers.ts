import type { Decisions } from '../decision.js'
import type { RequestId } from '../event.js'
import type { NodeId } from '../ids.js'
import { Follower } from '../state/role.js'
import { leaderOf, leads, type ServerDraft } from '../state/server.js'
import { armElectionTimer } from './shared.js'

/**
 * Rules for Servers, "Followers (§5.2)": "respond to RPCs from candidates and leaders" (requestVote.ts,
 * appendEntries.ts); "if election timeout elapses …: convert to candidate" (candidates.ts).
 */

/**
 * Back to follower, of `leader` if the leader is known. A leader had no election timer and needs one now. A candidate's
 * timer goes on, so that a refused rival does not postpone its own next election.
 */
export const becomeFollower = (server: ServerDraft, leader: NodeId | null): Decisions => {
  const { role } = server
  if (role._tag === 'Follower' && role.leader === leader && role.disbelieved === undefined) return []
  const led = leads(server)
  server.role = new Follower(leader)
  return led ? [armElectionTimer(server)] : []
}

/**
 * `leader` has shown that it leads another history. Nothing that it sends in this term counts, not even a heartbeat. So
 * the election timer runs out, and a server that has the committed entries can take its place.
 */
export const disbelieveLeader = (server: ServerDraft, leader: NodeId): Decisions => {
  server.role = new Follower(null, leader)
  return [{ _tag: 'Ignored', from: leader, why: 'ReplacesCommitted' }]
}

/** A server that does not lead takes no commands. */
export const refuse = (server: ServerDraft, request: RequestId): Decisions => [
  { _tag: 'Refused', request, appended: 0, refusal: { _tag: 'NotLeader', leader: leaderOf(server) } },
]
