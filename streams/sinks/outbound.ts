import type { OperatorFunction } from 'rxjs'
import type { Effect } from '../../src/raft/effect.js'
import type { Message } from '../../src/raft/messages.js'
import { filterMap } from '../rx/hotInternals.js'

/**
 * What goes to the network: messages that wait for nothing, at once; those that wait for the disk come
 * here again when `durably` has released them.
 *
 *   effects   s-w-p--s-
 *   messages  m------m-     w waits for a write
 *
 * @example
 * const toSend$ = (effect$: Observable<Effect>): Observable<Message> => effect$.pipe(outbound())
 */
export const outbound = (): OperatorFunction<Effect, Message> =>
  filterMap((effect) => (effect._tag === 'Send' && effect.after === null ? effect.message : null))
