import type { either } from 'fp-ts'
import { defer, map, type Observable, of, timeout } from 'rxjs'
import type { KvServer } from '../server/kvServer.js'
import type { KvReply } from '../reply.js'
import { type GatewayOutcome, type Indeterminate, indeterminate, type NotLeader } from './outcome.js'
import type { GatewayRequest } from './request.js'
import { Requests, type RequestsOptions } from './requests.js'
import { type BeginWatch, Watches, type WatchesOptions, type WatchRefusal, type WatchRequest } from './watches.js'

export interface GatewayOptions<Original, Answer> extends RequestsOptions<Original, Answer>, WatchesOptions {
  readonly server: RequestsOptions<Original, Answer>['server'] & WatchesOptions['server'] & Pick<KvServer, 'submitAll'>
}

/** How a batch ended. */
export type BatchOutcome =
  /** A reply for each request, in their order. */
  { readonly _tag: 'Replied'; readonly replies: ReadonlyArray<KvReply> } | NotLeader | Indeterminate

/**
 * A gateway stands between the clients of one protocol and the cluster. It knows nothing of the protocol: `Original` is
 * a request of it and `Answer` an answer, and a gateway hands both on unread.
 */
export interface Gateway<Original, Answer> {
  /**
   * Brings a request to the leader. Emits one outcome; unsubscribing says that it is not wanted any more, which undoes
   * nothing.
   */
  execute(request: GatewayRequest<Original>): Observable<GatewayOutcome<Answer>>
  /**
   * Has many requests carried out here, each as `encodeRequest` makes it. They are not forwarded: a client that sends
   * batches knows all servers, and asks the leader itself.
   */
  batch(requests: ReadonlyArray<Uint8Array>, timeoutMs: number): Observable<BatchOutcome>
  /** Watches this server, or refuses with a reason. */
  watch(request: WatchRequest): either.Either<WatchRefusal, BeginWatch>
  /** Why this server takes no batch now; null where it does. */
  notLeader(): NotLeader | null
  /** The id of the leader, as far as this server knows. */
  leader(): string | null
  counts(): { readonly requests: number; readonly forwarded: number; readonly watches: number }
  /** Ends the timer. What has no outcome gets none. */
  stop(): void
}

export const gateway = <Original, Answer>(options: GatewayOptions<Original, Answer>): Gateway<Original, Answer> => {
  const { server, scheduler } = options
  const requests = new Requests(options)
  const watches = new Watches(options)

  const notLeader = (): NotLeader | null => (requests.leader === server.id ? null : { _tag: 'NotLeader', leader: requests.leader })
  const carryOut = (batch: ReadonlyArray<Uint8Array>, timeoutMs: number): Observable<BatchOutcome> =>
    server.submitAll(batch).pipe(
      map((replies): BatchOutcome => ({ _tag: 'Replied', replies })),
      timeout({ first: timeoutMs, scheduler, with: () => of(indeterminate) }),
    )

  return {
    execute: (request) => requests.execute(request),
    batch: (batch, timeoutMs) =>
      defer(() => {
        const refusal = notLeader()
        return refusal === null ? carryOut(batch, timeoutMs) : of(refusal)
      }),
    watch: (request) => watches.watch(request),
    notLeader,
    leader: () => requests.leader,
    counts: () => ({ requests: requests.size, forwarded: requests.forwarded, watches: watches.size }),
    stop: () => requests.stop(),
  }
}
