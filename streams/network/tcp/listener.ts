import { either } from 'fp-ts'
import { createServer, type Socket } from 'node:net'
import { mergeMap, Observable, of } from 'rxjs'
import type { NodeId } from '../../../src/raft/ids.js'
import { admit } from '../../inbound.js'
import type { NetworkError, NetworkEvent, Rejected } from '../network.js'
import { FrameReader, frameType } from './frame.js'
import { greetingTo, maxGreetingBytes, objection, readClose, readGreeting, welcomeFrame } from './greeting.js'
import type { Address, TcpSettings } from './options.js'
import type { Run } from './run.js'

/** Accepts connections and gives what comes over them. Errors with a `NetworkError` where it cannot listen. */
export const listening = (run: Run, bound: (address: Address) => void): Observable<NetworkEvent> => {
  const guests = new Guests(run)
  return accepted(run, bound).pipe(mergeMap((caller) => ('_tag' in caller ? of(caller) : converse(caller, guests, run))))
}

const accepted = (run: Run, bound: (address: Address) => void): Observable<Socket | Rejected> =>
  new Observable<Socket | Rejected>((subscriber) => {
    const { listen } = run.settings
    const server = createServer({ noDelay: true }, (socket) => subscriber.next(socket))
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (!server.listening) return subscriber.error(unusable(error, run.settings))
      run.counts.reject('limit')
      subscriber.next({ _tag: 'Rejected', from: null, kind: 'limit', reason: `a connection could not be accepted (${error.message})` })
    })
    server.listen({ ...listen, exclusive: true }, () => {
      // Looking up the name of a host is not stopped by `close`.
      if (subscriber.closed) return void server.close()
      const address = server.address()
      bound({ host: listen.host, port: typeof address === 'object' && address !== null ? address.port : listen.port })
    })
    return () => void server.close()
  })

const unusable = (error: NodeJS.ErrnoException, { id, listen: { host, port } }: TcpSettings): NetworkError =>
  error.code === 'EADDRINUSE'
    ? {
        _tag: 'AddressInUse',
        message: `Port ${port} of ${host} is in use: stop the program that listens there (perhaps ${id} runs already), or give ${id} another port.`,
      }
    : {
        _tag: 'NetworkFailed',
        message: `${id} cannot listen on ${host}:${port} (${error.message}): give it an address of this machine and a port that it may open.`,
      }

/** The connections that are open. Strangers have not been let in yet, or are on their way out. */
class Guests {
  private readonly strangers = new Map<Socket, () => void>()
  private readonly admitted = new Map<NodeId, Socket>()

  constructor(private readonly run: Run) {}

  /**
   * False where there is no room. The oldest stranger has to make room, so that strangers cannot keep
   * servers out by waiting; `evict` is how. One that found no room is a stranger until it has gone.
   */
  enter(socket: Socket, evict: () => void): boolean {
    const { counts, settings } = this.run
    const full = this.strangers.size + this.admitted.size >= settings.maxConnections
    const [oldest] = this.strangers
    if (full && oldest !== undefined) {
      this.strangers.delete(oldest[0])
      oldest[1]()
    }
    this.strangers.set(socket, evict)
    counts.connected(1)
    socket.once('close', () => {
      counts.connected(-1)
      this.strangers.delete(socket)
    })
    return !full || oldest !== undefined
  }

  /** A peer has one connection: its last. It makes a new one when the old one died unnoticed. */
  admit(socket: Socket, peer: NodeId): void {
    this.admitted.get(peer)?.destroy()
    this.strangers.delete(socket)
    this.admitted.set(peer, socket)
    this.seen(peer, true)
    socket.once('close', () => {
      if (this.admitted.get(peer) !== socket) return
      this.admitted.delete(peer)
      this.seen(peer, false)
    })
  }

  private seen(peer: NodeId, receiving: boolean): void {
    this.run.counts.of(peer).receiving = receiving
    this.run.counts.changed$.next()
  }
}

/** One connection from its first byte to its last: hello, then messages. Something wrong ends it with one `Rejected`. */
const converse = (socket: Socket, guests: Guests, run: Run): Observable<NetworkEvent> =>
  new Observable<NetworkEvent>((subscriber) => {
    const { settings, counts } = run
    const { id, handshakeTimeoutMs, maxConnections, maxFrameBytes, scheduler } = settings
    const address = `${socket.remoteAddress ?? 'somebody'}:${socket.remotePort ?? '?'}`
    const reader = new FrameReader(maxGreetingBytes)
    let peer: NodeId | null = null

    const refuse = (kind: Rejected['kind'], reason: string): void => {
      deadline.unsubscribe()
      subscriber.next(run.reject(socket, peer ?? address, { kind, reason }))
      subscriber.complete()
    }

    const greeted = (payload: Uint8Array): void => {
      const hello = readGreeting(payload, settings)
      if (either.isLeft(hello)) return refuse('handshake', hello.left)
      const { from } = hello.right
      const reason = objection(hello.right, settings, run.met)
      if (reason !== null) return refuse('handshake', reason)
      peer = from
      deadline.unsubscribe()
      reader.maxBytes = maxFrameBytes
      socket.write(welcomeFrame(greetingTo(from, settings)))
      guests.admit(socket, from)
      subscriber.add(run.silence(socket).subscribe(() => socket.destroy()))
      run.calledBy$.next(from)
    }

    const received = (from: NodeId, payload: Uint8Array): void => {
      counts.of(from).framesIn++
      const event = admit(payload, { from, to: id })
      if (event._tag === 'Rejected') refuse(event.kind, event.reason)
      else subscriber.next(event)
    }

    const onFrame = (type: number, payload: Uint8Array): boolean => {
      if (peer === null && type === frameType.hello) greeted(payload)
      else if (peer !== null && type === frameType.message) received(peer, payload)
      else if (peer !== null && type === frameType.close) {
        subscriber.next(run.rejectedBy(peer, readClose(payload)))
        socket.destroy()
      } else if (peer === null || type !== frameType.alive) {
        refuse('frame', `frame ${type} has no place ${peer === null ? 'before' : 'after'} a hello`)
      }
      return !subscriber.closed && !socket.destroyed
    }

    const deadline = scheduler.schedule(() => refuse('handshake', `said no hello within ${handshakeTimeoutMs} ms`), handshakeTimeoutMs)
    run.adopt(socket)
    socket.on('close', () => subscriber.complete())
    socket.on('data', (chunk) => {
      if (peer !== null) counts.of(peer).bytesIn += chunk.length
      const reason = reader.push(chunk, onFrame)
      if (reason === null) return
      refuse('frame', peer === null ? `${reason} before a hello: this port is for rxraft servers` : reason)
    })
    const evict = (): void => {
      if (!subscriber.closed) refuse('limit', `made room for a newer connection before it said hello: ${id} takes ${maxConnections}`)
      socket.destroy()
    }
    if (!guests.enter(socket, evict))
      refuse('limit', `all ${maxConnections} connections of ${id} are in use by servers: raise maxConnections`)

    return () => deadline.unsubscribe()
  })
