import type { BehaviorSubject } from 'rxjs'
import type { Buffered } from './body.js'
import type { Gateway } from '../gateway/gateway.js'
import type { TunedHttp } from './options.js'
import type { PeerAnswer, Received } from './peers.js'
import type { ByteBudget } from './byteBudget.js'
import type { EventBudget } from './eventBudget.js'

/** Everything that the parts of the HTTP server share. */
export interface HttpContext {
  readonly options: TunedHttp
  readonly gateway: Gateway<Received, PeerAnswer>
  readonly buffered: Buffered
  /** Bytes that answers keep in memory until they are sent. */
  readonly answerBudget: ByteBudget
  /** Bytes that long events keep in memory until they are sent to watches. */
  readonly eventBudget: EventBudget
  readonly counted: Counted
  /** True, once: no more requests are taken, connections end with their answer, and watches end. */
  readonly closing$: BehaviorSubject<boolean>
}

/** Counted since this server began to listen; `connections` are those that are open. */
export interface Counted {
  /** By the first digit of the status. */
  readonly answers: Record<string, number>
  watchesCut: number
  answersCut: number
  connections: number
  /** By the option that bounds them. */
  readonly connectionsRefused: { maxConnections: number; maxConnectionsPerAddress: number; maxPipelined: number }
}
