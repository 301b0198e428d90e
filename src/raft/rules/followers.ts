import type { Effect } from '../effect.js'
import type { NodeId } from '../ids.js'
import { Follower, type ServerDraft } from '../state/server.js'
import { armElectionTimer } from './allServers.js'

/**
 * Rules for Servers, "Followers (§5.2)": respond to RPCs from candidates and leaders
 * (requestVote.ts, appendEntries.ts); if the election timeout elapses, convert to candidate
 * (candidates.ts).
 */

/**
 * Back to follower, of `leader` if one is known. A leader had no election timer running and needs one
 * now; a candidate's goes on, so that refusing a rival does not postpone its own next attempt.
 */
export const becomeFollower = (server: ServerDraft, leader: NodeId | null): ReadonlyArray<Effect> => {
  const { role } = server
  if (role._tag === 'Follower' && role.leader === leader && role.disbelieved === undefined) return []
  server.role = new Follower(leader)
  return role._tag === 'Leader' ? [armElectionTimer(server)] : []
}

/**
 * `leader` has shown that it leads another history. Nothing that it sends in this term counts, heartbeats neither: the election timer
 * runs out, so that a server which has what is committed can take its place.
 */
export const disbelieveLeader = (server: ServerDraft, leader: NodeId): ReadonlyArray<Effect> => {
  server.role = new Follower(null, leader)
  return [{ _tag: 'Ignored', from: leader, why: 'ReplacesCommitted' }]
}
