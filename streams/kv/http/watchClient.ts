import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Observable } from 'rxjs'
import { type Revision, revision } from '../../../src/kv/ids.js'
import type { Key } from '../../../src/kv/key.js'
import type { WatchMessage } from '../transport.js'
import { WatchError } from '../server/watch.js'
import type { Origin } from './exchange.js'
import { encodePiece, naturalIn } from './path.js'
import { type ServerSentEvent, sseReader } from './sse.js'
import { compactRevisionIn, messageIn } from './wireItems.js'

/** The length of an event, in characters of JSON; a longer one ends the watch. */
const maxEventLength = 64 << 20

const maxProblemBytes = 64 << 10

const disconnected = (message: string): WatchError => new WatchError({ _tag: 'Disconnected', message })

const compacted = (data: string): WatchError | null => {
  const compactRevision = compactRevisionIn(data)
  return compactRevision === null ? null : new WatchError({ _tag: 'Compacted', compactRevision })
}

/** Watches one server over HTTP, until the connection ends. */
export const watchOver = ({ host, port }: Origin, prefix: Key, from: Revision | null): Observable<WatchMessage> =>
  new Observable((subscriber) => {
    const path = `/v1/watch?prefix=${encodePiece(prefix)}${from === null ? '' : `&from=${from}`}`
    const fail = (message: string): void => subscriber.error(disconnected(`${host}:${port}: ${message}`))

    const onEvent = ({ event, data, id }: ServerSentEvent): void => {
      if (event === 'error') return subscriber.error(compacted(data) ?? disconnected(data))
      if (data === '') {
        const at = id === null ? null : naturalIn(id)
        if (at !== null) subscriber.next({ revision: revision(at), events: [] })
        return
      }
      const message = messageIn(data)
      if (message === null) fail('an event makes no sense')
      else subscriber.next(message)
    }

    const onResponse = (response: IncomingMessage): void => {
      response.setEncoding('utf8')
      response.on('error', (error) => fail(error.message))
      if (response.statusCode !== 200) return onProblem(response)
      const read = sseReader(maxEventLength)
      response.on('data', (piece: string) => {
        try {
          for (const event of read(piece)) if (!subscriber.closed) onEvent(event)
        } catch (error) {
          fail(String(error))
        }
      })
      response.on('end', () => fail('the server ended the watch'))
    }

    const onProblem = (response: IncomingMessage): void => {
      let body = ''
      response.on('data', (piece: string) => {
        body = (body + piece).slice(0, maxProblemBytes)
      })
      response.on('end', () =>
        subscriber.error((response.statusCode === 410 ? compacted(body) : null) ?? disconnected(`${host}:${port}: ${body}`)),
      )
    }

    const request = httpRequest({ host, port, path, agent: false, headers: { accept: 'text/event-stream' } }, onResponse)
    request.on('error', (error) => fail(error.message))
    request.end()
    return () => request.destroy()
  })
