import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpContext } from './httpContext.js'

/** How many times the longest body is read and thrown away at most. */
const times = 4

/** Tells whether the client may still be writing. A client that sent `expect` waits for our answer first. */
export const hasUnreadBody = ({ complete, headers }: IncomingMessage): boolean =>
  !complete && headers.expect === undefined && ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined)

/**
 * Answers a client that is still writing. A connection that is closed with bytes unread is reset, and a reset can
 * overtake the answer; many clients read only when they have written. So the answer goes out at once, and what still
 * comes is thrown away, for `lingerMs` and within a number of bytes. Then the connection is closed.
 */
export const lingeringClose = (
  { options: { scheduler, lingerMs, maxBodyBytes, maxBatchBytes } }: HttpContext,
  res: ServerResponse,
  body: string,
): void => {
  const { req } = res
  const maxBytes = times * Math.max(maxBodyBytes, maxBatchBytes)
  let length = 0
  const end = (): void => {
    timeUp.unsubscribe()
    res.end()
  }
  const close = (): void => {
    res.once('finish', () => req.socket.destroySoon())
    end()
  }
  const timeUp = scheduler.schedule(close, lingerMs)
  res.write(body)
  req.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length > maxBytes) close()
  })
  req.on('end', end)
  res.on('close', () => timeUp.unsubscribe())
}
