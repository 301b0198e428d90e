import { isNamed, voterSets } from '../state/configuration.js'
import type { Decision, Decisions } from '../decision.js'
import type { Disbelief } from '../error.js'
import { type Incarnation, maxTermLead, term } from '../ids.js'
import type { Message } from '../messages.js'
import { isQuorum } from '../quorum.js'
import type { ServerDraft } from '../state/server.js'
import { observeTerm } from './allServers.js'
import { isSilent } from './replication.js'

/**
 * A guard looks at a message before the term rule does. It gives the effects of a message that the rules must not
 * handle, and null for every other message. `incarnation` names the sender's data directory; `at` is the time of the
 * step.
 */
type Guard = (server: ServerDraft, message: Message, incarnation: Incarnation | null, at: number) => Decisions | null

/** An absurd term is not taken over: no cluster counts so far while a server is away. See `followTermLead`. */
const absurdTerm: Guard = (server, message) =>
  message.term > server.currentTerm + maxTermLead ? [...followTermLead(server, message), ignored(message, 'AbsurdTerm')] : null

/**
 * Only the server that the configuration names may stand, vote or acknowledge: the name and the data directory must be
 * the same (§6).
 */
const otherIncarnation: Guard = ({ log }, message, incarnation) =>
  isNamed(log.configuration, message.from, incarnation) ? null : [ignored(message, 'OtherIncarnation')]

/** A leader has shown that it leads another history: it is not heard again in that term. */
const otherHistory: Guard = ({ role, currentTerm }, message) =>
  role._tag === 'Follower' && role.disbelieved === message.from && message.term === currentTerm && isOfLeader(message)
    ? [ignored(message, 'ReplacesCommitted')]
    : null

/**
 * The list of guards, one a line: the first that gives effects decides. Null: the rules handle the message. It is
 * written out because a loop over an array makes a heartbeat's step 15 % slower: V8 cannot inline the guards there.
 */
export const guard: Guard = (server, message, incarnation, at) =>
  absurdTerm(server, message, incarnation, at) ??
  otherIncarnation(server, message, incarnation, at) ??
  otherHistory(server, message, incarnation, at)

const ignored = ({ from }: Message, why: Disbelief): Decision => ({ _tag: 'Ignored', from, why })

const isOfLeader = ({ _tag }: Message): boolean => _tag === 'AppendEntries' || _tag === 'InstallSnapshot'

/**
 * An absurd term may raise the own term by `maxTermLead`. A stranger may have led another server so far, step by step,
 * and the two servers must meet again. A server without a leader follows. A leader follows a server that answers its
 * own request, because it can serve that server in no other way.
 */
const followTermLead = (server: ServerDraft, message: Message): Decisions =>
  hasLeader(server) && !isAsked(server, message) ? [] : observeTerm(server, term(server.currentTerm + maxTermLead))

/** Whether the message answers a request that this leader has under way. */
const isAsked = ({ role }: ServerDraft, message: Message): boolean => {
  if (role._tag !== 'Leader' || !('re' in message)) return false
  const { from, re } = message
  return role.sending(from)?.isSentAs(re) === true || role.follower(from)?.inflight.some(({ seq }) => seq === re) === true
}

/** Whether a leader is known. This server is one as long as a quorum answers it. */
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
