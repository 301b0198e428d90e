import { either } from 'fp-ts'
import { connect, type Socket } from 'node:net'
import { defer, filter, finalize, Observable, race, repeat, type Subscriber, Subscription, timer } from 'rxjs'
import { type Address, isSameAddress } from '../../../src/raft/state/address.js'
import type { Incarnation, NodeId } from '../../../src/raft/ids.js'
import { eachEntry } from '../../rx/eachEntry.js'
import type { NetworkEvent } from '../network.js'
import { Backoff } from './backoff.js'
import type { PeerCounts } from './counts.js'
import { FrameReader, frameType } from './frame.js'
import { commonVersion, greetingTo, helloFrame, maxGreetingBytes, objection, type Objection, protocolVersions } from './greeting.js'
import { readGreeting, versionsOf } from './greeting.js'
import type { Outbox } from './outbox.js'
import { receive } from './receive.js'
import { readClose } from './refusal.js'
import { sendFrom } from './sendFrom.js'
import type { TcpSession } from './session.js'

/**
 * A caller for each entry of the address book. When an entry appears a caller starts; when its address changes it calls
 * there instead; when it vanishes the caller ends. What waited for the old address is dropped, and told as
 * `Unreachable`.
 */
export const callingAll = (session: TcpSession): Observable<NetworkEvent> =>
  session.addresses$.pipe(
    eachEntry<NodeId, Address, NetworkEvent>(isSameAddress, (peer) => {
      session.counts.of(peer)
      return calling(peer, session.outboxes.call(peer), session).pipe(finalize(() => session.callerEnded(peer)))
    }),
  )

/**
 * The way to one peer: calls it, for as long as this is subscribed to, and sends what is in `outbox`.
 *
 *   connect ─▶ hello ─▶ welcome ─▶ messages … ─▶ lost ─▶ back-off, or it calls us ─▶ connect
 *
 * A message waits for one attempt: when that fails, or when a connection is lost, what waits is
 * dropped and the peer is `Unreachable`. Raft sends anew what is still true by then.
 */
const calling = (peer: NodeId, outbox: Outbox, session: TcpSession): Observable<NetworkEvent> => {
  const { backoffMs, random, scheduler } = session.settings
  const backoff = new Backoff({ ...backoffMs, random })
  const calledBack$ = session.calledBy$.pipe(filter((caller) => caller === peer))
  const attempt = (): Observable<NetworkEvent> =>
    new Observable((subscriber) => {
      const call = new Call(peer, outbox, session, backoff, subscriber)
      return () => call.end()
    })
  return defer(attempt).pipe(repeat({ delay: () => race(timer(backoff.nextMs(), scheduler), calledBack$) }))
}

/** One attempt and what comes of it; completes when the connection is lost. */
class Call {
  private readonly socket: Socket
  private readonly reader = new FrameReader(maxGreetingBytes)
  private readonly counts: PeerCounts
  /** `host:port`, for sentences. */
  private readonly place: string
  private readonly life = new Subscription()
  private deadline = Subscription.EMPTY
  private trouble: string
  /** The data directory of the peer, once it has welcomed us. */
  private incarnation: Incarnation | null = null
  private openedAt = 0
  private hungUp = false

