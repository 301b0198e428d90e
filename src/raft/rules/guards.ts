import { isNamed, voterSets } from '../state/configuration.js'
import type { Effect } from '../effect.js'
import type { Disbelief } from '../error.js'
import { type Incarnation, maxTermLead, term } from '../ids.js'
import type { Message } from '../messages.js'
import { isQuorum } from '../quorum.js'
import type { ServerDraft } from '../state/server.js'
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
 * The message is told and has no effect, except that an absurd term may raise the own one by `maxTermLead`. A stranger may have led
 * another server so far, step by step, and the two must meet again. A server without a leader follows; a leader follows a server that
 * answers its own request, because it can serve that server in no other way.
 */
export const ignore = (server: ServerDraft, message: Message, why: Disbelief): ReadonlyArray<Effect> => {
  const ignored: Effect = { _tag: 'Ignored', from: message.from, why }
  if (why !== 'AbsurdTerm' || (hasLeader(server) && !isAsked(server, message))) return [ignored]
  return [...observeTerm(server, term(server.currentTerm + maxTermLead)), ignored]
}

/** Whether the message answers a request that this leader has under way. */
const isAsked = ({ role }: ServerDraft, message: Message): boolean =>
  role._tag === 'Leader' &&
  're' in message &&
  (role.sending(message.from)?.chunk === message.re || role.follower(message.from)?.inflight.some(({ seq }) => seq === message.re) === true)

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
