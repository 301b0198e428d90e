import type { Caller, Expire } from './command.js'
import { type Serial, serial, type SessionId, sessionId } from './ids.js'
import type { Key } from './key.js'
import type { KvLimits } from './limits.js'
import { PersistentTree } from './persistentTree.js'
import { type KvResult, sizeOfResult } from './result.js'
import { byNumber, byString } from './tree.js'
import { UsedTable } from './usedTable.js'

/** Which answer is remembered: ordered by session, then by serial. */
export interface SessionCall {
  readonly session: SessionId
  readonly serial: Serial
}

export interface RememberedAnswer {
  /** The hash of the command's bytes: it tells a retry from another command under the same name. */
  readonly hash: number
  readonly result: KvResult
}

/**
 * The clients that the store knows (§8, thesis §6.3). Guarantees:
 *
 *  1. a command that changes something is applied at most once per serial of a session, and per idempotency key while
 *    it is kept;
 *  2. `answers` holds serials from the session's `firstUnanswered` up to `maxUnanswered` further, of living sessions
 *    only;
 *  3. who leaves when a bound is reached depends on the log alone.
 */
export interface Clients {
  /** Each with its `firstUnanswered`; its bytes are those of its answers. */
  readonly sessions: UsedTable<SessionId, Serial>
  answers: PersistentTree<SessionCall, RememberedAnswer>
  readonly idempotencyKeys: UsedTable<Key, RememberedAnswer>
}

export const noClients = (): Clients => ({
  sessions: UsedTable.empty<SessionId, Serial>(byNumber),
  answers: PersistentTree.empty((a, b) => a.session - b.session || a.serial - b.serial),
  idempotencyKeys: UsedTable.empty<Key, RememberedAnswer>(byString),
})

export const forkClients = ({ sessions, answers, idempotencyKeys }: Clients): Clients => ({
  sessions: sessions.fork(),
  answers,
  idempotencyKeys: idempotencyKeys.fork(),
})

export const sealClients = ({ sessions, answers, idempotencyKeys }: Clients): void => {
  sessions.seal()
  answers.seal()
  idempotencyKeys.seal()
}

/**
 * The result that the caller gets without its command being executed: an answer that is remembered, or a refusal.
 * `null`: execute it.
 */
export const admit = (clients: Clients, limits: KvLimits, index: number, caller: Caller, hash: number): KvResult | null => {
  if (caller._tag === 'Session') return admitSession(clients, limits, index, caller, hash)
  if (caller._tag === 'Once') return admitOnce(clients, limits, index, caller.idempotencyKey, hash)
  return null
}

type SessionCaller = Extract<Caller, { readonly _tag: 'Session' }>

const admitSession = (
  clients: Clients,
  { maxUnanswered }: KvLimits,
  index: number,
  caller: SessionCaller,
  hash: number,
): KvResult | null => {
  const { sessions } = clients
  const session = sessions.get(caller.session)
  if (session === undefined) return { _tag: 'UnknownSession', session: caller.session }

  // Entries of a client may reach the log in any order, so an older one may know of fewer answers.
  const firstUnanswered = serial(Math.max(session.value, caller.firstUnanswered))
  const forgottenBytes = firstUnanswered > session.value ? forgetBelow(clients, caller.session, firstUnanswered) : 0
  sessions.set(caller.session, { usedAt: index, bytes: session.bytes - forgottenBytes, value: firstUnanswered })

  if (caller.serial < firstUnanswered) return { _tag: 'SerialAnswered', firstUnanswered }
  const remembered = clients.answers.get(caller)
  if (remembered !== undefined) return remembered.hash === hash ? remembered.result : { _tag: 'DifferentCommand' }
  if (caller.serial >= firstUnanswered + maxUnanswered) return { _tag: 'TooManyUnanswered', maxUnanswered }
  return null
}

