import { map, type Observable, of, race, take, timer } from 'rxjs'
import type { Metrics } from '../../server/metrics.js'
import { type HttpAnswer, json, problem } from './answer.js'
import type { HttpContext } from './httpContext.js'
import { metricsText } from './metrics.js'

const soon = { 'retry-after': '1' }

/** How long a server that is opening its storage may take to say how it is. */
const patienceMs = 1_000

const notRunning = (): HttpAnswer => problem(503, 'NotRunning', 'The server behind this address is starting or has stopped.', soon)

const ofMetrics = ({ options }: HttpContext, answer: (metrics: Metrics) => HttpAnswer): Observable<HttpAnswer> =>
  race(options.server.raft.metrics$.pipe(map(answer)), timer(patienceMs, options.scheduler).pipe(map(notRunning))).pipe(take(1))

/** How this server stands, in numbers. */
export const statusOf = (face: HttpContext): Observable<HttpAnswer> =>
  ofMetrics(face, ({ proposals, ...metrics }) => {
    const { server, peers } = face.options
    const { revision, compactRevision, keys, liveBytes, clients } = server.store()
    const leaderUrl = metrics.leader === null ? null : (peers[metrics.leader] ?? null)
    const store = { revision, compactRevision, keys: keys.size, liveBytes, sessions: clients.sessions.size }
    return json(200, { ...metrics, leaderUrl, proposals, ...store, watches: face.gateway.counts().watches })
  })

export const metricsOf = (face: HttpContext): Observable<HttpAnswer> =>
  ofMetrics(face, (metrics) => ({
    status: 200,
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    body: metricsText(metrics, face),
  }))

/** Whether a client is well served here: there is a leader to bring requests to. */
export const healthOf = ({ gateway }: HttpContext): Observable<HttpAnswer> => {
  const leader = gateway.leader()
  return of(
    leader === null
      ? problem(503, 'NoLeader', 'No leader is known here: check that a majority runs.', soon)
      : json(200, { ok: true, leader }),
  )
}
