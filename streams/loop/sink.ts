import type { Observable } from 'rxjs'
import type { Effect, EffectOf } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Server } from '../../src/raft/state/server.js'
import { ofTag } from './ofTag.js'

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
  /** Set by `sinkOf`: `raft` sorts the effects and gives the sink those alone. */
  readonly byTag?: ByTag
}

/** The effects that a sink takes, and what it does with them. */
interface ByTag {
  readonly tags: ReadonlyArray<Effect['_tag']>
  readonly sink: (effect$: Observable<Effect>, state$: Observable<Server>) => Observable<RaftEvent>
}

/**
 * A sink that takes the effects with these tags.
 *
 * @example
 * const sink = sinkOf(['ArmHeartbeat'], (armed$) => armed$.pipe(map(({ generation }) => ({ _tag: 'HeartbeatDue', generation }))))
 */
export const sinkOf = <Tag extends Effect['_tag']>(tags: ReadonlyArray<Tag>, sink: Sink<EffectOf<Tag>>): Sink =>
  Object.assign<Sink, Required<Pick<Sink, 'byTag'>>>((effect$, state$) => sink(effect$.pipe(ofTag<Effect, Tag>(...tags)), state$), {
    byTag: { tags, sink: sink as ByTag['sink'] },
  })
