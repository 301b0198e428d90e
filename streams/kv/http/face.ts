import type { Agent, IncomingMessage, ServerResponse } from 'node:http'
import type { BehaviorSubject } from 'rxjs'
import type { HttpAnswer } from './answer.js'
import type { Buffered } from './body.js'
import type { Gateway } from './gateway.js'
import type { TunedHttp } from './options.js'

/** What the parts of one HTTP face share. */
export interface Face {
  readonly options: TunedHttp
  readonly gateway: Gateway
  /** Keeps connections to the other servers. */
  readonly agent: Agent
  readonly buffered: Buffered
  readonly counted: Counted
  /** True, once: no more requests are taken, connections end with their answer, and watches end. */
  readonly closing$: BehaviorSubject<boolean>
}

/** Counted since the face began to listen, but for `watches`, which are those there are. */
export interface Counted {
  /** By the first digit of the status. */
  readonly answers: Record<string, number>
  watches: number
  watchesCut: number
  connectionsRefused: number
}

/** Sends an answer, unless nobody is there any more or somebody else has answered. */
export const reply = ({ counted, closing$ }: Face, res: ServerResponse, { status, headers, body }: HttpAnswer): void => {
  if (res.headersSent || res.destroyed) return
  const digit = `${Math.floor(status / 100)}xx`
  counted.answers[digit] = (counted.answers[digit] ?? 0) + 1
  res.writeHead(status, {
    ...headers,
    ...(status !== 304 && { 'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.length }),
    ...(closing$.value && { connection: 'close' }),
  })
  res.end(body)
}

/**
 * Whether a page of another origin makes this request in its visitor's name: what somebody reads on the web must not write to a server
 * on their own machine.
 */
export const isForeign = ({ method, headers: { origin, host } }: IncomingMessage): boolean =>
  origin !== undefined && method !== 'GET' && method !== 'HEAD' && (!URL.canParse(origin) || new URL(origin).host !== host)
