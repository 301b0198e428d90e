import { either } from 'fp-ts'
import type { Socket } from 'node:net'
import { Observable, type Subscriber, Subscription } from 'rxjs'
import type { NodeId } from '../../../src/raft/ids.js'
import type { NetworkEvent } from '../network.js'
import type { Connections } from './connections.js'
import { FrameReader, frameType } from './frame.js'
import { type Greeting, greetingTo, maxGreetingBytes, objection, readGreeting, unreachableStranger, welcomeFrame } from './greeting.js'
import { receive } from './receive.js'
import { readClose, type RefusalCode } from './refusal.js'
import { sendFrom } from './sendFrom.js'
import type { TcpSession } from './session.js'

/**
 * One accepted connection from its first byte to its last: hello, then messages. Something wrong ends it with one
 * `Rejected`.
 */
export const converse = (socket: Socket, connections: Connections, session: TcpSession): Observable<NetworkEvent> =>
  new Observable<NetworkEvent>((subscriber) => {
    const conversation = new Conversation(socket, connections, session, subscriber)
    return () => conversation.end()
  })

class Conversation {
  /** The caller's address, for sentences. */
  private readonly address: string
  private readonly reader = new FrameReader(maxGreetingBytes)
  private readonly life = new Subscription()
  private readonly deadline: Subscription
  /** What the caller said of itself, once it was let in. */
  private caller: Greeting | null = null

  constructor(
    private readonly socket: Socket,
    private readonly connections: Connections,
    private readonly session: TcpSession,
    private readonly subscriber: Subscriber<NetworkEvent>,
  ) {
    const { handshakeTimeoutMs, scheduler } = session.settings
    this.address = `${socket.remoteAddress ?? 'somebody'}:${socket.remotePort ?? '?'}`
    this.deadline = scheduler.schedule(() => this.refuse('timeout', `said no hello within ${handshakeTimeoutMs} ms`), handshakeTimeoutMs)
    session.adopt(socket)
    socket.on('close', () => subscriber.complete())
    socket.on('data', (chunk) => this.onData(chunk))
    const full = connections.enter(socket, () => this.evict())
    if (full !== null) this.refuse('limit', full)
  }

  end(): void {
    this.deadline.unsubscribe()
    this.life.unsubscribe()
  }

  private refuse(code: RefusalCode, reason: string): void {
    this.end()
    this.subscriber.next(this.session.reject(this.socket, this.caller?.from ?? this.address, { code, reason }))
    this.subscriber.complete()
  }

  private evict(): void {
    const { id } = this.session.settings
    const when = this.caller === null ? 'before it said hello' : 'since it belongs to no member'
    if (!this.subscriber.closed) this.refuse('limit', `made room for a newer connection ${when}: ${id} takes no more`)
    this.socket.destroy()
  }

  private onData(chunk: Uint8Array): void {
    const { caller, session } = this
    if (caller !== null) session.counts.of(caller.from).bytesIn += chunk.length
    const reason = this.reader.push(chunk, (type, payload) => this.onFrame(type, payload))
    if (reason === null) return
    this.refuse('frame', this.caller === null ? `${reason} before a hello: this port is for rxraft servers` : reason)
  }

  private onFrame(type: number, payload: Uint8Array): boolean {
    const { caller, session, socket, subscriber } = this
    if (caller === null && type === frameType.hello) this.greeted(payload)
    else if (caller !== null && type === frameType.message) this.received(caller, payload)
    else if (caller !== null && type === frameType.close) {
      subscriber.next(session.rejectedBy(caller.from, readClose(payload)))
      socket.destroy()
    } else if (caller === null || type !== frameType.alive) {
      this.refuse('frame', `frame ${type} has no place ${caller === null ? 'before' : 'after'} a hello`)
    }
    return !subscriber.closed && !socket.destroyed
  }

  private greeted(payload: Uint8Array): void {
    const { session, socket, life } = this
    const { settings } = session
    const hello = readGreeting(payload, settings)
    if (either.isLeft(hello)) return this.refuse(hello.left.code, hello.left.reason)
    const { from, incarnation } = hello.right
    const wrong =
      objection(hello.right, settings, session.known) ?? (session.canVouchFor(from) ? null : unreachableStranger(settings.id, from))
    if (wrong !== null) return this.refuse(wrong.code, wrong.reason)
    this.caller = hello.right
    this.deadline.unsubscribe()
    this.reader.maxBytes = settings.maxFrameBytes
    socket.write(welcomeFrame(greetingTo(from, settings)))
    this.connections.admit(socket, from)
    life.add(session.silence(socket).subscribe(() => socket.destroy()))
    life.add(session.contradicted(from, incarnation).subscribe(({ code, reason }) => this.refuse(code, reason)))
    this.answerOver(from)
    session.calledBy$.next(from)
  }

  /** Where the caller has no address, what is for it goes back over its own connection. */
  private answerOver(caller: NodeId): void {
    const { session, socket, life } = this
    const outbox = session.outboxes.answer(caller)
    const counts = session.counts.of(caller)
    life.add(sendFrom(outbox, socket, counts, session.settings.scheduler))
    life.add(() => {
      const dropped = session.outboxes.forget(caller, outbox)
      counts.dropped += dropped
      if (dropped > 0) session.tellUnreachable(caller)
    })
  }

  private received({ from, incarnation }: Greeting, payload: Uint8Array): void {
    const { session, subscriber } = this
    const counts = session.counts.of(from)
    counts.framesIn++
    // Its data directory is not vouched for yet, neither by the configuration nor by the address of its name. We call
    // there now; Raft sends again.
    if (!session.isAuthenticated(from)) return void counts.unauthenticated++
    const event = receive(payload, { from, to: session.settings.id, incarnation })
    if (event._tag === 'Rejected') this.refuse('message', event.reason)
    else subscriber.next(event)
  }
}