  constructor(
    private readonly peer: NodeId,
    private readonly outbox: Outbox,
    private readonly session: TcpSession,
    private readonly backoff: Backoff,
    private readonly subscriber: Subscriber<NetworkEvent>,
  ) {
    const { connectTimeoutMs, handshakeTimeoutMs } = session.settings
    const { host, port } = session.addressOf(peer) ?? nowhere
    this.place = `${host}:${port}`
    this.trouble = `${this.place} hung up`
    this.counts = session.counts.of(peer)
    this.counts.attempts++
    this.socket = connect({ host, port, noDelay: true })
    session.adopt(this.socket)
    this.within(connectTimeoutMs, 'did not answer')
    this.socket.on('connect', () => {
      this.within(handshakeTimeoutMs, 'did not welcome us')
      this.socket.write(helloFrame(greetingTo(peer, session.settings)))
    })
    this.socket.on('data', (chunk) => {
      this.counts.bytesIn += chunk.length
      const reason = this.reader.push(chunk, (type, payload) => this.onFrame(type, payload))
      if (reason !== null) this.refuse({ code: 'frame', reason })
    })
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.trouble = error.message || (error.code ?? this.trouble)
    })
    this.socket.on('close', () => this.lost(this.trouble))
  }

  end(): void {
    this.deadline.unsubscribe()
    this.life.unsubscribe()
    if (this.counts.sending) {
      this.counts.sending = false
      this.counts.version = null
      this.session.counts.changed$.next()
    }
    if (!this.hungUp) this.socket.destroy()
  }

  private within(timeoutMs: number, what: string): void {
    this.deadline.unsubscribe()
    this.deadline = this.session.settings.scheduler.schedule(() => this.lost(`${this.place} ${what} within ${timeoutMs} ms`), timeoutMs)
  }

  private lost(why: string): void {
    const { subscriber, peer, outbox, session } = this
    if (subscriber.closed) return
    const { scheduler, backoffMs } = session.settings
    const isOpen = this.incarnation !== null
    this.counts.trouble = why
    const dropped = outbox.clear()
    this.counts.dropped += dropped
    if (isOpen && scheduler.now() - this.openedAt >= backoffMs.max) this.backoff.reset()
    if (isOpen || dropped > 0) subscriber.next({ _tag: 'Unreachable', peer })
    subscriber.complete()
  }

  /** We hang up. */
  private refuse(objection: Objection): void {
    this.hungUp = true
    this.backoff.exhaust()
    this.subscriber.next(this.session.reject(this.socket, this.peer, objection))
    this.lost(objection.reason)
  }

  private onFrame(type: number, payload: Uint8Array): boolean {
    const { incarnation, subscriber } = this
    if (type === frameType.close) this.refused(payload)
    else if (type === frameType.welcome && incarnation === null) this.welcomed(payload)
    else if (type === frameType.message && incarnation !== null) this.received(payload, incarnation)
    else if (type !== frameType.alive || incarnation === null)
      this.refuse({ code: 'frame', reason: `frame ${type} has no place ${incarnation === null ? 'before' : 'after'} a welcome` })
    return !subscriber.closed
  }

  private refused(payload: Uint8Array): void {
    this.backoff.exhaust()
    const rejected = this.session.rejectedBy(this.peer, readClose(payload))
    this.subscriber.next(rejected)
    this.lost(rejected.reason)
  }

  private welcomed(payload: Uint8Array): void {
    const { peer, place, session, socket, life, counts } = this
    const { settings } = session
    const welcome = readGreeting(payload, settings)
    if (either.isLeft(welcome)) return this.refuse(welcome.left)
    const { from, incarnation } = welcome.right
    const wrong: Objection | null =
      from !== peer
        ? { code: 'name', reason: `${place} should be ${peer}, but ${from} answers there: correct the address.` }
        : objection(welcome.right, settings, session.named)
    if (wrong !== null) return this.refuse(wrong)
    session.reached(peer, incarnation)
    life.add(session.contradicted(peer, incarnation).subscribe((objection) => this.refuse(objection)))
    this.deadline.unsubscribe()
    this.incarnation = incarnation
    this.reader.maxBytes = settings.maxFrameBytes
    this.openedAt = settings.scheduler.now()
    counts.sending = true
    counts.version = commonVersion(protocolVersions, versionsOf(welcome.right))
    counts.trouble = null
    session.counts.changed$.next()
    life.add(session.silence(socket).subscribe(() => this.lost(`${place} was silent for ${settings.idleTimeoutMs} ms`)))
    life.add(sendFrom(this.outbox, socket, counts, settings.scheduler))
  }

  /** The peer has no address of us, and answers over our call. We reached it, so its data directory is known. */
  private received(payload: Uint8Array, incarnation: Incarnation): void {
    this.counts.framesIn++
    const event = receive(payload, { from: this.peer, to: this.session.settings.id, incarnation })
    if (event._tag === 'Rejected') this.refuse({ code: 'message', reason: event.reason })
    else this.subscriber.next(event)
  }
}

/** Of a peer whose address was taken away meanwhile: no server listens on port 0. */
const nowhere: Address = { host: '127.0.0.1', port: 0 }
