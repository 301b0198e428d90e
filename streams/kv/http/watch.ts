import type { IncomingMessage, ServerResponse } from 'node:http'
import { either } from 'fp-ts'
import { filter, takeUntil } from 'rxjs'
import { revision } from '../../../src/kv/ids.js'
import { key, withPrefix } from '../../../src/kv/key.js'
import { WatchError } from '../server/watch.js'
import { overloaded, problem, refused } from './answer.js'
import { eventStream } from './eventStream.js'
import type { HttpContext } from './httpContext.js'
import { reply } from './send.js'
import { naturalIn, parameters } from './path.js'

/**
 * A watch as server-sent events. The client's socket is its only buffer: while that is full the watch stands still in the history of the
 * store, and a client that does not read for too long, or falls too far behind, is cut. It resumes with the last id it saw.
 */
export const onWatch = (face: HttpContext, req: IncomingMessage, res: ServerResponse, query: string): void => {
  const { options, counted, closing$ } = face
  const { server, maxWatches, maxWatchBehind: maxBehind, watchHeartbeatMs: progressMs } = options
  const bad = (sentence: string): void => reply(face, res, problem(400, 'BadRequest', sentence))

  const asked = parameters(query, ['prefix', 'from'])
  if (either.isLeft(asked)) return bad(asked.left)
  // A browser that reconnects asks for the same URL, and adds what it saw last.
  const lastSeen = req.headers['last-event-id']
  const seen = typeof lastSeen === 'string' ? naturalIn(lastSeen) : undefined
  const from = asked.right.from === undefined ? undefined : naturalIn(asked.right.from)
  if (seen === null || from === null) return bad('from and last-event-id are whole numbers.')
  if (counted.watches >= maxWatches) return reply(face, res, overloaded('maxWatches'))
  const first = seen === undefined ? from : seen + 1
  const { compactRevision } = server.store()
  if (first !== undefined && first < compactRevision) return reply(face, res, refused({ _tag: 'Compacted', compactRevision }))

  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' })
  if (req.method === 'HEAD') return void res.end()
  counted.watches++
  const events = eventStream(face, res)
  const changes$ = server.watch({
    range: withPrefix(asked.right.prefix ?? key('')),
    ...(first !== undefined && { fromRevision: revision(first) }),
    paused$: events.paused$,
    maxBehind,
    progressMs,
  })
  const watching = changes$.pipe(takeUntil(closing$.pipe(filter((isClosing) => isClosing)))).subscribe({
    next: events.tell,
    error: (error: unknown) => {
      const reason = error instanceof WatchError ? error.reason : null
      if (reason?._tag === 'Compacted') events.fail(reason)
      else events.cut()
    },
    complete: events.end,
  })
  res.on('close', () => {
    counted.watches--
    watching.unsubscribe()
  })
}
