import type { Agent, IncomingMessage } from 'node:http'
import { map } from 'rxjs'
import type { PeerDelivery, PeerTransport } from '../gateway/peerTransport.js'
import type { HttpAnswer } from './answer.js'
import { begin, type Begun, type Origin, originOf } from './exchange.js'

/** Names the server that forwarded a request. */
export const forwardedHeader = 'rxraft-forwarded'

/** A request as a client sent it, its body in memory. */
export interface Received {
  readonly req: IncomingMessage
  readonly body: Uint8Array
}

/** An answer of another server, of which the headers have arrived. */
export type PeerAnswer = Extract<Begun, { readonly _tag: 'Begun' }>

/** The headers of a request that matter to the store. */
const forwardedNames = [
  'if-match',
  'if-none-match',
  'idempotency-key',
  'rxraft-session',
  'rxraft-serial',
  'rxraft-first-unanswered',
] as const

/** The headers of an answer that matter to a client. */
const returnedNames = ['content-type', 'etag', 'retry-after', 'x-content-type-options', 'rxraft-create-revision', 'rxraft-version'] as const

export interface HttpPeersOptions {
  /** Keeps connections to the other servers. */
  readonly agent: Agent
  /** This server. */
  readonly id: string
  readonly peers: Readonly<Record<string, string>>
}

/** Asks another server over HTTP: with the same request, in the name of this server. */
export const httpPeers = ({ agent, id, peers }: HttpPeersOptions): PeerTransport<Received, PeerAnswer> => {
  const origins = new Map<string, Origin>()
  const originAt = (url: string): Origin => {
    const known = origins.get(url) ?? originOf(url)
    origins.set(url, known)
    return known
  }
  return {
    forward: (to, { original: { req, body } }) => {
      const url = peers[to]
      if (url === undefined) return null
      const { method = 'GET', url: path = '/' } = req
      return begin(agent, originAt(url), { method, path, headers: { [forwardedHeader]: id, ...chosen(req, forwardedNames) }, body }).pipe(
        map(deliveryOf),
      )
    },
  }
}

/** The status says how the request ended. The rest of an answer goes to the client as it comes. */
const deliveryOf = (begun: Begun): PeerDelivery<PeerAnswer> => {
  if (begun._tag !== 'Begun') return begun
  if (begun.status !== 504 && begun.status !== 421) return { _tag: 'Answered', answer: begun }
  begun.body.resume() // a sentence for people
  return { _tag: begun.status === 504 ? 'Indeterminate' : 'NotLeader' }
}

/** The answer of another server, as an answer of this one. */
export const returned = ({ status, body }: PeerAnswer): HttpAnswer => ({
  status,
  headers: chosen(body, returnedNames),
  body: { _tag: 'PassedOn', from: body },
})

const chosen = ({ headers }: IncomingMessage, names: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
