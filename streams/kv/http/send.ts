import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Body, type HttpAnswer, noRoom, type PassedOn } from './answer.js'
import type { HttpContext } from './httpContext.js'
import { hasUnreadBody, lingering } from './lingering.js'
import { stallTimer, type StallTimer, writeSlices } from './pace.js'
import { sliceBytes, slicesOf } from './slices.js'

/**
 * Sends an answer, unless nobody is there any more or somebody else has answered. A read whose answer needs more room than there is gets
 * 503; what a write did is always told, since it is short.
 */
export const reply = (face: HttpContext, res: ServerResponse, answer: HttpAnswer): void => {
  const { answering, counted, closing$ } = face
  const { status, headers, body } = answer
  if (res.headersSent || res.destroyed) return discard(body)
  const { method } = res.req
  const bytes = method === 'HEAD' ? 0 : heldBy(body)
  const release = method === 'GET' && typeof body !== 'string' ? answering.take(bytes) : answering.add(bytes)
  if (release === null) {
    discard(body)
    return reply(face, res, noRoom())
  }
  res.once('close', release)
  const digit = `${Math.floor(status / 100)}xx`
  counted.answers[digit] = (counted.answers[digit] ?? 0) + 1
  res.writeHead(status, { ...headers, ...lengthOf(answer), ...(closing$.value && { connection: 'close' }) })
  sendBody(face, res, body)
}

const sendBody = (face: HttpContext, res: ServerResponse, body: Body): void => {
  if (isPassedOn(body)) passOn(face, res, body.from)
  else if (res.req.method === 'HEAD') res.end()
  else if (typeof body === 'string') {
    if (hasUnreadBody(res.req)) lingering(face, res, body)
    else res.end(body)
  } else if (body instanceof Uint8Array) {
    if (body.length > sliceBytes) sendSlices(face, res, slicesOf(body))
    else sendAtOnce(face, res, body)
  } else sendSlices(face, res, body.slices)
}

/** What a body keeps in memory until it is sent: what it is made of, and what the socket has not taken. */
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

const patienceOf = ({ options: { scheduler, answerStallMs }, counted }: HttpContext, res: ServerResponse): StallTimer =>
  stallTimer(scheduler, res, answerStallMs, () => {
    counted.answersCut++
    res.destroy()
  })

const sendAtOnce = (face: HttpContext, res: ServerResponse, body: Uint8Array): void => {
  res.end(body)
  if ((res.socket?.writableLength ?? 0) > 0) patienceOf(face, res).begin()
}

/**
 * Sends slices as the client takes them, others having their turn between two of them. What is made is in memory once, and only for as
 * long as the client is there.
 */
const sendSlices = (face: HttpContext, res: ServerResponse, slices: Iterable<string | Uint8Array>): void => {
  const { scheduler } = face.options
  const slice = slices[Symbol.iterator]()
  const client = patienceOf(face, res)
  writeSlices(scheduler, res, slice, client, () => {
    res.end()
    client.begin()
  })
}

/** Sends what another server answers, at the pace of the client. Where it breaks off, so does this answer: the client must see it. */
const passOn = (face: HttpContext, res: ServerResponse, from: IncomingMessage): void => {
  const client = patienceOf(face, res)
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
