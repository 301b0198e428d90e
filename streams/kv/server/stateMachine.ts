import { BehaviorSubject, EMPTY, Observable, type SchedulerLike, type Subscription, tap } from 'rxjs'
import { applyAll } from '../../../src/kv/apply.js'
import type { KvLimits } from '../../../src/kv/limits.js'
import type { KvResult } from '../../../src/kv/result.js'
import { emptyStore, type Store } from '../../../src/kv/store.js'
import type { Applied, ApplyMsg, Snapshot, StateMachine } from '../../sinks/stateMachine.js'
import { check, scheduler as isScheduler, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import { defaultClock } from '../../server/options.js'
import { kvLimits } from './limits.js'
import { snapshotOf, storeOf } from './storeSnapshots.js'

/**
 * The options of `kvStateMachine`.
 *
 * @example
 * kvStateMachine({ scheduler, limits: { maxKeyBytes: 1_024 }, maxAppliesPerSlice: 256 })
 */
export interface KvStateMachineOptions {
  /** Where they differ from `defaultLimits`; the same on every server of the cluster. */
  readonly limits?: Partial<KvLimits>
  /** Default `realClock`. */
  readonly scheduler?: SchedulerLike
  /** Commands applied without letting others have a turn. Default 512, a few milliseconds' work. */
  readonly maxAppliesPerSlice?: number
}

/**
 * The store as a state machine, with what its server needs around it.
 *
 * @example
 * const { stateMachine, store$, take, check }: KvStateMachine = kvStateMachine({ scheduler })
 * createRaft({ id: 'n1', network, storage, stateMachine, snapshots: { take, check } })
 * store$.subscribe(({ revision }) => console.log(revision))
 */
export interface KvStateMachine {
  /**
   * For `createRaft`; commands are requests as `encodeRequest` makes them, snapshots as `encodeSnapshot` does. For one
   * server.
   */
  readonly stateMachine: StateMachine<Uint8Array, KvResult>
  /**
   * The present store; when a command is answered for, this store has it. After a snapshot from a leader it is the
   * restored one.
   */
  readonly store$: BehaviorSubject<Store>
  /**
   * For the option `snapshots` of `createRaft`: the present store, in slices; nothing where a snapshot holds all of it
   * already.
   */
  readonly take: () => Observable<Snapshot>
  /**
   * For the option `snapshots` of `createRaft`: reads a snapshot, in slices, and forgets it. Fails where it holds no
   * store.
   */
  readonly check: (snapshot: Snapshot) => Observable<unknown>
}

/**
 * The key/value store as a state machine. Commands of one turn are applied in the next, in slices. A slice makes one
 * copy of the store for all its commands, which costs less than a copy for each. A snapshot is read in slices too;
 * commands wait for it. Throws `InvalidOption`.
 *
 *   apply$   (123)-------     slices of two
 *   store$   -----(2)(3)-
 *   Applied  -----(12)(3)
 *
 * @example
 * const { stateMachine } = kvStateMachine({ scheduler })
 * createRaft({ id: 'n1', network, storage, stateMachine })
 */
export const kvStateMachine = (options: KvStateMachineOptions = {}): KvStateMachine => {
  const tuned = withDefaults({ limits: {}, scheduler: defaultClock, maxAppliesPerSlice: 512 }, options)
  check<KvStateMachineOptions>(tuned, { limits: kvLimits, scheduler: isScheduler, maxAppliesPerSlice: whole() })
  const { limits, scheduler, maxAppliesPerSlice } = tuned
  const store$ = new BehaviorSubject(emptyStore(limits))
  /** Up to where a snapshot holds the store. */
  let covered = 0
  /** A snapshot is being read: commands wait for the store in it. */
  let restoring = false

  const stateMachine: StateMachine<Uint8Array, KvResult> = (apply$: Observable<ApplyMsg>, snapshot: Snapshot | null) =>
    new Observable<Applied<KvResult>>((subscriber) => {
      /** The core bounds it: it hands over no more than `maxApplying`. */
      const waiting: ApplyMsg[] = []
      let turn: Subscription | undefined

      const slice = (): void => {
        turn = undefined
        const msgs = waiting.splice(0, maxAppliesPerSlice)
        const { store, applied } = applyAll(store$.value, msgs)
        store$.next(store)
        msgs.forEach(({ index }, i) => subscriber.next({ index, result: applied[i]!.result }))
        schedule()
      }
      const schedule = (): void => {
        if (!restoring && waiting.length > 0) turn ??= scheduler.schedule(slice)
      }

      const begin = (store: Store): void => {
        restoring = false
        covered = store.appliedIndex
        store$.next(store)
        schedule()
      }

      subscriber.add(() => turn?.unsubscribe())
      if (snapshot !== null) {
        restoring = true
        subscriber.add(storeOf(snapshot, limits, scheduler).subscribe({ next: begin, error: (error: unknown) => subscriber.error(error) }))
      }
      subscriber.add(
        apply$.subscribe((msg) => {
          waiting.push(msg)
          schedule()
        }),
      )
    })

  const take = (): Observable<Snapshot> => {
    const store = store$.value
    if (restoring || store.appliedIndex <= covered) return EMPTY
    return snapshotOf(store, scheduler).pipe(tap(({ index }) => (covered = Math.max(covered, index))))
  }

  return { stateMachine, store$, take, check: (snapshot) => storeOf(snapshot, limits, scheduler) }
}
