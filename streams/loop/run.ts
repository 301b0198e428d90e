import { Observable, type OperatorFunction, type SchedulerLike } from 'rxjs'
import type { Effect } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { checkedStep } from '../../src/raft/invariants.js'
import type { Server } from '../../src/raft/state/server.js'
import type { Step } from '../../src/raft/step.js'

/**
 * One step of one server, as it is seen from outside: what happened, when, what it changed and what it led to.
 *
 * @example
 * server.inspect$.subscribe(({ at, before, after }: Inspection) => {
 *   if (before.role._tag !== after.role._tag) console.log(at, after.role._tag) // 412 Candidate
 * })
 */
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
 * const mistaken = (initial: Server, step: NonNullable<RunOptions['step']>) =>
 *   run({ initial, perform: () => undefined, scheduler, maxEffectsPerTurn: 1, step })
 */
export interface RunOptions {
  /**
   * A function is asked once a subscription: then nobody need hold the first state, and with it the log that it began
   * with, as long as the run lasts.
   */
  readonly initial: Server | (() => Server)
  /**
   * Is told of each new state, before its step is emitted and before the effects of the step are performed.
   *
   * @example
   * const told = (initial: Server, moved: (server: Server) => void) =>
   *   run({ initial, moved, perform: () => undefined, scheduler, maxEffectsPerTurn: 1_024 })
   */
  readonly moved?: (server: Server) => void
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
 * its cause can see what became of it; its effects wait in this server's queue, which the
 * outermost call drains. So a step is never re-entered, effects keep their order, and the state has
 * moved before its effects are seen. An event that the news of a step provokes waits until all have had that news.
 *
 *   events   --a--------b---     1 causes c within the call
 *   effects  --(1234)---5---     a: 1 and 2; c: 3 and 4; b: 5
 *
 * @example
 * // One step, and the effects that it leads to.
 * const started = (initial: Server, perform: (effect: Effect) => void) =>
 *   of<RaftEvent>({ _tag: 'Started' }).pipe(run({ initial, perform, scheduler, maxEffectsPerTurn: 1_024 }))
 */
export const run =
  ({ initial, moved, perform, scheduler, maxEffectsPerTurn, step = checkedStep }: RunOptions): OperatorFunction<RaftEvent, Inspection> =>
  (event$) =>
    new Observable<Inspection>((subscriber) => {
      let server = typeof initial === 'function' ? initial() : initial
      const queue = new EffectQueue()
      let draining = true // until every source is subscribed to, the disk among them
      let telling = false
      const provoked: RaftEvent[] = []

      const drain = (): void => {
        draining = true
        for (let performed = 0; !queue.isEmpty && !subscriber.closed; performed++) {
          if (performed === maxEffectsPerTurn) {
            queue.compact()
            subscriber.add(scheduler.schedule(drain))
            return // still draining: nothing may overtake the rest
          }
          perform(queue.take())
        }
        draining = false
      }

      const take = (event: RaftEvent): void => {
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
        queue.add(effects)
        telling = true
        if (server !== before) moved?.(server)
        subscriber.next({ at, event, before, after: server, effects })
        telling = false
      }

      const next = (event: RaftEvent): void => {
        if (telling) return void provoked.push(event)
        take(event)
        while (provoked.length > 0 && !subscriber.closed) take(provoked.shift()!)
        if (!draining) drain()
      }

      subscriber.add(
        event$.subscribe({
          next,
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      )
      drain()
    })

/**
 * Effects that wait, in order. A place is used again when all before it is done: a new array for each event would be an
 * eighth of all allocation.
 */
class EffectQueue {
  private places: (Effect | null)[] = []
  private head = 0
  private tail = 0

  get isEmpty(): boolean {
    if (this.head < this.tail) return false
    if (this.tail > keptPlaces) this.places = []
    this.head = this.tail = 0
    return true
  }

  add(effects: ReadonlyArray<Effect>): void {
    for (let i = 0; i < effects.length; i++) this.places[this.tail++] = effects[i]!
  }

  /** Gives back the places of what is done. */
  compact(): void {
    this.places = this.places.slice(this.head, this.tail)
    this.tail -= this.head
    this.head = 0
  }

  take(): Effect {
    const effect = this.places[this.head]!
    this.places[this.head++] = null
    return effect
  }
}

/** Room for more effects at a time than this is not kept. */
const keptPlaces = 1_024
