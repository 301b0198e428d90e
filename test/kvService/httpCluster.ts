import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request as httpRequest } from 'node:http'
import { filter, firstValueFrom, merge, Subscription } from 'rxjs'
import { kvHttp, type KvListening } from '../../streams/kv/http/http.js'
import type { KvHttpOptions } from '../../streams/kv/http/options.js'
import { createKvServer, type KvServer, type KvServerOptions } from '../../streams/kv/server/kvServer.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { ids } from './cluster.js'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

export interface Ask {
  readonly method?: string
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Uint8Array
}

/** One request on a connection of its own. */
export const ask = (url: string, { method = 'GET', path, headers = {}, body }: Ask): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const request = httpRequest({ agent: false, host: hostname, port, method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const whole = Buffer.concat(chunks)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, text: whole.toString() })
      })
    })
    request.on('error', reject)
    request.end(body)
  })

export const listen = (options: KvHttpOptions, living: Subscription): Promise<KvListening> =>
  new Promise((resolve, reject) => {
    living.add(kvHttp(options).subscribe({ next: resolve, error: reject }))
  })

/** Three servers in memory, on the real clock, each with an HTTP face on loopback. */
export const httpCluster = async (
  httpOptions: Partial<KvHttpOptions> = {},
  { running = ids, ...serverOptions }: Partial<KvServerOptions> & { readonly running?: ReadonlyArray<string> } = {},
) => {
  const network = memoryNetwork()
  const living = new Subscription()
  const peers: Record<string, string> = {}
  const servers = new Map<string, KvServer>()
  const listening = new Map<string, KvListening>()
  for (const id of running) {
    const server = createKvServer({ ...serverOptions, id, network: network.join(id), storage: memoryStorage(ids) })
    server.start()
    living.add(() => server.kill())
    servers.set(id, server)
    const face = await listen({ server, port: 0, peers, ...httpOptions }, living)
    listening.set(id, face)
    peers[id] = face.url
  }

  const urlOf = (id: string): string => listening.get(id)!.url
  return {
    network,
    peers,
    servers,
    listening,
    urlOf,
    /** The id of who leads, once all that run agree on it. */
    leader: async (): Promise<string> => {
      const all = [...servers.values()]
      const known = await Promise.all(all.map(({ raft }) => firstValueFrom(raft.leader$.pipe(filter((id) => id !== null)))))
      const [first] = known
      if (known.every((id) => id === first)) return first!
      return firstValueFrom(merge(...all.map(({ raft }) => raft.leader$.pipe(filter((id) => id !== null)))))
    },
    ask: (id: string, request: Ask): Promise<Answer> => ask(urlOf(id), request),
    close: () => living.unsubscribe(),
  }
}

export type HttpCluster = Awaited<ReturnType<typeof httpCluster>>

export const errorOf = ({ text }: Answer): { readonly tag: string; readonly message: string } =>
  (JSON.parse(text) as { readonly error: { readonly tag: string; readonly message: string } }).error
