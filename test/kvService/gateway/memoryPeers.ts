import { defer, delay, map, type Observable, type SchedulerLike } from 'rxjs'
import type { Gateway } from '../../../streams/kv/gateway/gateway.js'
import type { GatewayOutcome } from '../../../streams/kv/gateway/outcome.js'
import type { PeerDelivery, PeerTransport } from '../../../streams/kv/gateway/peerTransport.js'

/** In memory, a request has no other form than its values, and an answer is what the other gateway told. */
export type MemoryAnswer = GatewayOutcome<unknown>
export type MemoryGateway = Gateway<null, MemoryAnswer>

/** Gateways of the same process as each other's peers; a message takes 1 ms. `find` says who is there. */
export const memoryPeers = (
  find: (id: string) => MemoryGateway | 'Gone' | undefined,
  scheduler: SchedulerLike,
): PeerTransport<null, MemoryAnswer> => ({
  forward: (to, request) => {
    const peer = find(to)
    if (peer === undefined) return null
    const delivery$ =
      peer === 'Gone'
        ? defer(() => [{ _tag: 'NeverSent' } as const])
        : defer(() => peer.execute({ ...request, isForwarded: true })).pipe(map(deliveryOf))
    return delivery$.pipe(delay(1, scheduler)) as Observable<PeerDelivery<MemoryAnswer>>
  },
})

const deliveryOf = (outcome: MemoryAnswer): PeerDelivery<MemoryAnswer> =>
  outcome._tag === 'NotLeader' || outcome._tag === 'Indeterminate' ? { _tag: outcome._tag } : { _tag: 'Answered', answer: outcome }
