import { map, type Observable, of, race, take, timer } from 'rxjs'
import type { Metrics } from '../../server/metrics.js'
import { type HttpAnswer, json, problem } from './answer.js'
import type { HttpContext } from './httpContext.js'
import { metricsText } from './metrics.js'

const soon = { 'retry-after': '1' }

/** How long a server that is opening its storage may take to say how it is. */
const metricsWaitMs = 1_000

const notRunning = (): HttpAnswer => problem(503, 'NotRunning', 'The server behind this address is starting or has stopped.', soon)

const ofMetrics = ({ options }: HttpContext, answer: (metrics: Metrics) => HttpAnswer): Observable<HttpAnswer> =>
  race(options.server.raft.metrics$.pipe(map(answer)), timer(metricsWaitMs, options.scheduler).pipe(map(notRunning))).pipe(take(1))

/** How this server stands, in numbers. */
export const statusOf = (context: HttpContext): Observable<HttpAnswer> =>
  ofMetrics(context, ({ proposals, ...metrics }) => {
    const { server, peers } = context.options
    const { revision, compactRevision, keys, liveBytes, clients } = server.store()
    const leaderUrl = metrics.leader === null ? null : (peers[metrics.leader] ?? null)
    const store = { revision, compactRevision, keys: keys.size, liveBytes, sessions: clients.sessions.size }
    return json(200, { ...metrics, leaderUrl, proposals, ...store, watches: context.gateway.counts().watches })
  })

export const metricsOf = (context: HttpContext): Observable<HttpAnswer> =>
  ofMetrics(context, (metrics) => ({
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: metricsText(metrics, context),
  }))

/** Tells whether this server can serve clients: whether it knows a leader. */
export const healthOf = ({ gateway }: HttpContext): Observable<HttpAnswer> => {
  const leader = gateway.leader()
  return of(
    leader === null
      ? problem(503, 'NoLeader', 'No leader is known here: check that a majority runs.', soon)
      : json(200, { ok: true, leader }),
  )
}
