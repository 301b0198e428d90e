import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  anonymous,
  apply,
  type Caller,
  decodeSnapshot,
  emptyStore,
  encodeRequest,
  encodeResult,
  encodeSnapshot,
  get,
  isAnswer,
  key,
  type KvCommand,
  type KvLimits,
  type KvResult,
  revision,
  serial,
  type SessionId,
  sessionId,
  type Store,
} from '../../src/kv/index.js'
import { aKeyCommand } from './arbitraries.js'
import { right } from './right.js'
import { type Bounds, clientsTwinApply, noClientsTwin, rememberedBy } from './sessionsTwin.js'

const inSession = (session: number, n: number, firstUnanswered = 0): Caller => ({
  _tag: 'Session',
  session: sessionId(session),
  serial: serial(n),
  firstUnanswered: serial(firstUnanswered),
})
const once = (name: string): Caller => ({ _tag: 'Once', idempotencyKey: key(name) })
const append = (text: string): KvCommand => ({ _tag: 'Append', key: key('log'), value: new TextEncoder().encode(text), prevKv: false })
const registration: KvCommand = { _tag: 'Register' }

/** A store and the log that made it. */
const server = (limits: Partial<KvLimits> = {}) => {
  let store = emptyStore(limits)
  return {
    call: (caller: Caller, command: KvCommand): KvResult => {
      const applied = apply(store, store.appliedIndex + 1, encodeRequest({ caller, command }))
      store = applied.store
      return applied.result
    },
    get log(): string {
      return new TextDecoder().decode(right(get(store, key('log')))?.value)
    },
    get store(): Store {
      return store
    },
  }
}

/** The session table as `rememberedBy` shows the twin's. */
const remembered = ({ clients }: Store) => {
  const answers = [...clients.answers.copy().entries()]
  return {
    sessions: [...clients.sessions.inOrderOfUse().entries].map(([name, { usedAt, value: firstUnanswered }]) => ({
      name,
      usedAt,
      firstUnanswered,
      answers: answers.filter(([call]) => call.session === name).map(([call, { result }]) => [call.serial, encodeResult(result)] as const),
    })),
    keys: [...clients.idempotencyKeys.inOrderOfUse().entries].map(([name, { usedAt, value }]) => ({
      name,
      usedAt,
      answer: encodeResult(value.result),
    })),
  }
}

