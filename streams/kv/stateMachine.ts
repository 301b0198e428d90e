import { BehaviorSubject, Observable, type SchedulerLike, type Subscription } from 'rxjs'
import { applyAll } from '../../src/kv/apply.js'
import type { KvLimits } from '../../src/kv/limits.js'
import type { KvResult } from '../../src/kv/result.js'
import { emptyStore, type Store } from '../../src/kv/store.js'
import type { Applied, ApplyMsg, StateMachine } from '../applied.js'

export interface KvStateMachineOptions {
  readonly limits?: Partial<KvLimits>
  readonly scheduler: SchedulerLike
  /** Commands applied without letting others have a turn. Default 512, a few milliseconds' work. */
  readonly maxAppliesPerSlice?: number
}

export interface KvStateMachine {
  /** For `createRaft`; commands are requests as `encodeRequest` makes them. To be subscribed to once: it starts from an empty store. */
  readonly stateMachine: StateMachine<Uint8Array, KvResult>
  /** The present store; when a command is answered for, this store has it. */
  readonly store$: BehaviorSubject<Store>
}

/**
 * The key/value store as a state machine. What is handed over in one turn is applied in the next, in slices, each with one copy of
 * the store for all its commands, which costs less than a copy for each.
 *
 *   apply$   (123)-------     slices of two
 *   store$   -----(2)(3)-
 *   Applied  -----(12)(3)
 */
export const kvStateMachine = ({ limits = {}, scheduler, maxAppliesPerSlice = 512 }: KvStateMachineOptions): KvStateMachine => {
  const store$ = new BehaviorSubject(emptyStore(limits))

  const stateMachine = (apply$: Observable<ApplyMsg>): Observable<Applied<KvResult>> =>
    new Observable((subscriber) => {
      /** Bounded by the core, which hands over no more than `maxHandedOver`. */
      const waiting: ApplyMsg[] = []
      let turn: Subscription | undefined

      const slice = (): void => {
        turn = undefined
        const msgs = waiting.splice(0, maxAppliesPerSlice)
        const { store, applied } = applyAll(store$.value, msgs)
        store$.next(store)
        msgs.forEach(({ index }, i) => subscriber.next({ index, result: applied[i]!.result }))
        if (waiting.length > 0) schedule()
      }
      const schedule = (): void => {
        turn ??= scheduler.schedule(slice)
      }

      subscriber.add(() => turn?.unsubscribe())
      subscriber.add(
        apply$.subscribe((msg) => {
          waiting.push(msg)
          schedule()
        }),
      )
    })

  return { stateMachine, store$ }
}
