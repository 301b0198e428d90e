import fc from 'fast-check'
import { either } from 'fp-ts'
import {
  anonymous,
  apply,
  type Caller,
  decodeSnapshot,
  digest,
  emptyStore,
  encodeRequest,
  encodeResult,
  encodeSnapshot,
  key,
  type KvCommand,
  serial,
  sessionId,
  type Store,
} from '../../../src/kv/index.js'
import { aKeyCommand } from '../../kv/arbitraries.js'
import { type Bounds, clientsTwinApply, noClientsTwin } from '../../kv/sessionsTwin.js'
import { findings, type Scenario, spread } from './scenario.js'

const bounds: Bounds = { maxSessions: 3, maxUnanswered: 3, maxIdempotencyKeys: 3 }
const log = fc.array(
  fc.record({
    command: aKeyCommand,
    who: fc.constantFrom('nobody', 'register', 'session', 'session', 'once', 'retry', 'retry'),
    n: fc.nat(7),
    firstUnanswered: fc.nat(5),
    crash: fc.nat(9).map((n) => n === 0),
  }),
  { minLength: 20, maxLength: 40, size: 'max' },
)

/**
 * A log of requests, many of them retries, applied by the store and by its slow twin (test/kv). In between the store is
 * lost and comes back from its snapshot, and is given the entries after the one up to which the snapshot says it goes.
 */
export const store: Scenario = {
  name: 'store',
  checks: ['store'],
  run: (seed) => {
    const [steps = []] = fc.sample(log, { numRuns: 1, seed: spread(seed) })
    const { say, violations } = findings()
    const sessions = [1_000_000]
    const entries: Uint8Array[] = []
    let last: { readonly caller: Caller; readonly command: KvCommand } = { caller: anonymous, command: { _tag: 'Register' } }
    let ours = emptyStore(bounds)
    let twin = noClientsTwin
    try {
      for (const { command, who, n, firstUnanswered, crash } of steps) {
        const request = who === 'retry' ? last : requestOf(who, command, sessions[n % sessions.length]!, n, firstUnanswered)
        last = request
        const index = entries.push(encodeRequest(request))
        const applied = apply(ours, index, entries[index - 1]!)
        const expected = clientsTwinApply(twin, bounds, index, request)
        if (!isSame(encodeResult(applied.result), encodeResult(expected.result)))
          say('store', `entry ${index}: ${applied.result._tag} where its twin says ${expected.result._tag}`)
        ours = crash ? restored(applied.store, entries) : applied.store
        if (digest(ours) !== digest(applied.store)) say('store', `after entry ${index} it comes back as another`)
        twin = expected.state
        if (applied.result._tag === 'Registered') sessions.push(applied.result.session)
      }
    } catch (error) {
      say('store', (error as Error).message)
    }
    return violations()
  },
}

const requestOf = (who: string, command: KvCommand, session: number, n: number, firstUnanswered: number) => {
  if (who === 'register') return { caller: anonymous, command: { _tag: 'Register' } as const }
  if (who === 'nobody') return { caller: anonymous, command }
  const caller: Caller =
    who === 'once'
      ? { _tag: 'Once', idempotencyKey: key('pqrs'[n % 4]!) }
      : { _tag: 'Session', session: sessionId(session), serial: serial(n), firstUnanswered: serial(firstUnanswered) }
  return { caller, command }
}

const restored = (lost: Store, entries: ReadonlyArray<Uint8Array>): Store => {
  const found = decodeSnapshot(encodeSnapshot(lost), bounds)
  if (either.isLeft(found)) throw new Error(`its snapshot is ${found.left._tag}`)
  let now = found.right
  for (let index = now.appliedIndex + 1; index <= entries.length; index++) now = apply(now, index, entries[index - 1]!).store
  return now
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
