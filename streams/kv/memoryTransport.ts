import { concat, defer, map, type Observable, of, type SchedulerLike, subscribeOn, throwError } from 'rxjs'
import { type Key, withPrefix } from '../../src/kv/key.js'
import type { Revision } from '../../src/kv/ids.js'
import type { Change } from '../../src/kv/keyValue.js'
import { check, scheduler as isScheduler, whole } from '../options/checks.js'
import { withDefaults } from '../options/given.js'
import { defaultClock } from '../server/options.js'
import type { KvServer } from './server/kvServer.js'
import type { KvReply } from './reply.js'
import type { Delivery, Transport, WatchEvent, WatchMessage } from './transport.js'
import { WatchError } from './server/watch.js'

/**
 * The options of `memoryTransport`.
 *
 * @example
 * memoryTransport([kvServer], { scheduler, progressMs: 1_000 })
 */
export interface MemoryTransportOptions {
  /** Default `realClock`. */
  readonly scheduler?: SchedulerLike
  /** Between two signs of life of a watch. Default 10,000. */
  readonly progressMs?: number
}

/**
 * Servers of the same process, by their ids, as endpoints. Given a function, it asks that one each time, for servers
 * that come and go. Throws `InvalidOption`.
 *
 * @example
 * createClient({ transport: memoryTransport([kvServer]), endpoints: ['n1'] })
 */
export const memoryTransport = (
  servers: ReadonlyArray<KvServer> | ((id: string) => KvServer | undefined),
  options: MemoryTransportOptions = {},
): Transport => {
  const tuned = withDefaults({ scheduler: defaultClock, progressMs: 10_000 }, options)
  check<MemoryTransportOptions>(tuned, { scheduler: isScheduler, progressMs: whole() })
  const { scheduler, progressMs } = tuned
  const find = typeof servers === 'function' ? servers : (id: string) => servers.find((server) => server.id === id)
  const absent = (id: string): string => `There is no server ${id} here: name one of those that the transport was given.`

  const send = (id: string, requests: ReadonlyArray<Uint8Array>): Observable<Delivery> => {
    const server = find(id)
    return server === undefined ? of({ _tag: 'NeverSent', message: absent(id) }) : server.submitAll(requests).pipe(map(deliveryOf))
  }

  const watch = (id: string, prefix: Key, fromRevision: Revision | null): Observable<WatchMessage> => {
    const server = find(id)
    if (server === undefined) return disconnected(absent(id))
    const changes$ = server.watch({ range: withPrefix(prefix), progressMs, ...(fromRevision !== null && { fromRevision }) })
    return concat(changes$, disconnected(`${id} stopped: resume elsewhere.`)).pipe(
      map(({ revision, changes }) => ({ revision, events: changes.map(eventOf) })),
    )
  }

  return {
    send: (id, requests) => defer(() => send(id, requests)).pipe(subscribeOn(scheduler)),
    watch: (id, prefix, fromRevision) => defer(() => watch(id, prefix, fromRevision)).pipe(subscribeOn(scheduler)),
  }
}

const disconnected = (message: string): Observable<never> => throwError(() => new WatchError({ _tag: 'Disconnected', message }))

/** A server that stopped leading within a batch has told so for each of its requests. */
export const deliveryOf = (replies: ReadonlyArray<KvReply>): Delivery => {
  const [first] = replies
  const misdirected = first?._tag === 'NotLeader' && replies.every(({ _tag }) => _tag === 'NotLeader')
  return misdirected ? { _tag: 'Misdirected', leader: first.leader } : { _tag: 'Answered', replies }
}

const eventOf = (change: Change): WatchEvent =>
  change._tag === 'Put' ? { _tag: 'Put', kv: change.kv } : { _tag: 'Delete', key: change.key }
