import { defer, Observable, type ObservableInput, type Subscriber, type Subscription } from 'rxjs'
import type { NodeId } from '../../src/raft/ids.js'
import type { Message } from '../../src/raft/messages.js'
import { admit } from '../sinks/inbound.js'
import type { Network, NetworkEvent } from '../network/network.js'
import { encodeMessage } from '../wire/message.js'

/**
 * One end of the way to another server: a request goes in, its reply comes out.
 *
 * @example
 * const dead: PeerEnd = { call: () => EMPTY } // the way to a server that never answers
 */
export interface PeerEnd {
  /**
   * Calls the other server, when it is subscribed to. Emits the bytes that its `receive` emitted; where
   * the request or the reply was lost it completes without, or fails: Raft takes both for the same.
   */
  call(request: Uint8Array): ObservableInput<Uint8Array>
}

type Request = Extract<Message, { readonly seq: unknown }>
type Reply = Extract<Message, { readonly re: unknown }>

interface Peer {
  readonly end: PeerEnd
  /** Calls without an answer by the `seq` of their requests, oldest first. */
  readonly calls: Map<number, Subscription>
  /** Requests of this peer that wait for our reply, oldest first. */
  readonly asked: Map<number, Subscriber<Uint8Array>>
  /** The latest request that it answered. */
  answered: number
}

/**
 * A call that would be one more ends the oldest, which is lost; so does an unanswered request. A cut-off peer is
 * sent a heartbeat every 120 ms, each of which fails within 7 s: a quarter of this.
 */
const maxUnderWay = 256

/**
 * One-way messages over request and response: what the core sends is a request to call a peer with or
 * the reply to one of the peer's own, found by `(to, re)`. Both may wait for a disk: nothing here is
 * called back within the call. Of the bound on either side see `maxUnderWay`.
 */
export class RequestResponse {
  private readonly peers = new Map<NodeId, Peer>()
  private events: Subscriber<NetworkEvent> | null = null

  constructor(
    private readonly id: NodeId,
    ids: ReadonlyArray<NodeId>,
    ends: ReadonlyArray<PeerEnd>,
  ) {
    ids.forEach((peer, place) => {
      if (peer === id) return
      this.peers.set(peer, {
        end: ends[place]!,
        calls: new Map(),
        asked: new Map(),
        answered: 0,
      })
    })
  }

  /** As the loop sees it. */
  readonly network: Network = (message$) =>
    new Observable<NetworkEvent>((subscriber) => {
      this.events = subscriber
      subscriber.add(
        message$.subscribe({
          next: (message) => {
            const peer = this.peers.get(message.to)
            if (peer === undefined) return
            if ('re' in message) answer(peer, message)
            else this.call(peer, message)
          },
          error: (error: unknown) => subscriber.error(error),
        }),
      )
      subscriber.add(() => this.abandon())
    })

  /** A peer's request, when it is subscribed to: emits the reply, or completes without where none will come. */
  receive(request: Uint8Array): Observable<Uint8Array> {
    return new Observable<Uint8Array>((caller) => {
      const event = admit(request, { from: null, to: this.id })
      if (this.events === null) return caller.complete()
      const peer = event._tag === 'Received' ? this.peers.get(event.message.from) : undefined
      if (event._tag === 'Rejected' || peer === undefined || 're' in event.message) {
        caller.complete()
        const reason = event._tag === 'Rejected' ? event.reason : 'not a request of one of the peers'
        return this.events.next({ _tag: 'Rejected', from: null, kind: 'message', reason })
      }
      const { seq } = event.message
      // One of the same number is of the peer's former life, and nobody waits for its reply.
      peer.asked.get(seq)?.complete()
      if (peer.asked.size === maxUnderWay) peer.asked.values().next().value?.complete()
      peer.asked.set(seq, caller)
      caller.add(() => {
        if (peer.asked.get(seq) === caller) peer.asked.delete(seq)
      })
      this.events.next(event)
    })
  }

  private call(peer: Peer, request: Request): void {
    const { to, seq } = request
    const { calls } = peer
    if (calls.size === maxUnderWay) {
      const [oldest, call] = calls.entries().next().value!
      calls.delete(oldest)
      call.unsubscribe()
    }
    let over = false
    const end = (bytes: Uint8Array | null): void => {
      if (over) return
      over = true
      calls.delete(seq)
      if (bytes !== null) this.events?.next(this.replyOf(peer, request, bytes))
      // Of a request that a later one has overtaken and been answered, the loss says nothing any more.
      else if (seq > peer.answered) this.events?.next({ _tag: 'Unreachable', peer: to })
    }
    const call = defer(() => peer.end.call(encodeMessage(request))).subscribe({
      next: end,
      error: () => end(null),
      complete: () => end(null),
    })
    if (!over) calls.set(seq, call)
  }

  private replyOf(peer: Peer, { to, seq }: Request, bytes: Uint8Array): NetworkEvent {
    const event = admit(bytes, { from: to, to: this.id })
    if (event._tag === 'Rejected') return event
    if (!('re' in event.message) || event.message.re !== seq)
      return { _tag: 'Rejected', from: to, kind: 'message', reason: `not the reply to request ${seq}` }
    peer.answered = Math.max(peer.answered, seq)
    return event
  }

  private abandon(): void {
    this.events = null
    for (const { calls, asked } of this.peers.values()) {
      for (const call of calls.values()) call.unsubscribe()
      calls.clear()
      for (const caller of [...asked.values()]) caller.complete()
    }
  }
}

const answer = ({ asked }: Peer, reply: Reply): void => {
  const caller = asked.get(reply.re)
  if (caller === undefined) return
  asked.delete(reply.re)
  caller.next(encodeMessage(reply))
  caller.complete()
}
