import type { Agent } from 'node:http'
import type { BehaviorSubject } from 'rxjs'
import type { Buffered } from './body.js'
import type { Gateway } from './gateway.js'
import type { TunedHttp } from './options.js'
import type { Room } from './room.js'
import type { EventsUnderWay } from './eventsUnderWay.js'

/** What the parts of one HTTP face share. */
export interface HttpContext {
  readonly options: TunedHttp
  readonly gateway: Gateway
  /** Keeps connections to the other servers. */
  readonly agent: Agent
  readonly buffered: Buffered
  /** What answers hold until they are sent. */
  readonly answering: Room
  /** What events hold until they are sent to watches. */
  readonly eventsUnderWay: EventsUnderWay
  readonly counted: Counted
  /** True, once: no more requests are taken, connections end with their answer, and watches end. */
  readonly closing$: BehaviorSubject<boolean>
}

/** Counted since the face began to listen, but for `watches` and `connections`, which are those there are. */
export interface Counted {
  /** By the first digit of the status. */
  readonly answers: Record<string, number>
  watches: number
  watchesCut: number
  answersCut: number
  connections: number
  /** By the option that bounds them. */
  readonly connectionsRefused: { maxConnections: number; maxConnectionsPerAddress: number; maxPipelined: number }
}