const admitOnce = (clients: Clients, limits: KvLimits, index: number, name: Key, hash: number): KvResult | null => {
  const { maxIdempotencyKeyBytes } = limits
  if (name.length === 0 || name.length > maxIdempotencyKeyBytes) return { _tag: 'IdempotencyKeyUnfit', maxIdempotencyKeyBytes }
  const remembered = clients.idempotencyKeys.get(name)
  if (remembered === undefined) return null
  clients.idempotencyKeys.set(name, { ...remembered, usedAt: index })
  return remembered.value.hash === hash ? remembered.value.result : { _tag: 'DifferentCommand' }
}

/** Keeps the answer for a retry; makes room where a bound is exceeded. */
export const remember = (clients: Clients, limits: KvLimits, index: number, caller: Caller, answer: RememberedAnswer): void => {
  const bytes = sizeOfResult(answer.result)
  if (caller._tag === 'Session') {
    const session = clients.sessions.get(caller.session)
    if (session === undefined) return // its own command may have ended it
    clients.answers = clients.answers.edit()
    clients.answers.set({ session: caller.session, serial: caller.serial }, answer, undefined)
    clients.sessions.set(caller.session, { ...session, bytes: session.bytes + bytes })
  }
  if (caller._tag === 'Once') clients.idempotencyKeys.set(caller.idempotencyKey, { usedAt: index, bytes, value: answer })
  makeRoom(clients, limits)
}

/** Opens the session that is named by the index of its registration. */
export const register = (clients: Clients, limits: KvLimits, index: number): SessionId => {
  const id = sessionId(index)
  clients.sessions.set(id, { usedAt: index, bytes: 0, value: serial(0) })
  makeRoom(clients, limits)
  return id
}

export const expire = (clients: Clients, { unusedSince, limit }: Expire): { sessions: number; idempotencyKeys: number } => {
  const { sessions, idempotencyKeys } = clients
  const isDue = (usedAt: number): boolean => usedAt < unusedSince
  return {
    sessions: dropOldest(sessions, limit, isDue, (id) => endSession(clients, id)),
    idempotencyKeys: dropOldest(idempotencyKeys, limit, isDue, (name) => idempotencyKeys.drop(name)),
  }
}

const makeRoom = (clients: Clients, { maxSessions, maxIdempotencyKeys, maxAnswerBytes }: KvLimits): void => {
  const { sessions, idempotencyKeys } = clients
  const tooMany = () => sessions.size > maxSessions || sessions.bytes > maxAnswerBytes
  dropOldest(sessions, Infinity, tooMany, (id) => endSession(clients, id))
  const tooManyKeys = () => idempotencyKeys.size > maxIdempotencyKeys || idempotencyKeys.bytes > maxAnswerBytes
  dropOldest(idempotencyKeys, Infinity, tooManyKeys, (name) => idempotencyKeys.drop(name))
}

const dropOldest = <K, V>(table: UsedTable<K, V>, limit: number, isDue: (usedAt: number) => boolean, drop: (name: K) => void): number => {
  let dropped = 0
  for (; dropped < limit; dropped++) {
    const oldest = table.oldest()
    if (oldest === null || !isDue(oldest.usedAt)) break
    drop(oldest.name)
  }
  return dropped
}

const endSession = (clients: Clients, session: SessionId): void => {
  forgetBelow(clients, session, serial(Infinity))
  clients.sessions.drop(session)
}

/** Forgets the answers of a session below `end`, and tells how many bytes they were. */
const forgetBelow = (clients: Clients, session: SessionId, end: Serial): number => {
  const forgotten: (readonly [SessionCall, RememberedAnswer])[] = []
  let bytes = 0
  clients.answers.forRange({ session, serial: serial(0) }, { session, serial: end }, false, (call, answer) => {
    forgotten.push([call, answer])
    bytes += sizeOfResult(answer.result)
    return undefined
  })
  if (forgotten.length === 0) return 0
  clients.answers = clients.answers.edit()
  for (const [call, answer] of forgotten) clients.answers.delete(call, answer)
  return bytes
}
