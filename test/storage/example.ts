import { lastValueFrom } from 'rxjs'
import { createRaft, memoryNetwork, utf8 } from '../../streams/index.js'
import { nodeId, votersOnly } from '../../streams/core.js'
import { bootstrap, diskStorage } from '../../streams/node.js'

export const firstDayAndSecond = async (directory: string): Promise<ReadonlyArray<string>> => {
  // Once, on each server:
  const configuration = votersOnly([nodeId('n1')])
  await lastValueFrom(bootstrap(directory, { id: 'n1', clusterId: 'demo', configuration }))

  // At every start:
  const start = () => {
    const storage = diskStorage(directory, { id: 'n1', clusterId: 'demo' })
    const server = createRaft({ id: 'n1', network: memoryNetwork().join('n1'), storage, codec: utf8 })
    server.start()
    return server
  }
  const seen: string[] = []
  for (const day of ['first', 'second']) {
    const server = start()
    for await (const role of server.role$) if (role === 'Leader') break
    server.propose(`the ${day} day`)
    for await (const { command } of server.applyFrom(1)) {
      seen.push(command)
      if (command === `the ${day} day`) break
    }
    await lastValueFrom(server.close())
  }
  return seen // the first day, the first day, the second day
}
