import type { Socket } from 'node:net'
import { interval, Observable, Subject } from 'rxjs'
import type { NodeId } from '../../../src/raft/ids.js'
import type { Rejected } from '../network.js'
import type { Counts } from './counts.js'
import { frameOf, frameType } from './frame.js'
import { type Acquaintances, type Close, closeFrame } from './greeting.js'
import type { TcpSettings } from './options.js'

/** One run of a server's network, from subscription to its end: what both of its halves, calling and being called, know. */
export class Run {
  readonly met: Acquaintances = new Map()
  /** Who called and was let in just now: it is there, so it can be called. */
  readonly calledBy$ = new Subject<NodeId>()
  private readonly sockets = new Set<Socket>()

  constructor(
    readonly settings: TcpSettings,
    readonly counts: Counts,
  ) {}

  /** From here on `socket` ends with this run. */
  adopt(socket: Socket): void {
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
    // Node throws where nobody listens; whatever it says, `close` follows.
    socket.on('error', () => undefined)
  }

  end(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  /** Counts a rejection and tells it to the other end, whose connection then ends. */
  reject(socket: Socket, from: string, { kind, reason }: Close): Rejected {
    this.counts.reject(kind)
    this.hangUp(socket, { kind, reason })
    return { _tag: 'Rejected', from, kind, reason }
  }

  /** Counts and gives what the other end said when it hung up. */
  rejectedBy(peer: NodeId, { kind, reason }: Close): Rejected {
    this.counts.reject(kind)
    return { _tag: 'Rejected', from: peer, kind, reason: `${peer} hung up: ${reason}` }
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
  private hangUp(socket: Socket, close: Close): void {
    const { handshakeTimeoutMs, scheduler } = this.settings
    socket.removeAllListeners('data')
    socket.resume()
    socket.end(closeFrame(close))
    const deadline = scheduler.schedule(() => socket.destroy(), handshakeTimeoutMs)
    socket.once('close', () => deadline.unsubscribe())
  }
}

const ticksToDeath = 3
const alive = frameOf(frameType.alive, new Uint8Array(0))
