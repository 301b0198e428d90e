import { whole } from '../dice.js'
import type { DiskFaults, FaultyDisk } from '../faultyDisk.js'
import { type Fault, grown } from './fault.js'
import { oneRunning } from './processes.js'

/** Power fails while a write is under way. The disk is made slow first, so that several writes gather. */
const powerLoss =
  (onCrash: 'lost' | 'torn'): Fault['begin'] =>
  (cluster, die) => {
    const server = oneRunning(cluster, die)
    const release = server === null ? null : cluster.claim(`disk ${server.id}`)
    if (server === null || release === null) return null
    const { disk } = server
    let before = whole(die, { min: 0, max: 3 })
    disk.setFaults({ writeMs: { min: 10, max: whole(die, { min: 10, max: 300 }) } })
    disk.onWrite = () => {
      if (before-- > 0) return
      disk.onWrite = null
      server.crashIn(whole(die, { min: 0, max: 9 }), onCrash, whole(die, { min: 20, max: 4_000 }))
    }
    return {
      what: `${server.id} loses power in the middle of a write, which is ${onCrash}`,
      hadEffect: grown(() => disk.stats[onCrash]),
      end: () => {
        disk.onWrite = null
        disk.setFaults({ writeMs: server.calmWriteMs })
        release()
      },
    }
  }

/** A fault of one disk, until it is over. */
const disk =
  (what: string, count: keyof FaultyDisk['stats'], faults: (die: () => number) => Partial<DiskFaults>): Fault['begin'] =>
  (cluster, die) => {
    const server = oneRunning(cluster, die)
    const release = server === null ? null : cluster.claim(`disk ${server.id}`)
    if (server === null || release === null) return null
    server.disk.setFaults(faults(die))
    return {
      what: `the disk of ${server.id} ${what}`,
      hadEffect: grown(() => server.disk.stats[count]),
      end: () => {
        server.disk.setFaults({ writeMs: server.calmWriteMs, hung: false, failing: false, full: false })
        release()
      },
    }
  }

/**
 * A disk is lost, and an empty one replaces it under the old name. It happens to a minority at most: a server with
 * another disk does not vote any more, and entries that a majority has lost are lost.
 */
const emptyDisk: Fault['begin'] = (cluster, die) => {
  const lost = cluster.servers.filter(({ lostDisks }) => lostDisks > 0)
  const server = oneRunning(cluster, die)
  const release = server === null ? null : cluster.claim(`disk ${server.id}`)
  if (server === null || release === null) return null
  release()
  if (!lost.includes(server) && 2 * (lost.length + 1) >= cluster.servers.length) return null
  server.loseDisk(whole(die, { min: 20, max: 4_000 }))
  return { what: `the disk of ${server.id} is lost, and an empty one takes its place`, hadEffect: () => true, end: () => undefined }
}

export const diskFaults = {
  powerLoss: { weight: 3, forMs: { min: 500, max: 2_000 }, begin: powerLoss('lost') },
  tornWrite: { weight: 3, forMs: { min: 500, max: 2_000 }, begin: powerLoss('torn') },
  slowDisk: {
    weight: 3,
    forMs: { min: 500, max: 8_000 },
    begin: disk('is slow', 'slowed', (die) => ({ writeMs: { min: 1, max: whole(die, { min: 20, max: 1_000 }) } })),
  },
  hungDisk: { weight: 2, forMs: { min: 500, max: 8_000 }, begin: disk('hangs', 'hung', () => ({ hung: true })) },
  failingDisk: { weight: 2, forMs: { min: 200, max: 1_000 }, begin: disk('fails', 'failed', () => ({ failing: true })) },
  emptyDisk: { weight: 1, forMs: { min: 1, max: 10 }, begin: emptyDisk },
  fullDisk: { weight: 1, forMs: { min: 200, max: 3_000 }, begin: disk('is full', 'refused', () => ({ full: true })) },
} satisfies Readonly<Record<string, Fault>>
