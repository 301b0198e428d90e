import type { Observable } from 'rxjs'
import type { GatewayRequest } from './request.js'

/** The fate of a request that was forwarded to another server. */
export type PeerDelivery<Answer> =
  /** That server leads: it answered or refused. */
  | { readonly _tag: 'Answered'; readonly answer: Answer }
  /** That server does not lead: nothing was done. */
  | { readonly _tag: 'NotLeader' }
  /** That server does not know whether it was done. */
  | { readonly _tag: 'Indeterminate' }
  /** It never left: nothing was done. */
  | { readonly _tag: 'NeverSent' }
  /** It may have arrived, and no answer did. */
  | { readonly _tag: 'Lost' }

/**
 * How a gateway asks another server. Contract:
 *
 *  - the other server learns that the request was forwarded, and forwards it no further;
 *  - `forward` emits one delivery and never fails; unsubscribing gives up, which undoes nothing.
 */
export interface PeerTransport<Original, Answer> {
  /** Null where the address of that server is not known. */
  forward(to: string, request: GatewayRequest<Original>): Observable<PeerDelivery<Answer>> | null
}
