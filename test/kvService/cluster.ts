import { type Observable } from 'rxjs'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { type Client, createClient } from '../../streams/kv/client/createClient.js'
import type { ClientOptions } from '../../streams/kv/client/options.js'
import { createKvServer, type KvServer, type KvServerOptions } from '../../streams/kv/server/kvServer.js'
import { memoryTransport } from '../../streams/kv/memoryTransport.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'

/** Mulberry32: the same seed, the same run. */
export const dice = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export const ids = ['n1', 'n2', 'n3'] as const

/** Three servers in virtual time, with disks that survive `crash`. `built` is told of each before it starts. */
export const virtualCluster = (
  seed = 1,
  serverOptions: Partial<KvServerOptions> = {},
  built: (server: KvServer) => void = () => undefined,
) => {
  const scheduler = new VirtualScheduler()
  const random = dice(seed)
  const network = memoryNetwork({ scheduler, random, delayMs: { min: 1, max: 3 } })
  const disks = new Map(ids.map((id) => [id as string, memoryStorage(ids)]))
  const servers = new Map<string, KvServer>()

  const start = (id: string): KvServer => {
    const server = createKvServer({ ...serverOptions, id, network: network.join(id), storage: disks.get(id)!, scheduler, random })
    servers.set(id, server)
    built(server)
    server.start()
    return server
  }
  ids.forEach(start)

  const transport = memoryTransport((id) => servers.get(id), { scheduler, progressMs: 1_000 })
  const running = (): ReadonlyArray<KvServer> => [...servers.values()]

  return {
    scheduler,
    random,
    network,
    transport,
    servers: running,
    server: (id: string): KvServer => servers.get(id)!,
    start,
    /** As a crash: what is in memory is gone, and nobody answers there. */
    crash: (id: string): void => {
      servers.get(id)?.kill()
      servers.delete(id)
    },
    /** Lets virtual time pass. */
    run: (forMs: number): void => scheduler.runUntil(scheduler.now() + forMs),
    leader: (): KvServer => {
      const leading = running().filter(({ raft }) => last(raft.role$) === 'Leader')
      const newest = leading.sort((a, b) => last(b.raft.state$)!.currentTerm - last(a.raft.state$)!.currentTerm)[0]
      if (newest === undefined) throw new Error('nobody leads')
      return newest
    },
    client: (options: Partial<ClientOptions> = {}): Client => createClient({ transport, endpoints: ids, scheduler, random, ...options }),
  }
}

export type VirtualCluster = ReturnType<typeof virtualCluster>

/** What a stream that replays says at once; undefined if nothing. */
export const last = <T>(stream$: Observable<T>): T | undefined => {
  let value: T | undefined
  stream$.subscribe((next) => (value = next)).unsubscribe()
  return value
}

/** Everything that a stream says from now on, and how it ended. */
export const record = <T>(stream$: Observable<T>) => {
  const recorded = { values: [] as T[], error: undefined as unknown, completed: false, stop: () => subscription.unsubscribe() }
  const subscription = stream$.subscribe({
    next: (value) => recorded.values.push(value),
    error: (error: unknown) => (recorded.error = error),
    complete: () => (recorded.completed = true),
  })
  return recorded
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array): string => new TextDecoder().decode(value)
