import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Body, type HttpAnswer, noRoom, type PassedOn } from './answer.js'
import type { HttpContext } from './httpContext.js'
import { hasUnreadBody, lingeringClose } from './lingeringClose.js'
import { stallTimer, type StallTimer } from './stallTimer.js'
import { writeSlices } from './writeSlices.js'
import { sliceBytes, slicesOf } from './slices.js'

/**
 * Sends an answer, unless the client is gone or has an answer already. A read gets 503 where there is no room for its
 * answer. The answer to a write is short, so it is always sent.
 */
export const reply = (context: HttpContext, res: ServerResponse, answer: HttpAnswer): void => {
  const { answerBudget, counted, closing$ } = context
  const { status, headers, body } = answer
  if (res.headersSent || res.destroyed) return discard(body)
  const { method } = res.req
  const bytes = method === 'HEAD' ? 0 : heldBy(body)
  const release = method === 'GET' && typeof body !== 'string' ? answerBudget.take(bytes) : answerBudget.add(bytes)
  if (release === null) {
    discard(body)
    return reply(context, res, noRoom())
  }
  res.once('close', release)
  const digit = `${Math.floor(status / 100)}xx`
  counted.answers[digit] = (counted.answers[digit] ?? 0) + 1
  res.writeHead(status, { ...headers, ...lengthOf(answer), ...(closing$.value && { connection: 'close' }) })
  sendBody(context, res, body)
}

const sendBody = (context: HttpContext, res: ServerResponse, body: Body): void => {
  if (isPassedOn(body)) passOn(context, res, body.from)
  else if (res.req.method === 'HEAD') res.end()
  else if (typeof body === 'string') {
    if (hasUnreadBody(res.req)) lingeringClose(context, res, body)
    else res.end(body)
  } else if (body instanceof Uint8Array) {
    if (body.length > sliceBytes) sendSlices(context, res, slicesOf(body))
    else sendAtOnce(context, res, body)
  } else sendSlices(context, res, body.slices)
}

/** Bytes that a body keeps in memory until it is sent: its values, and what the socket has not taken. */
const heldBy = (body: Body): number => {
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.length
  return body._tag === 'Sliced' ? body.holds + sliceBytes : 2 * sliceBytes
}

const lengthOf = ({ status, body }: HttpAnswer): Readonly<Record<string, number | string>> => {
  if (status === 304) return {}
  if (typeof body === 'string') return { 'content-length': Buffer.byteLength(body) }
  if (body instanceof Uint8Array) return { 'content-length': body.length }
  const known = isPassedOn(body) ? body.from.headers['content-length'] : undefined
  return known === undefined ? {} : { 'content-length': known }
}

const isPassedOn = (body: Body): body is PassedOn => typeof body !== 'string' && '_tag' in body && body._tag === 'PassedOn'

const discard = (body: Body): void => {
  if (isPassedOn(body)) body.from.destroy()
}

const stallTimerOf = ({ options: { scheduler, answerStallMs }, counted }: HttpContext, res: ServerResponse): StallTimer =>
  stallTimer(scheduler, res, answerStallMs, () => {
    counted.answersCut++
    res.destroy()
  })

const sendAtOnce = (context: HttpContext, res: ServerResponse, body: Uint8Array): void => {
  res.end(body)
  if ((res.socket?.writableLength ?? 0) > 0) stallTimerOf(context, res).begin()
}

/**
 * Sends slices as the client takes them; between two slices others have their turn. Only the slices that are sent are
 * made.
 */
const sendSlices = (context: HttpContext, res: ServerResponse, slices: Iterable<string | Uint8Array>): void => {
  const { scheduler } = context.options
  const slice = slices[Symbol.iterator]()
  const client = stallTimerOf(context, res)
  writeSlices(scheduler, res, slice, client, () => {
    res.end()
    client.begin()
  })
}

/**
 * Sends what another server answers, at the pace of the client. Where it breaks off, so does this answer: the client
 * must see it.
 */
const passOn = (context: HttpContext, res: ServerResponse, from: IncomingMessage): void => {
  const client = stallTimerOf(context, res)
  client.begin()
  from.on('data', (chunk: Buffer) => {
    if (res.destroyed) return
    client.begin()
    if (!res.write(chunk)) from.pause()
  })
  from.on('end', () => res.end())
  from.on('error', () => res.destroy())
  res.on('drain', () => {
    client.begin()
    from.resume()
  })
  res.on('close', () => from.destroy())
}
