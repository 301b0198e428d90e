import { concat, delay, from, ignoreElements, map, mergeMap, NEVER, type Observable, of, type SchedulerLike } from 'rxjs'
import type { Delivery, Transport } from '../../streams/kv/transport.js'

export interface Losses {
  readonly random: () => number
  readonly scheduler: SchedulerLike
  /** Probability that a batch never arrives. */
  readonly request?: number
  /** Probability that the answer to a batch never arrives. */
  readonly answer?: number
  /** Probability that a batch arrives a second time, later. */
  readonly duplicate?: number
  /** Silent losses are noticed by nobody; others break the connection. */
  readonly silent?: boolean
}

/** How often each fault bit: a run in which one did not has not tested it. */
export interface LossCounts {
  requests: number
  answers: number
  duplicates: number
}

const lost: Delivery = { _tag: 'Lost', message: 'the connection broke' }

/** A transport over which batches and answers get lost, and batches arrive twice. */
export const lossy = (transport: Transport, { random, scheduler, request = 0, answer = 0, duplicate = 0, silent = false }: Losses) => {
  const counts: LossCounts = { requests: 0, answers: 0, duplicates: 0 }
  const noticed$ = (): Observable<Delivery> => (silent ? NEVER : of(lost).pipe(delay(5, scheduler)))

  const send: Transport['send'] = (endpoint, requests) => {
    if (random() < request) {
      counts.requests++
      return noticed$()
    }
    if (random() < duplicate) {
      counts.duplicates++
      of(null)
        .pipe(
          delay(Math.floor(random() * 400), scheduler),
          mergeMap(() => from(transport.send(endpoint, requests))),
        )
        .subscribe()
    }
    const answer$ = from(transport.send(endpoint, requests))
    if (random() >= answer) return answer$
    counts.answers++
    return concat(answer$.pipe(ignoreElements()), noticed$()).pipe(map((delivery): Delivery => delivery))
  }
  return { transport: { ...transport, send }, counts }
}
