import { firstValueFrom, lastValueFrom } from 'rxjs'
import { createRaft } from '../streams/index.js'
import { nodeId, votersOnly } from '../streams/core.js'
import { bootstrap, diskStorage, readIdentity, tcpNetwork } from '../streams/node.js'
import { proposeAll } from './memory.js'
import { perSecond } from './measure.js'

/** What the parent asks a server to do: propose so many 256-byte commands, so many at a time, if it leads. */
export interface Task {
  readonly concurrency: number
  readonly total: number
}

const [id, directory, ports] = process.argv.slice(2) as [string, string, string]
const peers = JSON.parse(ports) as Record<string, number>
const configuration = votersOnly(Object.keys(peers).map(nodeId))
await lastValueFrom(bootstrap(directory, { id, clusterId: 'bench', configuration }))
const { incarnation } = await firstValueFrom(readIdentity(directory))
const address = (port: number) => ({ host: '127.0.0.1', port })

const server = createRaft<Uint8Array, unknown>({
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
server.role$.subscribe((role) => process.send?.({ role }))
server.stopped$.subscribe((why) => process.send?.({ why }))
server.start()

const command = new Uint8Array(256).fill(7)
process.on('message', ({ concurrency, total }: Task) => {
  void perSecond((n) => proposeAll(server, command, concurrency, n), total, 3).then((rate) => process.send?.({ rate }))
})
process.on('disconnect', () => process.exit(0))
