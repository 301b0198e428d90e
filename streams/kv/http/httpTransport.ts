import { Agent, type IncomingHttpHeaders } from 'node:http'
import { either } from 'fp-ts'
import { map, type Observable } from 'rxjs'
import { check, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import { decodeReplies, encodeRequests } from '../batchCodec.js'
import { deliveryOf } from '../memoryTransport.js'
import type { Delivery, Transport } from '../transport.js'
import { exchange, type Exchange, type Origin, originOf } from './exchange.js'
import { watchOver } from './watchClient.js'

/**
 * The options of `httpTransport`.
 *
 * @example
 * httpTransport({ maxFreeSockets: 4, keepAliveMs: 20_000, maxAnswerBytes: 16 << 20 })
 */
export interface HttpTransportOptions {
  /** Connections to one server that are kept for the next request. Default 8. */
  readonly maxFreeSockets?: number
  /**
   * How long an idle connection is kept: shorter than servers keep it, or requests are lost on connections that end.
   * Default 30,000.
   */
  readonly keepAliveMs?: number
  /** A longer answer counts as lost. Default 64 MiB. */
  readonly maxAnswerBytes?: number
}

/**
 * A `Transport` whose connections can be closed.
 *
 * @example
 * import { createClient } from 'rxraft/kv'
 *
 * const transport: HttpTransport = httpTransport()
 * const client = createClient({ transport, endpoints: ['http://127.0.0.1:7401'] })
 * await client.put('greeting', 'hello')
 * client.close()
 * transport.close()
 */
export interface HttpTransport extends Transport {
  /** Closes idle connections, so that a process can end. */
  close(): void
}

const defaults = { maxFreeSockets: 8, keepAliveMs: 30_000, maxAnswerBytes: 64 << 20 }

/**
 * Reaches servers over HTTP; endpoints are `http://host:port`. Throws `InvalidOption`. Idle connections do not keep a
 * process alive.
 *
 * @example
 * import { createClient } from 'rxraft/kv'
 *
 * createClient({ transport: httpTransport(), endpoints: ['http://127.0.0.1:7401', 'http://127.0.0.1:7402', 'http://127.0.0.1:7403'] })
 */
export const httpTransport = (options: HttpTransportOptions = {}): HttpTransport => {
  const tuned = withDefaults(defaults, options)
  check<HttpTransportOptions>(tuned, { maxFreeSockets: whole(), keepAliveMs: whole(), maxAnswerBytes: whole() })
  const { maxFreeSockets, keepAliveMs, maxAnswerBytes } = tuned
  const agent = new Agent({ keepAlive: true, maxFreeSockets, timeout: keepAliveMs })
  const origins = new Map<string, Origin>()
  const at = (endpoint: string): Origin => {
    const known = origins.get(endpoint) ?? originOf(endpoint)
    origins.set(endpoint, known)
    return known
  }

  const send = (endpoint: string, requests: ReadonlyArray<Uint8Array>): Observable<Delivery> => {
    const headers = { 'content-type': 'application/octet-stream' }
    const batch = { method: 'POST', path: '/v1/batch', headers, body: encodeRequests(requests) }
    return exchange(agent, at(endpoint), batch, maxAnswerBytes).pipe(map((exchanged) => deliveryIn(endpoint, exchanged)))
  }

  return {
    send,
    watch: (endpoint, prefix, fromRevision) => watchOver(at(endpoint), prefix, fromRevision),
    close: () => agent.destroy(),
  }
}

const deliveryIn = (endpoint: string, exchanged: Exchange): Delivery => {
  if (exchanged._tag !== 'Responded') return exchanged
  const { status, headers, body } = exchanged
  switch (status) {
    case 200: {
      const replies = decodeReplies(body)
      if (either.isLeft(replies))
        return { _tag: 'Lost', message: `${endpoint} answered with bytes that make no sense: ${replies.left.reason}.` }
      return withHint(deliveryOf(replies.right), headers)
    }
    case 421:
      return withHint({ _tag: 'Misdirected', leader: null }, headers)
    case 429:
      return { _tag: 'Busy', message: `${endpoint} is overloaded.` }
    case 413:
      return { _tag: 'TooLarge', message: `${endpoint} takes no request of this size: split it.` }
    // It was refused before anything was done.
    case 400:
    case 403:
    case 404:
    case 431:
      return { _tag: 'NeverSent', message: `${endpoint} does not take the request (${status}): ${body.toString('utf8', 0, 500)}` }
    default:
      return { _tag: 'Lost', message: `${endpoint} answered with status ${status}.` }
  }
}

/** Servers name a leader by its id, clients by its address, which comes as a header. */
const withHint = (delivery: Delivery, headers: IncomingHttpHeaders): Delivery => {
  const leader = headers['rxraft-leader']
  return delivery._tag === 'Misdirected' ? { _tag: 'Misdirected', leader: typeof leader === 'string' ? leader : null } : delivery
}
