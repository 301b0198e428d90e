import { from, map, merge, Observable, type OperatorFunction, tap } from 'rxjs'
import type { NodeId } from '../../../src/raft/ids.js'
import type { Applied, StateMachine } from '../../sinks/stateMachine.js'
import type { Raft, StopReason } from '../../server/createRaft.js'
import type { Inspection } from '../../loop/run.js'
import type { Answer } from './answers.js'
import { Checks, type CheckOf, type Violation } from './checker.js'
import type { Acknowledged } from './clientView.js'
import type { ClusterRecord } from './record.js'

/**
 * What can be seen of a cluster from within and from without, each as it happens. Its times are of the clock of the
 * servers.
 */
export type Seen<R = unknown> =
  /** A server made a step: `inspect$`. */
  | { readonly _tag: 'Stepped'; readonly step: Inspection }
  /** A server ended, without being told to or otherwise: `stopped$`. */
  | { readonly _tag: 'Stopped'; readonly id: NodeId; readonly reason: StopReason }
  /** A state machine answered: `answering`. */
  | ({ readonly _tag: 'Answered' } & Answer<R>)
  /** A client was told. Before it, the state machine of the server that told it has `Answered`. */
  | ({ readonly _tag: 'Acknowledged' } & Acknowledged<R>)
  /** A watcher got the command at `index`: `apply$`, `applyFrom`. */
  | { readonly _tag: 'Watched'; readonly watcher: string; readonly index: number }
  /** A watcher begins after `index`, or its server began with a snapshot of it: `restore$`. */
  | { readonly _tag: 'WatchedFrom'; readonly watcher: string; readonly index: number }
  /** Whatever was wrong with disks, network and processes is mended, and nobody breaks anything from here on. */
  | { readonly _tag: 'Healed'; readonly at: number }

/** One property of a cluster, looked at whenever something is seen. */
export interface SeenCheck<R = unknown> {
  readonly name: string
  /** What is wrong, or null. The record knows of it already; `at` is the time. */
  readonly see: (seen: Seen<R>, at: number) => string | null
}

/**
 * A check that may look at what the steps have told, in the record that it is given.
 *
 * @example
 * const near: SeenCheckOf = ({ servers, committed }: ClusterRecord): SeenCheck => ({
 *   name: 'no server is far behind',
 *   see: () => {
 *     const far = [...servers.values()].find(({ now }) => committed.last - now.lastApplied > 10_000)
 *     return far === undefined ? null : `${far.now.id} is far behind`
 *   },
 * })
 */
export type SeenCheckOf<R = unknown> = (record: ClusterRecord) => SeenCheck<R>

/**
 * Checks as an operator over all that is seen of a cluster, merged in the order in which it happened: emits every
 * violation. `steps` are checks of the steps alone, as `checking` takes them.
 *
 * @example
 * outside$.pipe(observing([noneStops, sameAnswers()], [electionSafety])).subscribe(console.error)
 */
export const observing =
  <R>(checks: ReadonlyArray<SeenCheckOf<R>>, steps: ReadonlyArray<CheckOf> = []): OperatorFunction<Seen<R>, Violation> =>
  (seen$) =>
    new Observable((subscriber) => {
      const ofSteps = new Checks(steps)
      const all = checks.map((check) => check(ofSteps.record))
      let at = 0
      return seen$.subscribe({
        next: (seen) => {
          at = Math.max(at, timeOf(seen) ?? at)
          const violation = seen._tag === 'Stepped' ? ofSteps.see(seen.step) : null
          if (violation !== null) subscriber.next(violation)
          for (const { name, see } of all) {
            const message = see(seen, at)
            if (message !== null) subscriber.next({ name, at, message })
          }
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      })
    })

const timeOf = <R>(seen: Seen<R>): number | null => {
  switch (seen._tag) {
    case 'Stepped':
      return seen.step.at
    case 'Acknowledged':
      return seen.return
    case 'Healed':
      return seen.at
    default:
      return null
  }
}

/**
 * What one life of a server shows by itself: its steps, and why it stopped.
 *
 * @example
 * merge(...servers.map((server) => seenOf<number, number>(server)))
 *   .pipe(observing([noneStops], allChecks))
 *   .subscribe(({ name, message }) => alarm(`${name}: ${message}`))
 */
export const seenOf = <C, R>({ id, inspect$, stopped$ }: Pick<Raft<C, R>, 'id' | 'inspect$' | 'stopped$'>): Observable<Seen<R>> =>
  merge(
    inspect$.pipe(map((step): Seen<R> => ({ _tag: 'Stepped', step }))),
    stopped$.pipe(map((reason): Seen<R> => ({ _tag: 'Stopped', id, reason }))),
  )

/**
 * The state machine of server `id`. Its answers are also told to `tell`, before anything else hears of them.
 *
 * @example
 * const seen$ = new Subject<Seen<number>>()
 * const counter: StateMachine<number, number> = (apply$) => apply$.pipe(map(({ index }) => ({ index, result: index })))
 * const stateMachine = answering(nodeId('n1'), counter, (seen) => seen$.next(seen))
 * createRaft({ id: 'n1', network, storage, codec: json<number>(), stateMachine })
 */
export const answering =
  <C, R>(id: NodeId, machine: StateMachine<C, R>, tell: (seen: Seen<R>) => void): StateMachine<C, R> =>
  (apply$, snapshot) =>
    from(machine(apply$, snapshot)).pipe(tap(({ index, result }: Applied<R>) => tell({ _tag: 'Answered', id, index, result })))
