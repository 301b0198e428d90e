import { isNamed, voterSets } from '../configuration.js'
import type { Effect } from '../effect.js'
import type { Disbelief } from '../error.js'
import { type Incarnation, maxTermLead, type NodeId, term } from '../ids.js'
import type { Message } from '../messages.js'
import { isQuorum } from '../quorum.js'
import type { ServerDraft } from '../server.js'
import { observeTerm } from './allServers.js'
import { isSilent } from './replication.js'

/*
 * What runs before the term rule. A message that a guard does not believe is not handled: so a term that nobody can have reached is
 * not taken over, and a server that lost its disk neither votes nor raises terms.
 */

type Guard = (server: ServerDraft, message: Message, incarnation: Incarnation | null) => Disbelief | null

const absurdTerm: Guard = ({ currentTerm }, { term }) => (term > currentTerm + maxTermLead ? 'AbsurdTerm' : null)

/** Whoever stands, votes or acknowledges is the server that the configuration names, by name and data directory (§6). */
const otherIncarnation: Guard = ({ log }, { from }, incarnation) =>
  isNamed(log.configuration, from, incarnation) ? null : 'OtherIncarnation'

/** A leader of another history, in the term in which it has shown that it is one. */
const otherHistory: Guard = ({ role, currentTerm }, { _tag, from, term }) =>
  role._tag === 'Follower' && role.disbelieved === from && term === currentTerm && (_tag === 'AppendEntries' || _tag === 'InstallSnapshot')
    ? 'ReplacesCommitted'
    : null

/** Why `message` is not believed; null for one that is. */
export const disbelief: Guard = (server, message, incarnation) =>
  absurdTerm(server, message, incarnation) ?? otherIncarnation(server, message, incarnation) ?? otherHistory(server, message, incarnation)

/**
 * The message is told and has no effect, but for one: a server without a leader follows an absurd term by `maxTermLead`. The others may
 * really be there, where a stranger has led them step by step, and this server must find them again.
 */
export const ignore = (server: ServerDraft, from: NodeId, why: Disbelief): ReadonlyArray<Effect> => {
  const ignored: Effect = { _tag: 'Ignored', from, why }
  if (why !== 'AbsurdTerm' || hasLeader(server)) return [ignored]
  return [...observeTerm(server, term(server.currentTerm + maxTermLead)), ignored]
}

/** Whether a leader is known; it may be this server, as long as a quorum answers it. */
const hasLeader = ({ id, role, log }: ServerDraft): boolean => {
  switch (role._tag) {
    case 'Follower':
      return role.leader !== null
    case 'Candidate':
      return false
    case 'Leader':
      return isQuorum(voterSets(log.configuration), (voter) => {
        const follower = role.follower(voter)
        return voter === id || (follower !== undefined && !isSilent(follower))
      })
  }
}
