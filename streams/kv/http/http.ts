import { Agent, createServer, type Server, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { AsyncSubject, BehaviorSubject, Observable } from 'rxjs'
import { gateway } from '../gateway/gateway.js'
import { problem } from './answer.js'
import { boundConnections } from './connections.js'
import { eventBudget } from './eventBudget.js'
import type { HttpContext } from './httpContext.js'
import { handler } from './handler.js'
import { pipelined } from './pipelining.js'
import { type KvHttpOptions, type TunedHttp, tunedHttp } from './options.js'
import { httpPeers } from './peers.js'
import { byteBudget } from './byteBudget.js'

/**
 * An HTTP server that listens.
 *
 * @example
 * kvHttp({ server: kvServer, port: 0 }).subscribe(({ url, close }: KvListening) => {
 *   console.log(`listening at ${url}`)
 *   process.once('SIGTERM', () => close().subscribe())
 * })
 */
export interface KvListening {
  readonly host: string
  readonly port: number
  /** `http://host:port`. */
  readonly url: string
  /** Takes no more connections, ends watches, answers what is under way, and completes. */
  close(): Observable<never>
}

/**
 * The reason why there is no HTTP server, with a sentence that says what to do. It is the error of the stream.
 *
 * @example
 * const tell = ({ _tag, message }: KvHttpError) => alarm(`${_tag}: ${message}`)
 * kvHttp({ server: kvServer, port: 7401 }).subscribe({ error: tell })
 */
export interface KvHttpError {
  readonly _tag: 'AddressInUse' | 'ListenFailed'
  readonly message: string
}

/** How often Node looks for connections whose time is up. */
const checkMs = 1_000

/**
 * Connections to one other server, on which requests are passed on; more of them wait. It counts them all as one
 * address.
 */
const maxSocketsToPeer = 1_024

/** A key of 4,096 bytes, each percent-encoded, and room for the rest. */
const maxHeaderBytes = 20 << 10

/**
 * The store over HTTP, as docs/http.md describes it. Subscribing listens and tells where, unsubscribing breaks every
 * connection. Fails with a `KvHttpError`; throws `InvalidOption` where an option cannot work.
 *
 * @example
 * const peers = { n1: 'http://127.0.0.1:7401', n2: 'http://127.0.0.1:7402', n3: 'http://127.0.0.1:7403' }
 * kvHttp({ server: kvServer, port: 7401, peers }).subscribe(({ url }) => console.log(`listening at ${url}`))
 */
export const kvHttp = (httpOptions: KvHttpOptions): Observable<KvListening> => {
  const options = tunedHttp(httpOptions)
  return new Observable((subscriber) => {
    const agent = new Agent({ keepAlive: true, maxSockets: maxSocketsToPeer, maxFreeSockets: 64, timeout: options.keepAliveMs / 2 })
    const context: HttpContext = {
      options,
      gateway: gateway({ ...options, peers: httpPeers({ agent, id: options.server.id, peers: options.peers }) }),
      buffered: { bytes: 0 },
      answerBudget: byteBudget(options.maxAnswerBytes),
      eventBudget: eventBudget(options.maxWatchBytes),
      counted: {
        answers: {},
        watchesCut: 0,
        answersCut: 0,
        connections: 0,
        connectionsRefused: { maxConnections: 0, maxConnectionsPerAddress: 0, maxPipelined: 0 },
      },
      closing$: new BehaviorSubject(false),
    }
    const server = bounded(context)
    const close = (): Observable<never> => {
      const closed$ = new AsyncSubject<never>()
      context.closing$.next(true)
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
      context.gateway.stop()
      agent.destroy()
      server.close()
      server.closeAllConnections()
    }
  })
}

const bounded = (context: HttpContext): Server => {
  const { headersTimeoutMs, requestTimeoutMs, keepAliveMs, answerTimeoutMs, watchHeartbeatMs } = context.options
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: checkMs,
  })
  boundConnections(server, context)
  // Nothing moves on a connection, not even the sign of life of a watch: its client is gone.
  server.timeout = 2 * Math.max(keepAliveMs, requestTimeoutMs, answerTimeoutMs, watchHeartbeatMs)
  const handle = pipelined(context, handler(context))
  server.on('request', handle)
  server.on('checkContinue', handle) // `readBody` says "continue" where it reads
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseConnection(error, socket, context.options))
  return server
}

/**
 * Answers bytes that are not HTTP, or that came too slowly. It writes to the socket, because there is no request to
 * answer. It reads on for a while, as `lingeringClose` does, and then closes the whole connection: the client may never
 * close its half.
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
