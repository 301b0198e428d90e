import type { Socket } from 'node:net'
import { BehaviorSubject, filter, interval, map, merge, Observable, Subject, Subscription } from 'rxjs'
import type { Address } from '../../../src/raft/state/address.js'
import { type Configuration, incarnationOf, memberOf } from '../../../src/raft/state/configuration.js'
import type { Incarnation, NodeId } from '../../../src/raft/ids.js'
import { type AddressBook, addressBook } from '../addressBook.js'
import type { NetworkEvent, NetworkUser, Rejected } from '../network.js'
import type { Counts } from './counts.js'
import { frameOf, frameType } from './frame.js'
import { type Objection, otherIncarnation } from './greeting.js'
import type { TcpSettings } from './options.js'
import { Outboxes } from './outboxes.js'
import { advice, closeFrame, kindOf, type RefusalCode } from './refusal.js'

/**
 * One run of a server's network, from subscription to its end: what both of its halves, calling and being called, know.
 */
export class TcpSession {
  /** The server that called and was let in just now: it is there, so it can be called. */
  readonly calledBy$ = new Subject<NodeId>()
  /** Tells of messages that were probably lost, in a turn of its own: never within the call that lost them. */
  readonly unreachable$ = new Subject<NetworkEvent>()
  /** Where to call, from now on. */
  readonly addresses$: Observable<AddressBook>
  private readonly unreachable = new Set<NodeId>()
  private readonly life = new Subscription()
  private readonly sockets = new Set<Socket>()
  private readonly configuration$ = new BehaviorSubject<Configuration | null>(null)
  /**
   * Which data directory answered at the address that a peer is configured to have. What a caller says of itself
   * teaches nothing.
   */
  private readonly reached$ = new BehaviorSubject<ReadonlyMap<NodeId, Incarnation>>(new Map())

  constructor(
    readonly settings: TcpSettings,
    readonly counts: Counts,
    readonly outboxes: Outboxes = new Outboxes(settings),
  ) {
    const { id, peers } = settings
    this.addresses$ = this.configuration$.pipe(map((configuration) => addressBook(id, peers, configuration)))
  }

  /** Follows the configuration of the server that this network works for, as long as the result is subscribed to. */
  follow({ configuration$ }: NetworkUser): Observable<never> {
    return new Observable(() => configuration$.subscribe((configuration) => this.configuration$.next(configuration)))
  }

  reached(peer: NodeId, incarnation: Incarnation): void {
    if (this.reached$.value.get(peer) !== incarnation) this.reached$.next(new Map([...this.reached$.value, [peer, incarnation]]))
  }

  /** Which data directory the configuration names, which is on disk. */
  readonly named = (peer: NodeId): Incarnation | null => {
    const { value: configuration } = this.configuration$
    return (configuration === null ? null : incarnationOf(configuration, peer)) ?? null
  }

  /** The same; before a first leader has named it there, the one that was reached at the peer's address. */
  readonly known = (peer: NodeId): Incarnation | null => this.named(peer) ?? this.reached$.value.get(peer) ?? null

  /** Where `peer` is called now; null where no address of it is known. */
  addressOf(peer: NodeId): Address | null {
    const { id, peers } = this.settings
    return addressBook(id, peers, this.configuration$.value).get(peer) ?? null
  }

  /** Whether `peer` is a member of the cluster or among the peers that the operator gave. */
  isListed(peer: NodeId): boolean {
    return Object.hasOwn(this.settings.peers, peer) || !this.isOutsider(peer)
  }

  /**
   * Whether the messages of a caller that was let in may pass. A member needs a data directory that the configuration
   * names, or that our own call has reached: its vote may count. A server that is no member is heard as it is: its vote
   * never counts (thesis §4.1).
   */
  isAuthenticated(peer: NodeId): boolean {
    return this.known(peer) !== null || this.isOutsider(peer)
  }

