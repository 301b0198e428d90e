import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Observable, Subscription } from 'rxjs'
import type { HttpAnswer } from './answer.js'
import { onBatch } from './batch.js'
import type { HttpContext } from './httpContext.js'
import { refusedBySender } from './hosts.js'
import { onKey, onRange, onSession } from './keys.js'
import { routeOf } from './routes.js'
import { reply } from './send.js'
import { healthOf, metricsOf, statusOf } from './status.js'
import { onWatch } from './watch.js'

/** Has a request answered, whatever it is. */
export const handler =
  (face: HttpContext) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    const answerWith = (answer$: Observable<HttpAnswer>): void => {
      const waiting: Subscription = answer$.subscribe((answer) => reply(face, res, answer))
      res.on('close', () => waiting.unsubscribe())
    }
    const refusal = refusedBySender(req, face.options)
    if (refusal !== null) return reply(face, res, refusal)
    const route = routeOf(req.method ?? 'GET', req.url ?? '/')
    switch (route._tag) {
      case 'Key':
        return onKey(face, req, res, route)
      case 'Range':
        return onRange(face, req, res, route.query)
      case 'Watch':
        return onWatch(face, req, res, route.query)
      case 'Session':
        return onSession(face, req, res)
      case 'Batch':
        return onBatch(face, req, res)
      case 'Status':
        return answerWith(statusOf(face))
      case 'Metrics':
        return answerWith(metricsOf(face))
      case 'Health':
        return answerWith(healthOf(face))
      case 'None':
        return reply(face, res, route.answer)
    }
  }
