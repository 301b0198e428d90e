import type { IncomingMessage, ServerResponse } from 'node:http'
import { either } from 'fp-ts'
import { filter, takeUntil } from 'rxjs'
import { revision } from '../../../src/kv/ids.js'
import { key, withPrefix } from '../../../src/kv/key.js'
import { WatchError } from '../server/watch.js'
import type { WatchRefusal } from '../gateway/watches.js'
import { type HttpAnswer, overloaded, problem, refused } from './answer.js'
import { eventStream } from './eventStream.js'
import type { HttpContext } from './httpContext.js'
import { reply } from './send.js'
import { naturalIn, parameters } from './path.js'

/**
 * A watch as server-sent events. The client's socket is its only buffer: while it is full, the watch is paused in the
 * history of the store. A client that reads nothing for too long, or falls too far behind, is cut. It resumes with the
 * last id that it saw.
 */
export const onWatch = (context: HttpContext, req: IncomingMessage, res: ServerResponse, query: string): void => {
  const { gateway, closing$ } = context
  const bad = (sentence: string): void => reply(context, res, problem(400, 'BadRequest', sentence))

  const asked = parameters(query, ['prefix', 'from'])
  if (either.isLeft(asked)) return bad(asked.left)
  // A browser that reconnects asks for the same URL, and adds what it saw last.
  const lastSeen = req.headers['last-event-id']
  const seen = typeof lastSeen === 'string' ? naturalIn(lastSeen) : undefined
  const from = asked.right.from === undefined ? undefined : naturalIn(asked.right.from)
  if (seen === null || from === null) return bad('from and last-event-id are whole numbers.')
  const first = seen === undefined ? from : seen + 1
  const begin = gateway.watch({
    range: withPrefix(asked.right.prefix ?? key('')),
    fromRevision: first === undefined ? null : revision(first),
  })
  if (either.isLeft(begin)) return reply(context, res, refusalOf(begin.left))

  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' })
  if (req.method === 'HEAD') return void res.end()
  const events = eventStream(context, res)
  const watching = begin
    .right(events.paused$)
    .pipe(takeUntil(closing$.pipe(filter((isClosing) => isClosing))))
    .subscribe({
      next: events.tell,
      error: (error: unknown) => {
        const reason = error instanceof WatchError ? error.reason : null
        if (reason?._tag === 'Compacted') events.fail(reason)
        else events.cut()
      },
      complete: events.end,
    })
  res.on('close', () => watching.unsubscribe())
}

const refusalOf = (refusal: WatchRefusal): HttpAnswer => (refusal._tag === 'Overloaded' ? overloaded(refusal.limit) : refused(refusal))
