import { type Agent, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http'
import { Observable, of, switchMap } from 'rxjs'

/** Where a server answers HTTP. */
export interface Origin {
  readonly host: string
  readonly port: number
}

/** The origin in `http://host:port`. */
export const originOf = (url: string): Origin => {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) }
}

/** No answer to a request to another server. */
export type NoAnswer =
  /** No connection was made: nothing was done. */
  | { readonly _tag: 'NeverSent'; readonly message: string }
  /** It may have arrived, and no whole answer did. */
  | { readonly _tag: 'Lost'; readonly message: string }

/** The fate of a request, up to the headers of its answer. The receiver of a `body` reads it or destroys it. */
export type Begun = { readonly _tag: 'Begun'; readonly status: number; readonly body: IncomingMessage } | NoAnswer

/** The fate of a request, with its whole answer in memory. */
export type Exchange =
  { readonly _tag: 'Responded'; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer } | NoAnswer

export interface ExchangeRequest {
  readonly method: string
  /** Sent as it is: a URL's own idea of `..` must not touch a key. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body: Uint8Array
}

/** Sends a request. Never fails; unsubscribing before an answer begins breaks the connection. */
export const begin = (agent: Agent, { host, port }: Origin, asked: ExchangeRequest): Observable<Begun> =>
  new Observable((subscriber) => {
    const { method, path, body } = asked
    let mayHaveArrived = false
    let isOver = false
    const end = (begun: Begun): void => {
      isOver = true
      subscriber.next(begun)
      subscriber.complete()
    }
    const broken = (message: string): void => end({ _tag: mayHaveArrived ? 'Lost' : 'NeverSent', message: `${host}:${port}: ${message}` })

    const request = httpRequest({ agent, host, port, method, path, headers: { ...asked.headers, 'content-length': body.length } })
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (mayHaveArrived = true))
      else mayHaveArrived = true
    })
    request.on('error', (error) => broken(error.message))
    request.on('response', (response) => end({ _tag: 'Begun', status: response.statusCode ?? 0, body: response }))
    request.end(body)
    return () => {
      if (!isOver) request.destroy()
    }
  })

/**
 * Sends a request and reads its whole answer; an answer of more than `maxAnswerBytes` is `Lost`. Never fails;
 * unsubscribing breaks the connection.
 */
export const exchange = (agent: Agent, to: Origin, asked: ExchangeRequest, maxAnswerBytes: number): Observable<Exchange> =>
  begin(agent, to, asked).pipe(switchMap((begun) => (begun._tag === 'Begun' ? whole(begun, to, maxAnswerBytes) : of(begun))))

const whole = ({ status, body }: Extract<Begun, { _tag: 'Begun' }>, { host, port }: Origin, maxAnswerBytes: number): Observable<Exchange> =>
  new Observable((subscriber) => {
    const chunks: Buffer[] = []
    let length = 0
    const end = (exchanged: Exchange): void => {
      subscriber.next(exchanged)
      subscriber.complete()
    }
    body.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > maxAnswerBytes) body.destroy(new Error(`the answer is longer than ${maxAnswerBytes} bytes`))
    })
    body.on('error', ({ message }) => end({ _tag: 'Lost', message: `${host}:${port}: ${message}` }))
    body.on('end', () => end({ _tag: 'Responded', status, headers: body.headers, body: Buffer.concat(chunks, length) }))
    return () => body.destroy()
  })
