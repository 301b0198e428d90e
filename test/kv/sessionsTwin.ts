import { type Caller, encodeResult, type KvCommand, type KvRequest, type KvResult, isRead, serial, sessionId } from '../../src/kv/index.js'
import { emptyTwin, revisionOf, type Twin, twinApply } from './twin.js'

interface Remembered {
  readonly name: number | string
  readonly command: KvCommand
  readonly result: KvResult
}

interface Client {
  readonly name: number | string
  readonly usedAt: number
  readonly firstUnanswered: number
  readonly answers: ReadonlyArray<Remembered>
}

/** The slow, obvious twin of the session table: two arrays, the longest unused first. */
export interface ClientsTwin {
  readonly twin: Twin
  readonly sessions: ReadonlyArray<Client>
  readonly keys: ReadonlyArray<Client>
}

export const noClientsTwin: ClientsTwin = { twin: emptyTwin, sessions: [], keys: [] }

export interface Bounds {
  readonly maxSessions: number
  readonly maxUnanswered: number
  readonly maxIdempotencyKeys: number
}

interface Outcome {
  readonly state: ClientsTwin
  readonly result: KvResult
}

const newestLast = (clients: ReadonlyArray<Client>, client: Client): ReadonlyArray<Client> => [
  ...clients.filter(({ name }) => name !== client.name),
  client,
]

const same = (a: KvCommand, b: KvCommand): boolean => JSON.stringify(a) === JSON.stringify(b)

export const clientsTwinApply = (state: ClientsTwin, bounds: Bounds, index: number, { caller, command }: KvRequest): Outcome => {
  switch (caller._tag) {
    case 'Anonymous':
      return execute(state, bounds, index, command)
    case 'Session':
      return inSession(state, bounds, index, caller, command)
    case 'Once':
      return once(state, bounds, index, caller.idempotencyKey, command)
  }
}

const inSession = (
  state: ClientsTwin,
  bounds: Bounds,
  index: number,
  caller: Extract<Caller, { _tag: 'Session' }>,
  command: KvCommand,
): Outcome => {
  const known = state.sessions.find(({ name }) => name === caller.session)
  if (known === undefined) return { state, result: { _tag: 'UnknownSession', session: caller.session } }
  const firstUnanswered = Math.max(known.firstUnanswered, caller.firstUnanswered)
  const session = { ...known, usedAt: index, firstUnanswered, answers: known.answers.filter(({ name }) => Number(name) >= firstUnanswered) }
  const used = { ...state, sessions: newestLast(state.sessions, session) }

  if (caller.serial < firstUnanswered) return { state: used, result: { _tag: 'SerialAnswered', firstUnanswered: serial(firstUnanswered) } }
  const answer = session.answers.find(({ name }) => name === caller.serial)
  if (answer !== undefined) return { state: used, result: same(answer.command, command) ? answer.result : { _tag: 'DifferentCommand' } }
  if (caller.serial - firstUnanswered >= bounds.maxUnanswered)
    return { state: used, result: { _tag: 'TooManyUnanswered', maxUnanswered: bounds.maxUnanswered } }

  const { state: after, result } = execute(used, bounds, index, command)
  if (isRead(command)) return { state: after, result }
  const remembering = { ...session, answers: [...session.answers, { name: caller.serial, command, result }] }
  const lives = after.sessions.some(({ name }) => name === caller.session)
  return { state: lives ? { ...after, sessions: newestLast(after.sessions, remembering) } : after, result }
}

const once = (state: ClientsTwin, bounds: Bounds, index: number, name: string, command: KvCommand): Outcome => {
  const known = state.keys.find((client) => client.name === name)
  const answer = known?.answers[0]
  if (known !== undefined && answer !== undefined)
    return {
      state: { ...state, keys: newestLast(state.keys, { ...known, usedAt: index }) },
      result: same(answer.command, command) ? answer.result : { _tag: 'DifferentCommand' },
    }
  const { state: after, result } = execute(state, bounds, index, command)
  if (isRead(command)) return { state: after, result }
  const keys = [...after.keys, { name, usedAt: index, firstUnanswered: 0, answers: [{ name, command, result }] }]
  return { state: { ...after, keys: keys.slice(-bounds.maxIdempotencyKeys) }, result }
}

const execute = (state: ClientsTwin, bounds: Bounds, index: number, command: KvCommand): Outcome => {
  const { twin, sessions, keys } = state
  const revision = revisionOf(twin)
  if (command._tag === 'Register') {
    const opened = [...sessions, { name: index, usedAt: index, firstUnanswered: 0, answers: [] }].slice(-bounds.maxSessions)
    return { state: { ...state, sessions: opened }, result: { _tag: 'Registered', revision, session: sessionId(index) } }
  }
  if (command._tag === 'Expire') {
    const expire = (clients: ReadonlyArray<Client>) =>
      clients.filter(({ usedAt }, i) => usedAt >= command.unusedSince || i >= command.limit)
    const left = { ...state, sessions: expire(sessions), keys: expire(keys) }
    const result: KvResult = {
      _tag: 'Expired',
      revision,
      sessions: sessions.length - left.sessions.length,
      idempotencyKeys: keys.length - left.keys.length,
    }
    return { state: left, result }
  }
  const applied = twinApply(twin, command)
  return { state: { ...state, twin: applied.twin }, result: applied.result }
}

/** What is remembered, in a form that the store's own table can be brought into. */
export const rememberedBy = ({ sessions, keys }: ClientsTwin) => ({
  sessions: sessions.map(({ name, usedAt, firstUnanswered, answers }) => ({
    name,
    usedAt,
    firstUnanswered,
    answers: [...answers].sort((a, b) => Number(a.name) - Number(b.name)).map((a) => [a.name, encodeResult(a.result)] as const),
  })),
  keys: keys.map(({ name, usedAt, answers }) => ({ name, usedAt, answer: answers.map((a) => encodeResult(a.result))[0] })),
})
