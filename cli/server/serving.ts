import {
  combineLatest,
  concat,
  defer,
  filter,
  finalize,
  ignoreElements,
  map,
  merge,
  mergeMap,
  type Observable,
  take,
  takeUntil,
} from 'rxjs'
import { kvHttp } from '../../streams/kv/http/http.js'
import { createKvServer, type KvServer } from '../../streams/kv/server/kvServer.js'
import type { TcpNetworkOptions } from '../../streams/network/tcp/options.js'
import { tcpNetwork } from '../../streams/network/tcp/tcpNetwork.js'
import { defaultTuning } from '../../streams/server/options.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { type Identity, readIdentity } from '../../streams/storage/disk/identity.js'
import { refuse } from '../commandError.js'
import { endpointOf, type Peer } from '../config/peer.js'
import type { ServerTuning } from './tuning.js'

export interface Setup {
  readonly self: Peer
  /** All servers of the cluster. */
  readonly peers: ReadonlyArray<Peer>
  readonly directory: string
  /** The name or address to listen on, where that is not the one others use. */
  readonly listen?: string | undefined
  /** Further names under which clients reach this server. */
  readonly hostNames?: ReadonlyArray<string> | undefined
  /** Refuse a directory of another cluster. */
  readonly cluster?: string | undefined
  readonly tuning: ServerTuning
}

/** A server that takes part and answers HTTP. */
export interface Serving {
  readonly id: string
  readonly url: string
  readonly server: KvServer
  /** Finishes requests, then writes, then closes everything; completes when that is done. */
  stop(): Observable<never>
}

/**
 * A server with its disk, its peers and its HTTP face. Emits when all three are there; completes when
 * it was stopped. Fails with what has a `message` that says what to do: a port that is taken, a
 * directory that cannot be used, and later what ended the server. Unsubscribing kills it.
 */
export const serving = (setup: Setup): Observable<Serving> =>
  readIdentity(setup.directory).pipe(mergeMap((identity) => run(setup, identity)))

const run = (setup: Setup, identity: Identity): Observable<Serving> =>
  defer(() => {
    const { self, peers, directory, listen = self.host, hostNames = [], cluster, tuning } = setup
    const { id } = self
    const network = tcpNetwork(networkOptions(setup, identity))
    const storage = diskStorage(directory, { id, ...(cluster !== undefined && { clusterId: cluster }) })
    const server = createKvServer({ id, network, storage, ...tuning })
    const { state$, stopped$ } = server.raft
    const http$ = kvHttp({
      server,
      host: listen,
      port: self.httpPort,
      hostNames,
      peers: Object.fromEntries(peers.map((peer) => [peer.id, endpointOf(peer)])),
    })

    const takingPart$ = defer(() => {
      server.start()
      return combineLatest([state$.pipe(take(1)), network.listening$.pipe(take(1))])
    })
    const up$ = http$.pipe(
      mergeMap((http) =>
        takingPart$.pipe(
          map((): Serving => ({ id, url: http.url, server, stop: () => concat(http.close(), server.close().pipe(ignoreElements())) })),
        ),
      ),
    )
    const failed$ = stopped$.pipe(mergeMap((reason) => ('message' in reason ? refuse(reason) : [])))
    const closed$ = stopped$.pipe(filter(({ _tag }) => _tag === 'Closed'))
    return merge(up$, failed$).pipe(
      takeUntil(closed$),
      finalize(() => server.kill()),
    )
  })

const networkOptions = (
  { self, peers, listen = self.host, tuning: { electionTimeoutMs } }: Setup,
  { clusterId, incarnation }: Identity,
): TcpNetworkOptions => ({
  id: self.id,
  clusterId,
  incarnation,
  listen: { host: listen, port: self.peerPort },
  peers: Object.fromEntries(peers.map((peer) => [peer.id, { host: peer.host, port: peer.peerPort }])),
  // What must be the same on every server, or elections go wrong: the handshake compares it.
  constants: { minElectionTimeoutMs: (electionTimeoutMs ?? defaultTuning.electionTimeoutMs).min },
})
