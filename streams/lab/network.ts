import { defer, Observable, type ObservableInput, type SchedulerLike, type Subscriber } from 'rxjs'
import { check, fn, scheduler as isScheduler, whole } from '../options/checks.js'
import { withDefaults } from '../options/given.js'
import { defaultClock } from '../server/options.js'
import type { PeerEnd } from './requestResponse.js'

/**
 * What answers the requests to one server.
 *
 * @example
 * const echo: Handler = (request) => of(request)
 * labNetwork({ servers: 2 }).serve(1, echo)
 */
export type Handler = (request: Uint8Array) => ObservableInput<Uint8Array>

/**
 * The options of `labNetwork`.
 *
 * @example
 * import { VirtualScheduler } from 'rxraft'
 *
 * const options: LabNetworkOptions = { servers: 3, scheduler: new VirtualScheduler(), random: () => 0.5 }
 * const network = labNetwork(options) // the same calls give the same run
 */
export interface LabNetworkOptions {
  readonly servers: number
  /** Default: the real clock. */
  readonly scheduler?: SchedulerLike
  /**
   * Uniform in [0, 1). Default `Math.random`. With a seed and virtual time the network is a function of what is sent.
   */
  readonly random?: () => number
}

/**
 * The faults of a lab network; all may be changed while it carries requests.
 *
 * @example
 * const faults: LabFaults = { reliable: false, longReordering: true, longDelays: false }
 * Object.assign(labNetwork({ servers: 3 }), faults)
 */
export interface LabFaults {
  /**
   * Default true: no loss, no delay. Otherwise requests take 0 to 26 ms, a tenth of them is lost and a tenth of the
   * replies.
   */
  reliable: boolean
  /**
   * Whether two thirds of the replies are held for 200 ms to 2.2 s, most of them for the shorter part. Default false.
   */
  longReordering: boolean
  /** Whether a call to nobody fails after up to 7 s, or else 0.1 s. Default true. */
  longDelays: boolean
}

/**
 * The network that the lab judges by: request and response between numbered servers, each of which can
 * be cut off. It counts requests (cut off or not) and the bytes of requests and of delivered replies.
 * Nothing is delivered within the call that caused it. It holds what is under way, which its callers bound.
 *
 *   reliable     call --> request --> handler --> reply
 *   unreliable   call --0-26 ms, 10 % lost--> handler --10 % lost--> reply        a loss is told at once
 *   reordering   …                            handler --2/3: 200 ms + rand(rand(2 s))--> reply
 *   cut or dead  call --0-7 s--> lost
 *
 * @example
 * const network: LabNetwork = labNetwork({ servers: 3 })
 * network.cut(0)
 * console.log(network.isConnected(0), network.counts()) // false { requests: 0, bytes: 0 }
 */
export interface LabNetwork extends LabFaults {
  /** The ways from `me` to all servers, for a new life of it: those of its former life lead nowhere from now on. */
  ends(me: number): ReadonlyArray<PeerEnd>
  /** From now on `handler` is server `me`, instead of its former life. */
  serve(me: number, handler: Handler): void
  /** Server `me` is dead: nobody handles its requests, and none of its replies arrives any more. */
  remove(me: number): void
  /** Joins `me` to the others, as all are at first. */
  connect(me: number): void
  /** `me` can neither send nor receive, but runs on. */
  cut(me: number): void
  /** Whether anything passes to and from the server. */
  isConnected(me: number): boolean
  /** Requests sent, bytes of requests sent and of replies delivered. */
  counts(): { readonly requests: number; readonly bytes: number }
  /** Requests that server `me` was given to handle. */
  requestsTo(me: number): number
}

/**
 * A lab network of `servers`, numbered from 0, all connected.
 *
 * @example
 * const network = labNetwork({ servers: 2, scheduler, random: () => 0 })
 * network.serve(1, (request) => of(request.toReversed()))
 * network.ends(0)[1].call(Uint8Array.of(1, 2)) // an Observable of the bytes 2, 1
 */
export const labNetwork = (options: LabNetworkOptions): LabNetwork => new Network(options)

interface Server {
  /** Counts its lives. */
  life: number
  handler: Handler | null
  connected: boolean
  received: number
}

class Network implements LabNetwork {
  reliable = true
  longReordering = false
  longDelays = true

  private readonly places: ReadonlyArray<Server>
  private readonly scheduler: SchedulerLike
  private readonly random: () => number
  private requests = 0
  private bytes = 0

  constructor(options: LabNetworkOptions) {
    const { servers, scheduler, random } = withDefaults({ scheduler: defaultClock, random: Math.random }, options)
    check<LabNetworkOptions>({ servers, scheduler, random }, { servers: whole(), scheduler: isScheduler, random: fn })
    this.places = Array.from({ length: servers }, () => ({ life: 0, handler: null, connected: true, received: 0 }))
    this.scheduler = scheduler
    this.random = random
  }

  ends(me: number): ReadonlyArray<PeerEnd> {
    const caller = this.places[me]!
    const life = ++caller.life
    return this.places.map((called) => ({
      call: (request) =>
        new Observable<Uint8Array>((subscriber) => this.call(() => caller.life === life && caller.connected, called, request, subscriber)),
    }))
  }

  serve(me: number, handler: Handler): void {
    this.places[me]!.handler = handler
  }

  remove(me: number): void {
    this.places[me]!.handler = null
  }

  connect(me: number): void {
    this.places[me]!.connected = true
  }

  cut(me: number): void {
    this.places[me]!.connected = false
  }

  isConnected(me: number): boolean {
    return this.places[me]!.connected
  }

  counts(): { readonly requests: number; readonly bytes: number } {
    return { requests: this.requests, bytes: this.bytes }
  }

  requestsTo(me: number): number {
    return this.places[me]!.received
  }

  private call(callerIsThere: () => boolean, called: Server, request: Uint8Array, subscriber: Subscriber<Uint8Array>): void {
    this.requests++
    this.bytes += request.length
    const { handler } = called
    const lost = (): void => subscriber.complete()
    /** Both ends are there, and it is still the same server that was called. */
    const reaches = (): boolean => called.handler === handler && called.connected && callerIsThere()
    if (handler === null || !reaches()) {
      this.scheduler.schedule(lost, 1 + this.below(this.longDelays ? 7_000 : 100))
      return
    }

    // What was sent is under way, even if the caller dies meanwhile.
    this.scheduler.schedule(
      () => {
        if (!reaches() || this.drops()) return lost()
        called.received++
        let replied = false
        defer(() => handler(request)).subscribe({
          next: (reply) => {
            if (replied) return
            replied = true
            if (!reaches() || this.drops()) return void this.scheduler.schedule(lost)
            this.scheduler.schedule(() => {
              if (subscriber.closed) return
              this.bytes += reply.length
              subscriber.next(reply)
              subscriber.complete()
            }, this.replyDelayMs())
          },
          error: lost,
          complete: () => {
            if (!replied) lost()
          },
        })
      },
      this.reliable ? 0 : this.below(27),
    )
  }

  private drops(): boolean {
    return !this.reliable && this.random() < 0.1
  }

  private replyDelayMs(): number {
    return this.longReordering && this.random() < 2 / 3 ? 200 + this.below(1 + this.below(2_000)) : 0
  }

  /** A whole number in [0, n). */
  private below(n: number): number {
    return Math.floor(this.random() * n)
  }
}
