import { createRaft, type Raft } from '../../../streams/server/createRaft.js'
import { utf8 } from '../../../streams/wire/codec.js'
import { VirtualScheduler } from '../../../streams/time/heapScheduler.js'
import { memoryNetwork } from '../../../streams/network/memory/memoryNetwork.js'
import { type MemoryStorage, memoryStorage } from '../../../streams/storage/memory/memoryStorage.js'
import { seeded } from '../../../streams/testing/random.js'
import { findings, type Scenario, spread } from './scenario.js'

const roundMs = 3_000
const rounds = 6
const longestMs = 20_000

/** One data directory, and what its name was when it was made. */
interface Disk {
  readonly storage: MemoryStorage
  readonly isLost: boolean
}

/**
 * Servers whose disks have names. In each round some of them run, a client writes, and all stop; between two rounds a
 * disk may be lost and an empty one takes its name, of a minority in all. In the end everybody runs, and what was
 * acknowledged must be there: nothing of it may depend on what a running process remembers, nor on who met whom.
 */
export const lostDisks: Scenario = {
  name: 'lost disks',
  checks: ['stopped alone', 'lost', 'no service'],
  run: (seed) => {
    const random = seeded(spread(seed))
    const below = (n: number): number => Math.floor(random() * n)
    const ids = ['n1', 'n2', 'n3', 'n4', 'n5'].slice(0, seed % 3 === 0 ? 5 : 3)
    const majority = (ids.length >> 1) + 1
    const scheduler = new VirtualScheduler()
    const { say, violations } = findings()
    let made = 0
    const newDisk = (isLost: boolean): Disk => ({
      storage: memoryStorage(ids, { incarnation: (++made).toString(16).padStart(32, '0') }),
      isLost,
    })
    const disks = new Map(ids.map((id) => [id, newDisk(false)]))
    const acknowledged = new Set<string>()

    /** Those run for a while, and a client writes. */
    const round = (running: ReadonlyArray<string>, name: string, forMs: number): ReadonlyMap<string, ReadonlyArray<string>> => {
      const network = memoryNetwork({ scheduler, random, delayMs: { min: 1, max: 15 } })
      const servers: Raft<string, undefined>[] = []
      const applied = new Map<string, string[]>()
      for (const id of running) {
        const words: string[] = []
        applied.set(id, words)
        const server = createRaft({ id, network: network.join(id), storage: disks.get(id)!.storage, codec: utf8, scheduler, random })
        server.apply$.subscribe(({ command }) => words.push(command))
        server.stopped$.subscribe((reason) => {
          if (reason._tag !== 'Killed') say('stopped alone', `${id}: ${reason._tag}: ${'message' in reason ? reason.message : ''}`)
        })
        servers.push(server)
        server.start()
      }
      const until = scheduler.now() + forMs
      for (let n = 0; scheduler.now() < until; n++) {
        scheduler.runUntil(scheduler.now() + 100)
        const word = `${name}/${n}`
        for (const server of servers)
          server.propose(word).subscribe((event) => {
            if (event._tag === 'Applied') acknowledged.add(word)
          })
      }
      for (const server of servers) server.kill()
      return applied
    }

    try {
      for (let n = 0; n < rounds; n++) {
        const size = n === 0 && below(2) === 0 ? ids.length : majority + below(ids.length - majority + 1)
        const running = [...ids].sort(() => random() - 0.5).slice(0, size)
        round(running, String(n), roundMs)
        const lost = [...disks.values()].filter(({ isLost }) => isLost).length
        const victim = ids[below(ids.length)]!
        if (lost < ids.length - majority && below(2) === 0 && !disks.get(victim)!.isLost) disks.set(victim, newDisk(true))
      }
      const before = new Set(acknowledged)
      const applied = round(ids, 'last', longestMs)
      if (acknowledged.size === before.size) say('no service', 'nothing is acknowledged with all servers running')
      const most = new Set([...applied.values()].sort((a, b) => b.length - a.length)[0])
      for (const word of before) if (!most.has(word)) say('lost', `${word} was acknowledged and is not there`)
    } catch (error) {
      say('stopped alone', (error as Error).message)
    }
    return violations()
  },
}
