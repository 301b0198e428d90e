import { createRaft, memoryNetwork, memoryStorage, type Raft, utf8 } from 'rxraft'

const cluster = ['n1', 'n2', 'n3']
const network = memoryNetwork()
const servers: ReadonlyArray<Raft<string, undefined>> = cluster.map((id) =>
  createRaft({ id, network: network.join(id), storage: memoryStorage(cluster), codec: utf8 }),
)

servers[0]?.apply$.subscribe(({ index, command }) => {
  const position: number = index
  const text: string = command
  return [position, text]
})

// @ts-expect-error: a cluster of text takes text
servers[0]?.propose(1)

export const outcome: Promise<undefined> | undefined = servers[0]?.propose('text').result()
