import { Observable, type OperatorFunction, type SchedulerLike } from 'rxjs'
import type { Effect } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { checkedStep } from '../../src/raft/invariants.js'
import type { Server } from '../../src/raft/state/server.js'
import type { Step } from '../../src/raft/step.js'

/** One step of one server, as it is seen from outside: what happened, when, what it changed and what it led to. */
export interface Inspection {
  readonly at: number
  readonly event: RaftEvent
  readonly before: Server
  readonly after: Server
  readonly effects: ReadonlyArray<Effect>
}

/**
 * What `run` steps from, with and on.
 *
 * @example
 * const running = (initial: Server, perform: (effect: Effect) => void) => run({ initial, perform, scheduler, maxEffectsPerTurn: 1_024 })
 * const mistaken = (initial: Server, step: NonNullable<RunOptions['step']>) => run({ initial, perform: () => undefined, scheduler, maxEffectsPerTurn: 1, step })
 */
export interface RunOptions {
  /** A function is asked once a subscription: then nobody need hold the first state, and with it the log that it began with, as long as the run lasts. */
  readonly initial: Server | (() => Server)
  /** Performs one effect. */
  readonly perform: (effect: Effect) => void
  readonly scheduler: SchedulerLike
  /** Effects performed without a break; then the rest waits for the next turn of the scheduler. */
  readonly maxEffectsPerTurn: number
  /** What decides. Default `checkedStep`; a test may put a mistaken one in its place, to see that it is found. */
  readonly step?: typeof checkedStep
}

/**
 * The heart of the loop: a `scan` with a queue of its own. An event steps the state at once, so that
 * whoever caused it can see what became of it; its effects wait in this server's queue, which the
 * outermost call drains. So a step is never re-entered, effects keep their order, and the state has
 * moved before its effects are seen.
 *
 *   events   --a--------b---     1 causes c within the call
 *   effects  --(1234)---5---     a: 1 and 2; c: 3 and 4; b: 5
 */
export const run =
  ({ initial, perform, scheduler, maxEffectsPerTurn, step = checkedStep }: RunOptions): OperatorFunction<RaftEvent, Inspection> =>
  (event$) =>
    new Observable<Inspection>((subscriber) => {
      let server = typeof initial === 'function' ? initial() : initial
      /** A place is used again when all before it is done: a new array for each event would be an eighth of what it allocates. */
      let queue: (Effect | null)[] = []
      let head = 0
      let tail = 0
      let draining = true // until every source is subscribed to, the disk among them

      const drain = (): void => {
        draining = true
        for (let performed = 0; head < tail && !subscriber.closed; performed++) {
          if (performed === maxEffectsPerTurn) {
            queue = queue.slice(head, tail)
            tail -= head
            head = 0
            subscriber.add(scheduler.schedule(drain))
            return // still draining: nobody may overtake what waits
          }
          const effect = queue[head]!
          queue[head++] = null
          perform(effect)
        }
        if (tail > keptPlaces) queue = []
        head = tail = 0
        draining = false
      }

      subscriber.add(
        event$.subscribe({
          next: (event) => {
            const before = server
            const at = scheduler.now()
            let stepped: Step
            try {
              stepped = step(before, event, at)
            } catch (violation) {
              return subscriber.error(violation)
            }
            server = stepped.server
            const { effects } = stepped
            for (let i = 0; i < effects.length; i++) queue[tail++] = effects[i]!
            subscriber.next({ at, event, before, after: server, effects })
            if (!draining) drain()
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      )
      drain()
    })

/** Room for more effects at a time than this is not kept. */
const keptPlaces = 1_024
