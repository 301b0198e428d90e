import { expect, it } from '@jest/globals'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { map, of } from 'rxjs'
import { logIndex } from '../../src/raft/ids.js'
import type { Log } from '../../src/raft/state/log.js'
import { bytes } from '../../streams/wire/codec.js'
import { createRaft } from '../../streams/server/createRaft.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { now } from './cluster.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What a `WeakRef` has shown is held until the present task ends. */
const nextTask = () => new Promise((resolve) => setImmediate(resolve))

it('commands that the log has forgotten are held by nothing any more', async () => {
  const scheduler = new VirtualScheduler()
  const everyEntries = 3_000 // not a whole number of the log's chunks
  let last = logIndex(0)
  const server = createRaft({
    id: 'n1',
    network: memoryNetwork({ scheduler }).join('n1'),
    storage: memoryStorage(['n1']),
    scheduler,
    random: () => 0,
    codec: bytes,
    stateMachine: (msg$) => msg$.pipe(map(({ index }) => ({ index: (last = index), result: undefined }))),
    snapshots: { everyEntries, take: () => of({ index: last, data: new Uint8Array(1) }) },
  })
  const run = (): void => scheduler.runUntil(scheduler.now() + 1_000)
  const commands: WeakRef<Uint8Array>[] = []
  const propose = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const command = new Uint8Array(100)
      commands.push(new WeakRef(command))
      server.propose(command)
    }
    run()
  }
  const alive = async (): Promise<number> => {
    await nextTask()
    collect()
    return commands.filter((command) => command.deref() !== undefined).length
  }

  server.start()
  run()
  propose(2_000)
  expect(await alive()).toBe(2_000)

  const held: { log?: Log } = { log: now(server.state$)!.log }
  propose(1_000)
  expect(now(server.state$)!.log).toMatchObject({ base: { index: 3_001 }, bytes: 0 })
  expect(await alive()).toBeGreaterThanOrEqual(2_000)
  expect(held.log?.lastIndex).toBe(2_001)

  delete held.log
  propose(10)
  expect(await alive()).toBe(10)
})
