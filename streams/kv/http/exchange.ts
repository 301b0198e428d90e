import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request as httpRequest } from 'node:http'
import { Observable } from 'rxjs'

/** Where a server answers HTTP. */
export interface Origin {
  readonly host: string
  readonly port: number
}

/** Of `http://host:port`. */
export const originOf = (url: string): Origin => {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) }
}

/** What became of a request to another server. */
export type Exchange =
  | { readonly _tag: 'Responded'; readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
  /** No connection was made: nothing was done. */
  | { readonly _tag: 'NeverSent'; readonly message: string }
  /** It may have arrived, and no whole answer did. */
  | { readonly _tag: 'Lost'; readonly message: string }

export interface ExchangeRequest {
  readonly method: string
  /** Sent as it is: a URL's own idea of `..` must not touch a key. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body: Uint8Array
  /** A longer answer is `Lost`. */
  readonly maxAnswerBytes: number
}

/** One request and its whole answer. Never fails; unsubscribing breaks the connection. */
export const exchange = (agent: Agent, { host, port }: Origin, asked: ExchangeRequest): Observable<Exchange> =>
  new Observable((subscriber) => {
    const { method, path, body, maxAnswerBytes } = asked
    let mayHaveArrived = false
    let isOver = false
    const end = (exchanged: Exchange): void => {
      isOver = true
      subscriber.next(exchanged)
      subscriber.complete()
    }
    const broken = (message: string): void => end({ _tag: mayHaveArrived ? 'Lost' : 'NeverSent', message: `${host}:${port}: ${message}` })

    const request = httpRequest({ agent, host, port, method, path, headers: { ...asked.headers, 'content-length': body.length } })
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (mayHaveArrived = true))
      else mayHaveArrived = true
    })
    request.on('error', (error) => broken(error.message))
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length > maxAnswerBytes) request.destroy(new Error(`the answer is longer than ${maxAnswerBytes} bytes`))
      })
      response.on('error', (error) => broken(error.message))
      response.on('end', () => {
        end({ _tag: 'Responded', status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks, length) })
      })
    })
    request.end(body)
    return () => {
      if (!isOver) request.destroy()
    }
  })
