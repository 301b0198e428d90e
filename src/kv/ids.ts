import * as t from 'io-ts'

/* The numbers of the store have kinds; the only casts to them are in this file. */

const natural = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

interface RevisionBrand {
  readonly Revision: unique symbol
}
/**
 * The store's own clock: moved once by each command that changes something. An empty store stands at 1, as etcd's does,
 * so that 0 is free to mean "there is no such key" where a mod revision is expected.
 *
 * @example
 * Revision.is(7) // true
 * Revision.is(-1) // false: a revision is a whole number, at least 0
 */
export const Revision = t.brand(t.number, (n): n is t.Branded<number, RevisionBrand> => natural(n), 'Revision')
export type Revision = t.TypeOf<typeof Revision>

interface SessionIdBrand {
  readonly SessionId: unique symbol
}
/**
 * A client session: the log index of the command that registered it, hence unique in the cluster (thesis §6.3).
 *
 * @example
 * SessionId.is(17) // true
 * SessionId.is('17') // false: a session is a whole number, at least 0
 */
export const SessionId = t.brand(t.number, (n): n is t.Branded<number, SessionIdBrand> => natural(n), 'SessionId')
export type SessionId = t.TypeOf<typeof SessionId>

interface SerialBrand {
  readonly Serial: unique symbol
}
/**
 * "The solution is for clients to assign unique serial numbers to every command" (§8): counted by the client, per
 * session.
 *
 * @example
 * Serial.is(0) // true
 * Serial.is(0.5) // false: a serial is a whole number, at least 0
 */
export const Serial = t.brand(t.number, (n): n is t.Branded<number, SerialBrand> => natural(n), 'Serial')
export type Serial = t.TypeOf<typeof Serial>

/**
 * `n` as a revision. For callers that know: nothing is checked.
 *
 * @example
 * get(kvServer.store(), key('a'), { revision: revision(2) }) // the value that it had at revision 2
 */
export const revision = (n: number): Revision => n as Revision
/**
 * `n` as a session's id. For callers that know: nothing is checked.
 *
 * @example
 * const caller: Caller = { _tag: 'Session', session: sessionId(17), serial: serial(0), firstUnanswered: serial(0) }
 */
export const sessionId = (n: number): SessionId => n as SessionId
/**
 * `n` as a serial number. For callers that know: nothing is checked.
 *
 * @example
 * const next = (last: Serial) => serial(last + 1)
 */
export const serial = (n: number): Serial => n as Serial

export const nextRevision = (r: Revision): Revision => revision(r + 1)
