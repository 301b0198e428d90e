import { catchError, filter, from, merge, NEVER, Observable, of, type SchedulerLike, share } from 'rxjs'
import type { Effect, Persist, Send } from '../src/raft/effect.js'
import type { RaftEvent } from '../src/raft/event.js'
import type { Message } from '../src/raft/messages.js'
import type { Server } from '../src/raft/server.js'
import { Hot } from './hotInternals.js'
import { durably, type DurablyOptions } from './durably.js'
import type { Network, Rejected } from './network/network.js'
import { outbound } from './outbound.js'
import { type Inspection, run } from './run.js'
import type { Sink } from './sink.js'

export interface RaftSinks {
  /** Timers, state machine, clients: each is given every effect but `Persist` and `Send`, and answers with events. */
  readonly sinks: ReadonlyArray<Sink>
  readonly network: Network
  readonly storage: DurablyOptions
  readonly rejected: (what: Rejected) => void
  readonly scheduler: SchedulerLike
  readonly maxEffectsPerTurn: number
}

/**
 * A server as one cold Observable: subscribing starts it from `initial`, unsubscribing kills it, and
 * every step is emitted. Events go round:
 *
 *   timers, clients, network, disk, state machine ──▶ run ──▶ effects ──▶ the same, as sinks
 */
export const raft = (
  initial: Server,
  { sinks, network, storage, rejected, scheduler, maxEffectsPerTurn }: RaftSinks,
): Observable<Inspection> =>
  new Observable<Inspection>((subscriber) => {
    const toDisk$ = new Hot<Persist | Send>()
    const toNetwork$ = new Hot<Send>()
    const effect$ = new Hot<Effect>()
    const perform = (effect: Effect): void => {
      if (effect._tag === 'Send' && effect.after === null) toNetwork$.next(effect)
      else if (effect._tag === 'Send' || effect._tag === 'Persist') toDisk$.next(effect)
      else effect$.next(effect)
    }

    const disk$ = toDisk$.pipe(durably(storage), share())
    const persisted$ = disk$.pipe(filter((answer) => answer._tag === 'Persisted'))
    const released$ = disk$.pipe(
      filter((answer) => answer._tag === 'Send'),
      catchError(() => NEVER),
    ) // it is told by persisted$
    const message$: Observable<Message> = merge(toNetwork$, released$).pipe(outbound())

    const inbound$ = new Observable<RaftEvent>((events) =>
      from(network(message$)).subscribe({
        next: (event) => {
          if (event._tag === 'Rejected') rejected(event)
          else events.next(event)
        },
        error: (error: unknown) => events.error(error),
      }),
    )

    const started$ = of<RaftEvent>({ _tag: 'Started' })
    return merge(started$, ...sinks.map((sink) => sink(effect$)), inbound$, persisted$)
      .pipe(run({ initial, perform, scheduler, maxEffectsPerTurn }))
      .subscribe(subscriber)
  })
