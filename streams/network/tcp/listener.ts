import { createServer, type Socket } from 'node:net'
import { mergeMap, Observable, of } from 'rxjs'
import type { Address } from '../../../src/raft/state/address.js'
import type { NetworkError, NetworkEvent, Rejected } from '../network.js'
import { Connections } from './connections.js'
import { converse } from './conversation.js'
import type { TcpSettings } from './options.js'
import type { TcpSession } from './session.js'

/** Accepts connections and gives what comes over them. Errors with a `NetworkError` where it cannot listen. */
export const listening = (session: TcpSession, bound: (address: Address) => void): Observable<NetworkEvent> => {
  const connections = new Connections(session)
  return accepted(session, bound).pipe(mergeMap((caller) => ('_tag' in caller ? of(caller) : converse(caller, connections, session))))
}

const accepted = (session: TcpSession, bound: (address: Address) => void): Observable<Socket | Rejected> =>
  new Observable<Socket | Rejected>((subscriber) => {
    const { listen } = session.settings
    const server = createServer({ noDelay: true }, (socket) => subscriber.next(socket))
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (!server.listening) return subscriber.error(unusable(error, session.settings))
      session.counts.reject('limit')
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
