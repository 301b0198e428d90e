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
  (context: HttpContext) =>
  (req: IncomingMessage, res: ServerResponse): void => {
    const answerWith = (answer$: Observable<HttpAnswer>): void => {
      const waiting: Subscription = answer$.subscribe((answer) => reply(context, res, answer))
      res.on('close', () => waiting.unsubscribe())
    }
    const refusal = refusedBySender(req, context.options)
    if (refusal !== null) return reply(context, res, refusal)
    const route = routeOf(req.method ?? 'GET', req.url ?? '/')
    switch (route._tag) {
      case 'Key':
        return onKey(context, req, res, route)
      case 'Range':
        return onRange(context, req, res, route.query)
      case 'Watch':
        return onWatch(context, req, res, route.query)
      case 'Session':
        return onSession(context, req, res)
      case 'Batch':
        return onBatch(context, req, res)
      case 'Status':
        return answerWith(statusOf(context))
      case 'Metrics':
        return answerWith(metricsOf(context))
      case 'Health':
        return answerWith(healthOf(context))
      case 'None':
        return reply(context, res, route.answer)
    }
  }
