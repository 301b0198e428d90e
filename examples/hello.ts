import { firstValueFrom } from 'rxjs'
import { createRaft, leaderAmong, memoryNetwork, memoryStorage, utf8 } from 'rxraft'

const cluster = ['n1', 'n2', 'n3']
const network = memoryNetwork()
const servers = cluster.map((id) => createRaft({ id, network: network.join(id), storage: memoryStorage(cluster), codec: utf8 }))
const applied = servers.map(({ apply$ }) => firstValueFrom(apply$)) // the first command that each applies

for (const server of servers) server.start()
const leader = await firstValueFrom(leaderAmong(servers))
await leader.propose('hello').result() // on the disks of a majority, and applied here
console.log(await Promise.all(applied)) // { index: 2, term: 1, command: 'hello' }, from all three
for (const server of servers) server.close()
