import { distinctUntilChanged, filter, map, Observable, type SchedulerLike, takeUntil, timer } from 'rxjs'
import { after, type LogIndex, logIndex } from '../../src/raft/ids.js'
import { leaderOf, type Server } from '../../src/raft/state/server.js'
import { IterableObservable } from '../rx/iterable.js'
import type { AppliedSink } from '../sinks/applied.js'
import type { ProposalsSink } from '../sinks/proposals.js'
import type { ApplyMsg } from '../sinks/stateMachine.js'
import type { Codec } from '../wire/codec.js'
import type { Lifecycle } from './lifecycle.js'
import { metricsOf } from './metrics.js'
import type { Observed } from './observed.js'
import type { Raft } from './raftServer.js'

export interface ViewsOptions<C> {
  readonly observed: Observed
  readonly machine: Pick<AppliedSink<C, never>, 'apply$' | 'restore$' | 'givenIndex'>
  readonly codec: Codec<C>
  readonly scheduler: SchedulerLike
  readonly metricsMs: number
  readonly clients: Pick<ProposalsSink<never>, 'counts'>
  readonly lifecycle: Pick<Lifecycle, 'stopped$' | 'storage' | 'close'>
}

type Views<C> = Omit<Raft<C, never>, 'id' | 'start' | 'kill' | 'propose' | 'snapshot'>

/** What is seen of a server from outside. Subscribing only watches. */
export const views = <C>(options: ViewsOptions<C>): Views<C> => {
  const { observed, machine, lifecycle } = options
  const { state$, rejected$, inspect$ } = observed
  const { stopped$ } = lifecycle
  return {
    close: () => {
      lifecycle.close()
      return iterable(stopped$)
    },
    state$: iterable(state$),
    role$: iterable(
      state$.pipe(
        map(({ role }) => role._tag),
        distinctUntilChanged(),
      ),
    ),
    leader$: iterable(state$.pipe(map(leaderOf), distinctUntilChanged())),
    apply$: iterable(machine.apply$),
    applyFrom: (index) => iterable(applyFrom(logIndex(index), options)),
    restore$: iterable(machine.restore$),
    rejected$: iterable(rejected$),
    metrics$: iterable(metrics(options)),
    inspect$: iterable(inspect$),
    stopped$: iterable(stopped$),
  }
}

const iterable = <T>(stream$: Observable<T>): IterableObservable<T> => new IterableObservable(stream$)

/** The commands that the log still holds, then those to come. */
const applyFrom = <C>(first: LogIndex, { observed: { state$ }, machine, codec }: ViewsOptions<C>): Observable<ApplyMsg<C>> =>
  new Observable((subscriber) => {
    const server = state$.value
    if (server !== null) for (const msg of given(first, machine.givenIndex(), server, codec)) subscriber.next(msg)
    return machine.apply$.pipe(filter(({ index }) => index >= first)).subscribe(subscriber)
  })

const given = <C>(first: LogIndex, last: LogIndex, { log }: Server, codec: Codec<C>): ReadonlyArray<ApplyMsg<C>> => {
  const msgs: ApplyMsg<C>[] = []
  for (let index = logIndex(Math.max(first, log.base.index + 1)); index <= last; index = after(index)) {
    const entry = log.at(index)
    if (entry?.kind === 'command') msgs.push({ index, term: entry.term, command: codec.decode(entry.command) })
  }
  return msgs
}

const metrics = <C>({ observed: { state$, counters }, scheduler, metricsMs, clients, lifecycle }: ViewsOptions<C>) =>
  timer(0, metricsMs, scheduler).pipe(
    map(() => state$.value),
    filter((server) => server !== null),
    map((server) =>
      metricsOf(server, { proposals: clients.counts(), counts: counters.counts(), storageBytes: lifecycle.storage?.sizeBytes() ?? 0 }),
    ),
    takeUntil(lifecycle.stopped$),
  )
