import type { Observable } from 'rxjs'
import type { Effect } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'

/**
 * What stands at the rim of a server: it consumes effects and may answer with events. Timers, disk,
 * network, state machine and clients all have this one shape; the core sees none of them. Subscribing
 * to the answer starts a sink, unsubscribing ends it, and it takes from `effect$` what concerns it.
 *
 * @example
 * const deaf: Sink = () => EMPTY
 */
export type Sink<In = Effect, Out = RaftEvent> = (effect$: Observable<In>) => Observable<Out>