  /** Whether its messages pass, or will as soon as our own call has reached it. */
  canVouchFor(peer: NodeId): boolean {
    return this.isAuthenticated(peer) || this.addressOf(peer) !== null
  }

  tellUnreachable(peer: NodeId): void {
    this.unreachable.add(peer)
    if (this.unreachable.size > 1) return
    this.life.add(
      this.settings.scheduler.schedule(() => {
        const peers = [...this.unreachable]
        this.unreachable.clear()
        for (const peer of peers) this.unreachable$.next({ _tag: 'Unreachable', peer })
      }),
    )
  }

  /** `peer` is called no longer, or at another address from now on. */
  callerEnded(peer: NodeId): void {
    const counts = this.counts.of(peer)
    counts.dropped += this.outboxes.hangUp(peer)
    if (this.addressOf(peer) === null && !counts.receiving) this.counts.forget(peer)
    this.tellUnreachable(peer)
  }

  /** Emits when it becomes known that the name `peer` belongs to another data directory. */
  contradicted(peer: NodeId, incarnation: Incarnation): Observable<Objection> {
    return merge(this.configuration$, this.reached$).pipe(
      map(() => this.known(peer)),
      filter((known) => known !== null && known !== incarnation),
      map((known) => otherIncarnation(peer, incarnation, known!)),
    )
  }

  /** From here on `socket` ends with this run. */
  adopt(socket: Socket): void {
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
    // Node throws an error that has no listener. `close` follows each, so nothing is to be done here.
    socket.on('error', () => undefined)
  }

  private isOutsider(peer: NodeId): boolean {
    const { value: configuration } = this.configuration$
    return configuration !== null && memberOf(configuration, peer) === undefined
  }

  end(): void {
    this.life.unsubscribe()
    for (const socket of this.sockets) socket.destroy()
  }

  /** Counts a rejection and tells it to the other end, whose connection then ends. */
  reject(socket: Socket, from: string, { code, reason }: Objection): Rejected {
    const kind = kindOf(code)
    this.counts.reject(kind)
    this.hangUp(socket, code)
    return { _tag: 'Rejected', from, kind, reason }
  }

  /** Counts that the other end has hung up, and says what to do about it. */
  rejectedBy(peer: NodeId, code: RefusalCode | null): Rejected {
    const kind = code === null ? 'frame' : kindOf(code)
    this.counts.reject(kind)
    return { _tag: 'Rejected', from: peer, kind, reason: `${peer} hung up: ${advice(code, this.settings.id, peer)}` }
  }

  /**
   * Emits when nothing has arrived for `idleTimeoutMs`, and says meanwhile that we are here. It counts
   * its own ticks instead of reading a clock: after a stall of this process a tick comes before what
   * waits in the sockets, and the other end is not dead because we slept.
   */
  silence(socket: Socket): Observable<void> {
    const { idleTimeoutMs, scheduler } = this.settings
    return new Observable<void>((subscriber) => {
      let heard = socket.bytesRead
      let silentTicks = 0
      return interval(Math.ceil(idleTimeoutMs / ticksToDeath), scheduler).subscribe(() => {
        silentTicks = socket.bytesRead === heard ? silentTicks + 1 : 0
        heard = socket.bytesRead
        if (silentTicks === ticksToDeath) subscriber.next()
        else if (socket.writableLength === 0) socket.write(alive)
      })
    })
  }

  /** Closing at once would make a reset of it, which overtakes the reason: so read on, for a while, without looking. */
  private hangUp(socket: Socket, code: RefusalCode): void {
    const { handshakeTimeoutMs, scheduler } = this.settings
    socket.removeAllListeners('data')
    socket.resume()
    socket.end(closeFrame(code))
    const deadline = scheduler.schedule(() => socket.destroy(), handshakeTimeoutMs)
    socket.once('close', () => deadline.unsubscribe())
  }
}

const ticksToDeath = 3
const alive = frameOf(frameType.alive, new Uint8Array(0))
