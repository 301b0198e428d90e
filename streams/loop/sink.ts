import { filter, type Observable } from 'rxjs'
import type { Effect, EffectOf } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Server } from '../../src/raft/state/server.js'

/**
 * What stands at the rim of a server: timers, state machine, clients. A sink consumes effects and may answer with
 * events; the core sees none of them. `state$` begins with the state of now and emits each new one, before the effects
 * of its step are performed. An event that an emission of `state$` provokes is taken up as soon as all have seen that
 * state.
 *
 * Subscribing to the answer starts a sink, unsubscribing ends it. A sink takes from `effect$` what concerns it.
 *
 * @example
 * const deaf: Sink = () => EMPTY
 */
export interface Sink<In = Effect, Out = RaftEvent> {
  (effect$: Observable<In>, state$: Observable<Server>): Observable<Out>
  /** Set by `taking`: `raft` sorts the effects and gives the sink those alone. */
  readonly taken?: Taken
}

/** The effects that a sink takes, and what it does with them. */
interface Taken {
  readonly tags: ReadonlyArray<Effect['_tag']>
  readonly sink: (effect$: Observable<Effect>, state$: Observable<Server>) => Observable<RaftEvent>
}

/**
 * A sink that takes the effects with these tags.
 *
 * @example
 * const sink = taking(['ArmHeartbeat'], (armed$) => armed$.pipe(map(({ generation }) => ({ _tag: 'HeartbeatDue', generation }))))
 */
export const taking = <Tag extends Effect['_tag']>(tags: ReadonlyArray<Tag>, sink: Sink<EffectOf<Tag>>): Sink => {
  const ofTags = filter((effect: Effect): effect is EffectOf<Tag> => (tags as ReadonlyArray<string>).includes(effect._tag))
  return Object.assign<Sink, Required<Pick<Sink, 'taken'>>>((effect$, state$) => sink(effect$.pipe(ofTags), state$), {
    taken: { tags, sink: sink as Taken['sink'] },
  })
}
