import type { Agent, IncomingMessage } from 'node:http'
import type { Observable } from 'rxjs'
import type { HttpAnswer } from './answer.js'
import { begin, type Begun, type Origin } from './exchange.js'

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

/** Passes a request on, body and all, in the name of the server `by`. */
export const forward = (agent: Agent, to: Origin, req: IncomingMessage, body: Uint8Array, by: string): Observable<Begun> => {
  const headers: Record<string, string | string[]> = { [forwardedHeader]: by }
  for (const name of passedOn) {
    const value = req.headers[name]
    if (value !== undefined) headers[name] = value
  }
  return begin(agent, to, { method: req.method ?? 'GET', path: req.url ?? '/', headers, body })
}

export const passedBack = ({ status, body }: Extract<Begun, { _tag: 'Begun' }>): HttpAnswer => {
  const kept: Record<string, string> = {}
  for (const name of passedBackNames) {
    const value = body.headers[name]
    if (typeof value === 'string') kept[name] = value
  }
  return { status, headers: kept, body: { _tag: 'PassedOn', from: body } }
}
