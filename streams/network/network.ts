import { NEVER, type Observable, type ObservableInput } from 'rxjs'
import type { Configuration } from '../../src/raft/state/configuration.js'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Incarnation, NodeId } from '../../src/raft/ids.js'
import type { Message } from '../../src/raft/messages.js'

/** Something arrived that was not let in. It never reaches the core; `reason` says what was wrong with it. */
export interface Rejected {
  readonly _tag: 'Rejected'
  /** Its sender, as far as that is known: a server's name after its handshake, an address before. */
  readonly from: string | null
  readonly kind: 'frame' | 'message' | 'handshake' | 'limit'
  readonly reason: string
}

/**
 * What a network tells its server.
 *
 * @example
 * const lost = ({ to }: Message): NetworkEvent => ({ _tag: 'Unreachable', peer: to })
 * const cutOff: Network = (message$) => message$.pipe(observeOn(scheduler), map(lost))
 */
export type NetworkEvent = Extract<RaftEvent, { readonly _tag: 'Received' | 'Unreachable' }> | Rejected

/**
 * What a network may know of the server that it works for.
 *
 * @example
 * // For a handshake of your own.
 * const greeting = (id: NodeId, { incarnation }: NetworkUser) => ({ id, incarnation })
 */
export interface NetworkUser {
  /** Names the server's data directory; null where its storage has none. */
  readonly incarnation: Incarnation | null
  /**
   * The configuration in the server's log (§6): the present one at once, then each that takes its place. It names the
   * data directories of the others, and says where they are called. It admits no server and shuts none out (thesis
   * §4.1).
   */
  readonly configuration$: Observable<Configuration>
}

/** For a network that is tried by itself: nothing is known of its user. */
export const unknownUser: NetworkUser = { incarnation: null, configuration$: NEVER }

/**
 * How a server reaches the others: it consumes the messages that are to be sent and answers with
 * those that arrive. Contract:
 *
 *  - messages may be lost, delayed, doubled and reordered; none is changed;
 *  - nothing is delivered within the call that caused it;
 *  - what was probably lost on the way to a peer is told as `Unreachable { peer }`;
 *  - `from` of what is received is the server that the sender proved or was configured to be, and `incarnation` the
 *    data directory that it has. Where storages have incarnations (`diskStorage`) and the network does not tell them,
 *    no vote but the own one is counted;
 *  - an error ends the server: it is for what makes the network unusable, such as a port that is taken.
 */
export type Network = (message$: Observable<Message>, user?: NetworkUser) => ObservableInput<NetworkEvent>

/**
 * Why a network cannot be used, with a sentence that says what to do.
 *
 * @example
 * const closed: NetworkError = { _tag: 'NetworkFailed', message: 'The channel is closed: open it first.' }
 * const unusable: Network = () => throwError(() => closed) // its server stops, and `stopped$` emits `closed`
 */
export interface NetworkError {
  readonly _tag: 'AddressInUse' | 'NetworkFailed'
  readonly message: string
  readonly peer?: NodeId
}
