import { firstValueFrom, lastValueFrom, shareReplay } from 'rxjs'
import { nodeId, votersOnly } from '../streams/core.js'
import { createKvServer } from '../streams/kv.js'
import { bootstrap, diskStorage, kvHttp, readIdentity, tcpNetwork } from '../streams/node.js'

const [id, directory, peerPorts, allPorts] = process.argv.slice(2) as [string, string, string, string]
const peers = JSON.parse(peerPorts) as Record<string, number>
const names = Object.keys(peers)
const httpPorts = (JSON.parse(allPorts) as ReadonlyArray<number>).slice(names.length)
const address = (port: number) => ({ host: '127.0.0.1', port })

await lastValueFrom(bootstrap(directory, { id, clusterId: 'bench', configuration: votersOnly(names.map(nodeId)) }))
const { incarnation } = await firstValueFrom(readIdentity(directory))
const server = createKvServer({
  id,
  storage: diskStorage(directory),
  network: tcpNetwork({
    id,
    clusterId: 'bench',
    incarnation,
    listen: address(peers[id] ?? 0),
    peers: Object.fromEntries(Object.entries(peers).map(([peer, port]) => [peer, address(port)])),
  }),
})
const urls = Object.fromEntries(names.map((name, i) => [name, `http://127.0.0.1:${httpPorts[i] ?? 0}`]))
const listening$ = kvHttp({ server, port: httpPorts[names.indexOf(id)] ?? 0, peers: urls }).pipe(
  shareReplay({ bufferSize: 1, refCount: false }),
)
listening$.subscribe() // for as long as this process lives
await firstValueFrom(listening$)
server.raft.role$.subscribe((role) => process.send?.({ role, url: urls[id] }))
server.raft.stopped$.subscribe((why) => process.send?.({ why }))
server.start()
process.on('disconnect', () => process.exit(0))