describe('the session table and its slow twin', () => {
  const bounds: Bounds = { maxSessions: 3, maxUnanswered: 3, maxIdempotencyKeys: 3 }

  const aCommand: fc.Arbitrary<KvCommand> = fc.oneof(
    { weight: 6, arbitrary: aKeyCommand },
    {
      weight: 1,
      arbitrary: fc.record({ _tag: fc.constant('Expire'), unusedSince: fc.nat({ max: 40 }), limit: fc.constantFrom(0, 1, 2, 100) }),
    },
  )
  const aStep = fc.oneof(
    { weight: 2, arbitrary: fc.constant({ _tag: 'Register' } as const) },
    {
      weight: 8,
      arbitrary: fc.record({
        _tag: fc.constant('Call'),
        which: fc.nat({ max: 4 }),
        serial: fc.nat({ max: 7 }),
        firstUnanswered: fc.nat({ max: 5 }),
        command: fc.integer({ min: 0, max: 3 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        _tag: fc.constant('Once'),
        name: fc.constantFrom('p', 'q', 'r', 's'),
        command: fc.integer({ min: 0, max: 3 }),
      }),
    },
  )

  it('give the same answers and remember the same', () => {
    const seen = new Set<string>()
    const pool = fc.array(aCommand, { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(pool, fc.array(aStep, { maxLength: 40 }), (commands, steps) => {
        let store = emptyStore(bounds)
        let twin = noClientsTwin
        const sessions: number[] = [1_000_000]
        steps.forEach((step, i) => {
          const command = step._tag === 'Register' ? registration : (commands[step.command] as KvCommand)
          const caller =
            step._tag === 'Register'
              ? anonymous
              : step._tag === 'Once'
                ? once(step.name)
                : inSession(sessions[step.which % sessions.length] ?? 0, step.serial, step.firstUnanswered)
          const request = { caller, command }
          const ours = apply(store, i + 1, encodeRequest(request))
          const theirs = clientsTwinApply(twin, bounds, i + 1, request)
          expect(ours.result).toEqual(theirs.result)
          store = ours.store
          twin = theirs.state
          seen.add(ours.result._tag)
          if (ours.result._tag === 'Registered') sessions.push(ours.result.session)
        })
        expect(remembered(store)).toEqual(rememberedBy(twin))
      }),
      { numRuns: 1000 },
    )
    expect([...seen]).toEqual(
      expect.arrayContaining(['UnknownSession', 'SerialAnswered', 'TooManyUnanswered', 'DifferentCommand', 'Expired']),
    )
  })
})

describe('§8 "if it receives a command whose serial number has already been executed, it responds immediately without re-executing the request"', () => {
  const opened = (limits: Partial<KvLimits> = {}) => {
    const s = server(limits)
    s.call(anonymous, registration)
    return s
  }

  it('a retry gets the first answer, changes nothing and tells watchers nothing', () => {
    const s = opened()
    const first = s.call(inSession(1, 1), append('a'))
    expect(first).toEqual({ _tag: 'Written', revision: 2, prevKv: null })
    s.call(anonymous, append('b'))
    const retried = apply(s.store, 4, encodeRequest({ caller: inSession(1, 1), command: append('a') }))
    expect(retried.result).toEqual(first)
    expect(retried.events).toEqual([])
    expect(retried.store.revision).toBe(s.store.revision)
  })

  it('many serials may be in flight and arrive in any order', () => {
    const s = opened()
    for (const n of [3, 1, 2, 3, 1, 2]) s.call(inSession(1, n), append(`${n}`))
    expect(s.log).toBe('312')
  })

  it('a refusal is an answer, too: what was refused once is not done later', () => {
    const s = opened({ maxValueBytes: 2 })
    s.call(anonymous, append('xx'))
    const refused = s.call(inSession(1, 1), append('a'))
    expect(refused).toEqual({ _tag: 'ValueTooLarge', maxValueBytes: 2 })
    s.call(anonymous, { _tag: 'Delete', range: { start: key('log'), end: null }, prevKv: false })
    expect(s.call(inSession(1, 1), append('a'))).toEqual(refused)
    expect(s.log).toBe('')
  })

  it('below firstUnanswered nothing is remembered, and nothing is applied', () => {
    const s = opened()
    s.call(inSession(1, 1), append('a'))
    s.call(inSession(1, 2, 2), append('b'))
    expect(s.store.clients.answers.size).toBe(1)
    expect(s.call(inSession(1, 1), append('a'))).toEqual({ _tag: 'SerialAnswered', firstUnanswered: 2 })
    expect(s.log).toBe('ab')
  })

  it('an entry that knows of fewer answers does not bring the forgotten ones back', () => {
    const s = opened()
    s.call(inSession(1, 5, 5), append('a'))
    s.call(inSession(1, 6, 0), append('b'))
    expect(s.call(inSession(1, 4, 0), append('c'))).toEqual({ _tag: 'SerialAnswered', firstUnanswered: 5 })
  })

  it('at most maxUnanswered serials from firstUnanswered on', () => {
    const s = opened({ maxUnanswered: 2 })
    s.call(inSession(1, 1), append('a'))
    expect(s.call(inSession(1, 2), append('b'))).toEqual({ _tag: 'TooManyUnanswered', maxUnanswered: 2 })
    expect(s.call(inSession(1, 2, 1), append('b'))).toMatchObject({ _tag: 'Written' })
    expect(s.log).toBe('ab')
  })

  it('another command under a serial that was used is refused', () => {
    const s = opened()
    s.call(inSession(1, 1), append('a'))
    expect(s.call(inSession(1, 1), append('b'))).toEqual({ _tag: 'DifferentCommand' })
    expect(s.log).toBe('a')
  })

  it('a read is read again, and keeps the session alive without taking room', () => {
    const s = opened()
    const read: KvCommand = { _tag: 'Get', key: key('log'), revision: null }
    expect(s.call(inSession(1, 1), read)).toMatchObject({ _tag: 'Got', kv: null })
    s.call(anonymous, append('a'))
    expect(s.call(inSession(1, 1), read)).toMatchObject({ _tag: 'Got', kv: { version: 1 } })
    expect(s.call(inSession(1, 2), { _tag: 'Txn', compares: [], success: [], failure: [] })).toMatchObject({ _tag: 'TxnDone' })
    expect(s.store.clients.answers.size).toBe(0)
    expect(s.store.clients.sessions.oldest()?.usedAt).toBe(5)
  })
})

describe('sessions end', () => {
  it('the longest unused when there are too many; its commands are refused, not applied', () => {
    const s = server({ maxSessions: 2 })
    s.call(anonymous, registration)
    s.call(anonymous, registration)
    s.call(inSession(1, 1), append('a'))
    s.call(anonymous, registration)
    expect(s.call(inSession(2, 1), append('b'))).toEqual({ _tag: 'UnknownSession', session: 2 })
    expect(s.call(inSession(1, 2), append('c'))).toMatchObject({ _tag: 'Written' })
    expect(s.log).toBe('ac')
  })

  it('when they were not used since an index that the leader names, oldest first and not too many at once', () => {
    const s = server()
    for (let i = 0; i < 4; i++) s.call(anonymous, registration)
    s.call(once('p'), append('a'))
    s.call(inSession(1, 1), append('b'))
    expect(s.call(anonymous, { _tag: 'Expire', unusedSince: 6, limit: 2 })).toEqual({
      _tag: 'Expired',
      revision: 3,
      sessions: 2,
      idempotencyKeys: 1,
    })
    expect(s.call(anonymous, { _tag: 'Expire', unusedSince: 6, limit: 2 })).toMatchObject({ sessions: 1, idempotencyKeys: 0 })
    expect(remembered(s.store).sessions.map(({ name }) => name)).toEqual([1])
  })

  it('with all their answers', () => {
    const s = server()
    s.call(anonymous, registration)
    s.call(anonymous, registration)
    for (const n of [1, 2, 3]) s.call(inSession(1, n), append('a'))
    s.call(inSession(2, 1), append('b'))
    s.call(anonymous, { _tag: 'Expire', unusedSince: 6, limit: 9 })
    expect(s.store.clients.answers.size).toBe(1)
  })

  it('a session that ends itself is not remembered', () => {
    const s = server()
    s.call(anonymous, registration)
    s.call(inSession(1, 1), { _tag: 'Expire', unusedSince: 100, limit: 9 })
    expect(remembered(s.store)).toEqual({ sessions: [], keys: [] })
  })

  it('the longest unused when their answers take too many bytes', () => {
    const s = server({ maxAnswerBytes: 2650 })
    const big = new Uint8Array(1000)
    s.call(anonymous, registration)
    s.call(anonymous, registration)
    for (const session of [1, 2]) s.call(inSession(session, 1), { _tag: 'Put', key: key('k'), value: big, prevKv: true })
    expect(s.store.clients.sessions.size).toBe(2)
    s.call(inSession(2, 2), { _tag: 'Put', key: key('k'), value: big, prevKv: true })
    expect(remembered(s.store).sessions.map(({ name }) => name)).toEqual([2])
    s.call(inSession(2, 3), { _tag: 'Put', key: key('k'), value: big, prevKv: true })
    expect(remembered(s.store)).toEqual({ sessions: [], keys: [] })
    expect(s.store.clients.sessions.bytes).toBe(0)
  })
})

describe('an idempotency key', () => {
  it('lets a write happen once, and gives its first answer again', () => {
    const s = server()
    const first = s.call(once('p'), append('a'))
    s.call(anonymous, append('b'))
    expect(s.call(once('p'), append('a'))).toEqual(first)
    expect(s.log).toBe('ab')
  })

  it('is refused for another command', () => {
    const s = server()
    s.call(once('p'), append('a'))
    expect(s.call(once('p'), append('b'))).toEqual({ _tag: 'DifferentCommand' })
    expect(s.log).toBe('a')
  })

  it('opens one session for a registration that is retried', () => {
    const s = server()
    expect(s.call(once('p'), registration)).toEqual({ _tag: 'Registered', revision: 1, session: 1 })
    expect(s.call(once('p'), registration)).toEqual({ _tag: 'Registered', revision: 1, session: 1 })
  })

  it.each([
    { name: '', fits: false },
    { name: 'x'.repeat(128), fits: true },
    { name: 'x'.repeat(129), fits: false },
  ])('of $name.length bytes fits: $fits', ({ name, fits }) => {
    const s = server()
    const result = s.call(once(name), append('a'))
    expect(isAnswer(result)).toBe(fits)
    expect(s.log).toBe(fits ? 'a' : '')
  })

  it('takes no room from sessions', () => {
    const s = server({ maxSessions: 1, maxIdempotencyKeys: 2 })
    s.call(anonymous, registration)
    for (const name of ['p', 'q', 'r']) s.call(once(name), append(name))
    expect(remembered(s.store)).toMatchObject({ sessions: [{ name: 1 }], keys: [{ name: 'q' }, { name: 'r' }] })
  })
})

describe('the lab: Get, Put and Append happen exactly once', () => {
  interface Client {
    session: SessionId
    next: number
    readonly sent: Uint8Array[]
    readonly answers: Map<number, string>
  }

  const firstUnanswered = ({ answers, next }: Client): number => {
    let n = 1
    while (n < next && answers.has(n)) n++
    return n
  }

  // Requests are doubled, delayed, reordered, and answers lost; a server may fall over and come back from its snapshot.
  it('however often entries are doubled, whatever order they come in, and over snapshots', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 999 })), fc.integer({ min: 1, max: 3 }), (dice, clientCount) => {
        const roll = (sides: number): number => (dice.next().value as number) % sides
        let store = emptyStore()
        const enter = (bytes: Uint8Array): KvResult => {
          if (roll(8) === 0) store = right(decodeSnapshot(encodeSnapshot(store)))
          const applied = apply(store, store.appliedIndex + 1 + roll(2), bytes)
          store = applied.store
          return applied.result
        }
        const clients = Array.from({ length: clientCount }, (): Client => {
          const registered = enter(encodeRequest({ caller: anonymous, command: registration }))
          return { session: registered._tag === 'Registered' ? registered.session : sessionId(0), next: 1, sent: [], answers: new Map() }
        })
        const send = (client: Client, id: number): void => {
          const caller = inSession(client.session, client.next, firstUnanswered(client))
          client.sent[client.next] = encodeRequest({ caller, command: append(`x ${id} ${client.next} y`) })
          client.next++
        }
        const deliver = (client: Client, n: number, lost: boolean): void => {
          const result = enter(client.sent[n] as Uint8Array)
          const known = client.answers.get(n)
          const answer = JSON.stringify(result)
          // An answer that the client said it has may be forgotten; any other is the first one again.
          const forgotten = result._tag === 'SerialAnswered' && known !== undefined
          expect(forgotten || (result._tag === 'Written' && answer === (known ?? answer))).toBe(true)
          if (forgotten) return
          if (!lost) client.answers.set(n, answer)
        }
        for (let i = 0; i < 60; i++) {
          const id = roll(clients.length)
          const client = clients[id] as Client
          if (client.next === 1 || (roll(2) === 0 && client.next - firstUnanswered(client) < 5)) send(client, id)
          else deliver(client, 1 + roll(client.next - 1), roll(3) === 0)
        }
        for (const client of clients) for (let n = 1; n < client.next; n++) if (!client.answers.has(n)) deliver(client, n, false)

        const log = new TextDecoder().decode(right(get(store, key('log')))?.value)
        const wanted = clients.flatMap(({ next }, id) => Array.from({ length: next - 1 }, (_, i) => `x ${id} ${i + 1} y`))
        expect((log.match(/x \d+ \d+ y/g) ?? []).sort()).toEqual(wanted.sort())
        expect(log.length).toBe(wanted.join('').length)
        expect(store.revision).toBe(revision(1 + wanted.length))
      }),
      { numRuns: 200 },
    )
  })
})
