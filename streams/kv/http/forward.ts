import type { Agent, IncomingMessage } from 'node:http'
import type { Observable } from 'rxjs'
import type { HttpAnswer } from './answer.js'
import { exchange, type Exchange, type Origin } from './exchange.js'

/** Names the server that passed a request on. It is passed on once: two servers that each take the other for the leader must not play with it. */
export const forwardedHeader = 'rxraft-forwarded'

/** What of a request matters to the store. */
const passedOn = ['if-match', 'if-none-match', 'idempotency-key', 'rxraft-session', 'rxraft-serial', 'rxraft-first-unanswered'] as const

/** What of an answer matters to a client. */
const passedBackNames = [
  'content-type',
  'etag',
  'retry-after',
  'x-content-type-options',
  'rxraft-create-revision',
  'rxraft-version',
] as const

/** Pages of values in base64 and JSON are the longest answers there are. */
const maxAnswerBytes = 64 << 20

/** Passes a request on, body and all, in the name of the server `by`. */
export const forward = (agent: Agent, to: Origin, req: IncomingMessage, body: Uint8Array, by: string): Observable<Exchange> => {
  const headers: Record<string, string | string[]> = { [forwardedHeader]: by }
  for (const name of passedOn) {
    const value = req.headers[name]
    if (value !== undefined) headers[name] = value
  }
  // A HEAD is answered with the length of what a GET would give, so it is asked for.
  const method = req.method === 'HEAD' ? 'GET' : (req.method ?? 'GET')
  return exchange(agent, to, { method, path: req.url ?? '/', headers, body, maxAnswerBytes })
}

export const passedBack = ({ status, headers, body }: Extract<Exchange, { _tag: 'Responded' }>): HttpAnswer => {
  const kept: Record<string, string> = {}
  for (const name of passedBackNames) {
    const value = headers[name]
    if (typeof value === 'string') kept[name] = value
  }
  return { status, headers: kept, body }
}
