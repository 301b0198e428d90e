import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HttpAnswer, overloaded, problem } from './answer.js'

/** How many bytes of bodies are in memory. */
export interface Buffered {
  bytes: number
}

export interface BodyBounds {
  readonly maxBytes: number
  readonly maxBufferedBytes: number
  readonly buffered: Buffered
}

const nothing = Buffer.alloc(0)

/**
 * How much more than the bound is read and thrown away, so that the client, which writes first and reads then, gets the
 * answer.
 */
const drainFactor = 4

const tooLarge = (maxBytes: number, hangUp: boolean): HttpAnswer =>
  problem(413, 'BodyTooLarge', `A body here has at most ${maxBytes} bytes: split it.`, hangUp ? { connection: 'close' } : {})

/**
 * Reads a body into memory; the memory is counted until `res` is closed. A body that announces too large a length is
 * refused before it is read; any other is refused where it exceeds the bound. Where the client leaves, neither `done`
 * nor `refuse` is called.
 */
export const readBody = (
  req: IncomingMessage,
  res: ServerResponse,
  { maxBytes, maxBufferedBytes, buffered }: BodyBounds,
  done: (body: Buffer) => void,
  refuse: (answer: HttpAnswer) => void,
): void => {
  const announced = req.headers['content-length']
  const expected = announced === undefined ? 0 : Number(announced)
  if (expected > maxBytes) return refuse(tooLarge(maxBytes, expected > drainFactor * maxBytes))
  if (buffered.bytes + expected > maxBufferedBytes) return refuse(overloaded('maxBufferedBytes'))
  if (expected === 0 && req.headers['transfer-encoding'] === undefined) return done(nothing)

  // A client that asks first is told to go on: it would wait.
  if (req.headers.expect !== undefined) res.writeContinue()
  let chunks: Buffer[] = []
  let length = 0
  const stop = (answer: HttpAnswer): void => {
    req.off('data', onData).off('end', onEnd)
    chunks = []
    refuse(answer)
  }
  const onData = (chunk: Buffer): void => {
    length += chunk.length
    buffered.bytes += chunk.length
    if (length > maxBytes) return stop(tooLarge(maxBytes, true))
    if (buffered.bytes > maxBufferedBytes) return stop(overloaded('maxBufferedBytes'))
    chunks.push(chunk)
  }
  const onEnd = (): void => done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length))
  req.on('data', onData).on('end', onEnd)
  res.on('close', () => {
    buffered.bytes -= length
    chunks = []
  })
}
