import { memoryNetwork, memoryStorage } from 'rxraft'
import { createClient, createKvServer, memoryTransport } from 'rxraft/kv'

const cluster = ['n1', 'n2', 'n3']
const network = memoryNetwork()
const servers = cluster.map((id) => createKvServer({ id, network: network.join(id), storage: memoryStorage(cluster) }))
for (const server of servers) server.start()

const client = createClient({ transport: memoryTransport(servers), endpoints: cluster })
const { revision } = await client.put('greeting', 'hello')
const changed = await client.compareAndSet('greeting', 'hi', { revision }) // { _tag: 'Written', revision: 3 }
const stale = await client.compareAndSet('greeting', 'ho', { revision }) // { _tag: 'Conflict', item }
const item = await client.get('greeting') // { key: 'greeting', value: 'hi' as bytes, modRevision: 3, version: 2, … }

export const told: number[] = []
for await (const { revision } of client.watch('gre', { fromRevision: 1 })) if (told.push(revision) === 2) break // 2, 3

client.close()
for (const server of servers) server.close()
export const seen = [changed, stale, item]
