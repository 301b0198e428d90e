import { Agent, createServer, type Server, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { AsyncSubject, BehaviorSubject, Observable } from 'rxjs'
import { problem } from './answer.js'
import { boundConnections } from './connections.js'
import { eventsUnderWay } from './eventsUnderWay.js'
import type { HttpContext } from './httpContext.js'
import { gateway } from './gateway.js'
import { handler } from './handler.js'
import { inTurn } from './inTurn.js'
import { type KvHttpOptions, type TunedHttp, tunedHttp } from './options.js'
import { room } from './room.js'

/** An HTTP face that listens. */
export interface KvListening {
  readonly host: string
  readonly port: number
  /** `http://host:port`. */
  readonly url: string
  /** Takes no more connections, ends watches, answers what is under way, and completes. */
  close(): Observable<never>
}

/** Why there is no HTTP face, with a sentence that says what to do. It is the error of the stream. */
export interface KvHttpError {
  readonly _tag: 'AddressInUse' | 'ListenFailed'
  readonly message: string
}

/** How often Node looks for connections whose time is up. */
const checkMs = 1_000

/** Connections to one other server, on which requests are passed on; more of them wait. It counts them all as one address. */
const maxSocketsToPeer = 1_024

/** A key of 4,096 bytes, each percent-encoded, and room for the rest. */
const maxHeaderBytes = 20 << 10

/**
 * The store over HTTP, as docs/http.md describes it. Subscribing listens and tells where, unsubscribing breaks every connection.
 * Fails with a `KvHttpError`; throws `InvalidOption` where an option cannot work.
 *
 * @example
 * const peers = { n1: 'http://127.0.0.1:7401', n2: 'http://127.0.0.1:7402', n3: 'http://127.0.0.1:7403' }
 * kvHttp({ server: kvServer, port: 7401, peers }).subscribe(({ url }) => console.log(`listening at ${url}`))
 */
export const kvHttp = (httpOptions: KvHttpOptions): Observable<KvListening> => {
  const options = tunedHttp(httpOptions)
  return new Observable((subscriber) => {
    const face: HttpContext = {
      options,
      gateway: gateway(options),
      agent: new Agent({ keepAlive: true, maxSockets: maxSocketsToPeer, maxFreeSockets: 64, timeout: options.keepAliveMs / 2 }),
      buffered: { bytes: 0 },
      answering: room(options.maxAnswerBytes),
      eventsUnderWay: eventsUnderWay(options.maxWatchBytes),
      counted: {
        answers: {},
        watches: 0,
        watchesCut: 0,
        answersCut: 0,
        connections: 0,
        connectionsRefused: { maxConnections: 0, maxConnectionsPerAddress: 0, maxPipelined: 0 },
      },
      closing$: new BehaviorSubject(false),
    }
    const server = bounded(face)
    const close = (): Observable<never> => {
      const closed$ = new AsyncSubject<never>()
      face.closing$.next(true)
      server.close(() => {
        subscriber.complete()
        closed$.complete()
      })
      return closed$
    }
    server.on('error', (error: NodeJS.ErrnoException) => subscriber.error(errorOf(error, options)))
    server.listen(options.port, options.host, () => {
      const { port } = server.address() as AddressInfo
      const host = options.host.includes(':') ? `[${options.host}]` : options.host
      subscriber.next({ host: options.host, port, url: `http://${host}:${port}`, close })
    })
    return () => {
      face.gateway.stop()
      face.agent.destroy()
      server.close()
      server.closeAllConnections()
    }
  })
}

const bounded = (face: HttpContext): Server => {
  const { headersTimeoutMs, requestTimeoutMs, keepAliveMs, answerTimeoutMs, watchHeartbeatMs } = face.options
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: checkMs,
  })
  boundConnections(server, face)
  // A connection on which nothing moves, not even the sign of life of a watch, has nobody at its other end.
  server.timeout = 2 * Math.max(keepAliveMs, requestTimeoutMs, answerTimeoutMs, watchHeartbeatMs)
  const handle = inTurn(face, handler(face))
  server.on('request', handle)
  server.on('checkContinue', handle) // `readBody` says "continue" where it reads
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseConnection(error, socket, face.options))
  return server
}

/**
 * What was not HTTP, or took too long to be: answered by hand, as there is no request to answer. What still comes is thrown away for a
 * while, as in `lingering`, and then the whole connection is closed: its other half is not left to a client that may never do so.
 */
const refuseConnection = (error: NodeJS.ErrnoException, socket: Duplex, { scheduler, lingerMs }: TunedHttp): void => {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const { status, body } = connectionProblem(error.code ?? '')
  const timeUp = scheduler.schedule(() => socket.destroy(), lingerMs)
  socket.once('close', () => timeUp.unsubscribe())
  socket.resume().once('end', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
}

const connectionProblem = (code: string): ReturnType<typeof problem> => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return problem(431, 'HeadersTooLarge', `Path and headers have at most ${maxHeaderBytes} bytes together: shorten them.`)
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problem(408, 'RequestTimeout', 'The request did not arrive in time: send it at once.')
    default:
      return problem(400, 'BadHttp', `This is not HTTP/1.1 (${code}).`)
  }
}

const errorOf = ({ code, message }: NodeJS.ErrnoException, { host, port }: TunedHttp): KvHttpError =>
  code === 'EADDRINUSE'
    ? { _tag: 'AddressInUse', message: `Port ${port} of ${host} is taken: stop what listens there, or choose another port.` }
    : { _tag: 'ListenFailed', message: `Cannot listen on port ${port} of ${host}: ${message}. Choose another host or port.` }
