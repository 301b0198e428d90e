import type { Observable } from 'rxjs'
import type { Rejected } from '../network/network.js'
import type { StopReason } from '../server/stopReason.js'
import type { ApplyMsg } from './applyMsg.js'

/**
 * A Raft as the lab describes it: an object with five calls, all of which answer at once, inside `applyCh` and after
 * `kill()` too.
 *
 * @example
 * const offer = (rf: Rf<string>, command: string) => {
 *   const { index, isLeader } = rf.start(command)
 *   return isLeader ? `if it commits, it is at ${index}` : 'ask another server'
 * }
 */
export interface Rf<C = unknown> {
  /**
   * Offers a command. `isLeader` says whether it was appended, at `index` in `term`; if it ever commits it is at that
   * index. Where it was not (no leader, too much under way, killed) `index` is -1, and offering it again is safe.
   */
  start(command: C): { readonly index: number; readonly term: number; readonly isLeader: boolean }
  /** The current term, and whether this server takes itself for its leader. */
  getState(): { readonly term: number; readonly isLeader: boolean }
  /**
   * The service's state after `index`, which it was given through `applyCh`: the log forgets what stands up to there.
   * One that is not newer than the last changes nothing. The bytes are kept, not copied.
   */
  snapshot(index: number, snapshot: Uint8Array): void
  /** Stops it as a crash would; `applyCh` completes. */
  kill(): void
  /** Whether `kill` was called. */
  killed(): boolean
  /** What `applyCh` is given, for any number of others (hot). */
  readonly apply$: Observable<ApplyMsg<C>>
  /** Emits why it stopped, once, and completes: replays. */
  readonly stopped$: Observable<StopReason>
  /** What arrived and was not let in (hot). */
  readonly rejected$: Observable<Rejected>
  /**
   * A peer's request, as its end was called with it. Act on it by subscribing; emits the reply's bytes, or completes
   * without.
   */
  receive(request: Uint8Array): Observable<Uint8Array>
}
