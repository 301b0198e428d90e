import { isNamed } from '../configuration.js'
import type { Disbelief } from '../error.js'
import { type Incarnation, maxTermLead } from '../ids.js'
import type { Message } from '../messages.js'
import type { ServerDraft } from '../server.js'

/*
 * What runs before the term rule. A message that a guard does not believe changes nothing, not even the term: so a term that nobody
 * can have reached is not taken over, and a server that lost its disk neither votes nor raises terms.
 */

type Guard = (server: ServerDraft, message: Message, incarnation: Incarnation | null) => Disbelief | null

const absurdTerm: Guard = ({ currentTerm }, { term }) => (term > currentTerm + maxTermLead ? 'AbsurdTerm' : null)

/** Whoever stands, votes or acknowledges is the server that the configuration names, by name and data directory (§6). */
const otherIncarnation: Guard = ({ log }, { from: id }, incarnation) =>
  isNamed(log.configuration, { id, incarnation }) ? null : 'OtherIncarnation'

const guards: ReadonlyArray<Guard> = [absurdTerm, otherIncarnation]

/** Why `message` is not believed; null for one that is. */
export const disbelief: Guard = (server, message, incarnation) => {
  for (let i = 0; i < guards.length; i++) {
    const why = guards[i]!(server, message, incarnation)
    if (why !== null) return why
  }
  return null
}
