import { either } from 'fp-ts'
import { createServer, type Socket } from 'node:net'
import { mergeMap, Observable, of } from 'rxjs'
import { admit } from '../../sinks/inbound.js'
import type { NetworkError, NetworkEvent, Rejected } from '../network.js'
import { Connections } from './connections.js'
import { FrameReader, frameType } from './frame.js'
import { type Greeting, greetingTo, maxGreetingBytes, objection, readGreeting, welcomeFrame } from './greeting.js'
import type { Address, TcpSettings } from './options.js'
import { readClose, type RefusalCode } from './refusal.js'
import type { TcpSession } from './session.js'

/** Accepts connections and gives what comes over them. Errors with a `NetworkError` where it cannot listen. */
export const listening = (run: TcpSession, bound: (address: Address) => void): Observable<NetworkEvent> => {
  const connections = new Connections(run)
  return accepted(run, bound).pipe(mergeMap((caller) => ('_tag' in caller ? of(caller) : converse(caller, connections, run))))
}

const accepted = (run: TcpSession, bound: (address: Address) => void): Observable<Socket | Rejected> =>
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

/** One connection from its first byte to its last: hello, then messages. Something wrong ends it with one `Rejected`. */
const converse = (socket: Socket, connections: Connections, run: TcpSession): Observable<NetworkEvent> =>
  new Observable<NetworkEvent>((subscriber) => {
    const { settings, counts } = run
    const { id, handshakeTimeoutMs, maxFrameBytes, scheduler } = settings
    const address = `${socket.remoteAddress ?? 'somebody'}:${socket.remotePort ?? '?'}`
    const reader = new FrameReader(maxGreetingBytes)
    let peer: Greeting | null = null

    const refuse = (code: RefusalCode, reason: string): void => {
      deadline.unsubscribe()
      subscriber.next(run.reject(socket, peer?.from ?? address, { code, reason }))
      subscriber.complete()
    }

    const greeted = (payload: Uint8Array): void => {
      const hello = readGreeting(payload, settings)
      if (either.isLeft(hello)) return refuse(hello.left.code, hello.left.reason)
      const { from, incarnation } = hello.right
      const wrong = objection(hello.right, settings, run.known)
      if (wrong !== null) return refuse(wrong.code, wrong.reason)
      peer = hello.right
      deadline.unsubscribe()
      reader.maxBytes = maxFrameBytes
      socket.write(welcomeFrame(greetingTo(from, settings)))
      connections.admit(socket, from)
      subscriber.add(run.silence(socket).subscribe(() => socket.destroy()))
      subscriber.add(run.contradicted(from, incarnation).subscribe(({ code, reason }) => refuse(code, reason)))
      run.calledBy$.next(from)
    }

    const received = ({ from, incarnation }: Greeting, payload: Uint8Array): void => {
      counts.of(from).framesIn++
      // Nobody vouches for it yet: neither the configuration nor the address of its name. We call there now; Raft sends again.
      if (run.known(from) === null) return void counts.of(from).unconfirmed++
      const event = admit(payload, { from, to: id, incarnation })
      if (event._tag === 'Rejected') refuse('message', event.reason)
      else subscriber.next(event)
    }

    const onFrame = (type: number, payload: Uint8Array): boolean => {
      if (peer === null && type === frameType.hello) greeted(payload)
      else if (peer !== null && type === frameType.message) received(peer, payload)
      else if (peer !== null && type === frameType.close) {
        subscriber.next(run.rejectedBy(peer.from, readClose(payload)))
        socket.destroy()
      } else if (peer === null || type !== frameType.alive) {
        refuse('frame', `frame ${type} has no place ${peer === null ? 'before' : 'after'} a hello`)
      }
      return !subscriber.closed && !socket.destroyed
    }

    const deadline = scheduler.schedule(() => refuse('timeout', `said no hello within ${handshakeTimeoutMs} ms`), handshakeTimeoutMs)
    run.adopt(socket)
    socket.on('close', () => subscriber.complete())
    socket.on('data', (chunk) => {
      if (peer !== null) counts.of(peer.from).bytesIn += chunk.length
      const reason = reader.push(chunk, onFrame)
      if (reason === null) return
      refuse('frame', peer === null ? `${reason} before a hello: this port is for rxraft servers` : reason)
    })
    const evict = (): void => {
      if (!subscriber.closed) refuse('limit', `made room for a newer connection before it said hello: ${id} takes no more`)
      socket.destroy()
    }
    const full = connections.enter(socket, evict)
    if (full !== null) refuse('limit', full)

    return () => deadline.unsubscribe()
  })
