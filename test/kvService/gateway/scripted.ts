import { BehaviorSubject, NEVER, Observable, Subject } from 'rxjs'
import { anonymous, type Caller, type KvCommand, type KvRequest } from '../../../src/kv/command.js'
import { revision, serial, sessionId } from '../../../src/kv/ids.js'
import { key } from '../../../src/kv/key.js'
import { emptyStore, type Store } from '../../../src/kv/store.js'
import { gateway, type GatewayOptions } from '../../../streams/kv/gateway/gateway.js'
import type { PeerDelivery } from '../../../streams/kv/gateway/peerTransport.js'
import type { KvReply } from '../../../streams/kv/reply.js'
import type { Changes } from '../../../streams/kv/server/watch.js'
import { VirtualScheduler } from '../../../streams/time/heapScheduler.js'
import { record } from '../cluster.js'

export const get: KvCommand = { _tag: 'Get', key: key('a'), revision: null }
export const put: KvCommand = { _tag: 'Put', key: key('a'), value: new Uint8Array([1]), prevKv: false }
export const inSession: Caller = { _tag: 'Session', session: sessionId(1), serial: serial(0), firstUnanswered: serial(0) }
export const once: Caller = { _tag: 'Once', idempotencyKey: key('k') }

/** The requests of the tables below, by what may be done with them after an answer was lost. */
export const requests = {
  'a read': { caller: anonymous, command: get },
  'a write': { caller: anonymous, command: put },
  'a write in a session': { caller: inSession, command: put },
  'a write with an idempotency key': { caller: once, command: put },
} satisfies Record<string, KvRequest>

export const written: KvReply = { _tag: 'Written', revision: revision(2), prevKv: null }

/** An attempt, here or at another server, which a test answers. */
interface Attempt<T> {
  readonly at: string
  readonly answer: (answer: T) => void
  /** The gateway has given it up. */
  isGivenUp: boolean
}

/** A gateway before the server n1, of which a test says who leads and what is answered. n2 and n3 can be reached. */
export const scripted = (options: Partial<GatewayOptions<string, string>> = {}) => {
  const scheduler = new VirtualScheduler()
  const leader$ = new BehaviorSubject<string | null>(null)
  const attempts: Attempt<never>[] = []
  const batch$ = new Subject<ReadonlyArray<KvReply>>()
  const changes$ = new Subject<Changes>()
  const store: Store = Object.assign(emptyStore({}), { compactRevision: revision(5) })
  const paused: boolean[] = []

  const attempt = <T>(at: string): Observable<T> =>
    new Observable((subscriber) => {
      const begun: Attempt<T> = {
        at,
        isGivenUp: false,
        answer: (answer) => {
          subscriber.next(answer)
          subscriber.complete()
        },
      }
      attempts.push(begun)
      return () => (begun.isGivenUp = true)
    })

  const made = gateway<string, string>({
    server: {
      id: 'n1',
      raft: { leader$: leader$ },
      submit: () => attempt<KvReply>('n1'),
      submitAll: () => batch$,
      store: () => store,
      watch: ({ paused$ = NEVER }) =>
        new Observable<Changes>((subscriber) => {
          subscriber.add(paused$.subscribe((isPaused) => paused.push(isPaused)))
          subscriber.add(changes$.subscribe(subscriber))
        }),
    },
    peers: {
      forward: (to, { original, isForwarded }) =>
        to === 'n2' || to === 'n3' ? attempt<PeerDelivery<string>>(`${to} ${original}${isForwarded ? ' again' : ''}`) : null,
    },
    scheduler,
    leaderWaitMs: 1_000,
    maxRequests: 3,
    maxWatches: 2,
    maxWatchBehind: 10,
    watchHeartbeatMs: 1_000,
    ...options,
  })

  return {
    gateway: made,
    scheduler,
    leader$,
    batch$,
    changes$,
    paused,
    execute: (request: KvRequest, { isForwarded = false, timeoutMs = 3_000 } = {}) =>
      record(made.execute({ request, original: 'put', isForwarded, timeoutMs })),
    /** Every attempt so far, by where. */
    asked: (): ReadonlyArray<string> => attempts.map(({ at }) => at),
    isGivenUp: (place: number): boolean => attempts.at(place)!.isGivenUp,
    /** Answers the newest attempt. */
    reply: (reply: KvReply): void => attempts.at(-1)!.answer(reply as never),
    deliver: (delivery: PeerDelivery<string>): void => attempts.at(-1)!.answer(delivery as never),
    run: (forMs: number): void => scheduler.runUntil(scheduler.now() + forMs),
  }
}
