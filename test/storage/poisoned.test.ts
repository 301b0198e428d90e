import { expect, it } from '@jest/globals'
import { join } from 'node:path'
import { filter, firstValueFrom, lastValueFrom } from 'rxjs'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { maxTerm, nodeId } from '../../src/raft/ids.js'
import { utf8 } from '../../streams/wire/codec.js'
import { createRaft } from '../../streams/server/createRaft.js'
import { leaderAmong } from '../../streams/server/leaderAmong.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { bootstrapFrom } from '../../streams/storage/disk/bootstrapFrom.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { remembering } from '../streams/remembering.js'
import { command, dataDirectory, done, found, hardState, hasty, persist, pointer, temporaryDirectory, withDisk } from './support.js'

/**
 * What a stranger left: the last term there is. With a snapshot of the first two entries, if wanted; the last entry is
 * of `lastTerm`.
 */
const poisoned = async (lastTerm: number, withSnapshot: boolean): Promise<string> => {
  const directory = await dataDirectory()
  await withDisk(directory, async (disk) => {
    await done(disk.write([persist({ entries: [command(1, 'a'), command(1, 'b'), command(lastTerm, 'c')], commitIndex: 2 })]))
    if (withSnapshot) {
      const snapshot = pointer(1, 2, 2)
      const { ref, base } = snapshot
      await done(disk.snapshots.store({ _tag: 'StoreSnapshot', from: null, ref, base, offset: 0, data: utf8.encode('ab'), last: true }))
      await done(disk.write([persist({ snapshot, firstIndex: 4, commitIndex: 2 })]))
    }
    await done(disk.write([persist({ hardState: hardState(maxTerm, 'n9'), firstIndex: 4 })]))
  })
  expect((await found(directory)).currentTerm).toBe(maxTerm)
  return directory
}

const cases = [1, 3].flatMap((servers) =>
  [2, maxTerm].flatMap((lastTerm) => [false, true].map((withSnapshot) => ({ servers, lastTerm, withSnapshot }))),
)

it.each(cases)(
  'after the last term there is, $servers of a new cluster elect a leader and have all entries (last term $lastTerm, snapshot: $withSnapshot)',
  async ({ servers, lastTerm, withSnapshot }) => {
    const ids = ['n1', 'n2', 'n3'].slice(0, servers)
    const network = memoryNetwork()
    const old = diskStorage(await poisoned(lastTerm, withSnapshot), { fileSystem: hasty })
    const data = temporaryDirectory()
    const cluster = []
    for (const id of ids) {
      const directory = join(data, id)
      const options = { id, clusterId: 'test-2', configuration: votersOnly(ids.map(nodeId)) }
      await lastValueFrom(id === 'n1' ? bootstrapFrom(directory, { ...options, from: old }, hasty) : bootstrap(directory, options, hasty))
      const storage = diskStorage(directory, { fileSystem: hasty })
      const machine = remembering()
      cluster.push({ machine, server: createRaft({ id, network: network.join(id), storage, codec: utf8, ...machine.options }) })
    }
    for (const { server } of cluster) server.start()
    const leader = await firstValueFrom(leaderAmong(cluster.map(({ server }) => server)))
    expect(leader.id).toBe('n1')
    expect(await leader.propose('d').result()).toBe('abcd')
    const { log } = await firstValueFrom(leader.state$)
    for (const { server, machine } of cluster) {
      await firstValueFrom(server.state$.pipe(filter(({ lastApplied }) => lastApplied === log.lastIndex)))
      expect(machine.state()).toBe('abcd')
    }
    for (const { server } of cluster) await lastValueFrom(server.close())
  },
)
