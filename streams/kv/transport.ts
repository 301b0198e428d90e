import type { ObservableInput } from 'rxjs'
import type { Revision } from '../../src/kv/ids.js'
import type { Key } from '../../src/kv/key.js'
import type { KeyValue } from '../../src/kv/keyValue.js'
import type { KvReply } from './reply.js'

/**
 * The fate of a batch of requests that was given to a transport.
 *
 * @example
 * const mayBeDone = ({ _tag }: Delivery) => _tag === 'Answered' || _tag === 'Lost'
 */
export type Delivery =
  /** A reply for each request, in their order. */
  | { readonly _tag: 'Answered'; readonly replies: ReadonlyArray<KvReply> }
  /**
   * That server does not lead: nothing was done. `leader` is the endpoint of the leader, as far as that server knows.
   */
  | { readonly _tag: 'Misdirected'; readonly leader: string | null }
  /** That server takes no more at present: nothing was done. */
  | { readonly _tag: 'Busy'; readonly message: string }
  /** That server takes no batch of this size: nothing was done. */
  | { readonly _tag: 'TooLarge'; readonly message: string }
  /** It never left: nothing was done. */
  | { readonly _tag: 'NeverSent'; readonly message: string }
  /** It may have arrived, and no answer did. */
  | { readonly _tag: 'Lost'; readonly message: string }

/**
 * A change of one key, as a client sees it.
 *
 * @example
 * const keyOf = (event: WatchEvent) => (event._tag === 'Put' ? event.kv.key : event.key)
 */
export type WatchEvent = { readonly _tag: 'Put'; readonly kv: KeyValue } | { readonly _tag: 'Delete'; readonly key: Key }

/**
 * A message to the client of a watch: all events of one revision, in order of revision. It has no events where only
 * time has passed.
 *
 * @example
 * const isSignOfLife = ({ events }: WatchMessage) => events.length === 0
 */
export interface WatchMessage {
  /** Nothing up to and including this revision is still to come. */
  readonly revision: Revision
  readonly events: ReadonlyArray<WatchEvent>
}

/**
 * How a client reaches servers. Each kind of transport has its own names for endpoints. Contract:
 *
 *  - nothing is delivered within the call that caused it;
 *  - `send` emits one delivery and never fails; unsubscribing gives up, which undoes nothing;
 *  - `watch` emits messages for as long as it can, and fails with a `WatchError` that is `Compacted` or `Disconnected`;
 *    it does not complete.
 *
 * @example
 * import { from, delay } from 'rxjs'
 *
 * const fast = memoryTransport([kvServer])
 * const slow: Transport = { ...fast, send: (endpoint, requests) => from(fast.send(endpoint, requests)).pipe(delay(50)) }
 * createClient({ transport: slow, endpoints: ['n1'] })
 */
export interface Transport {
  /** Each request as `encodeRequest` makes it. */
  send(endpoint: string, requests: ReadonlyArray<Uint8Array>): ObservableInput<Delivery>
  /**
   * Changes of the keys with `prefix`, from revision `from` on; null: from now on, told by a first message without
   * events.
   */
  watch(endpoint: string, prefix: Key, from: Revision | null): ObservableInput<WatchMessage>
}
