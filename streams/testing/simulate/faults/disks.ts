import { whole } from '../dice.js'
import type { DiskFaults, FaultyDisk } from '../faultyDisk.js'
import { type Fault, grown } from './fault.js'
import { oneRunning } from './processes.js'

/** Power fails while a write is under way: it is made slow for that, so that several gather behind one another. */
const powerLoss =
  (onCrash: 'lost' | 'torn'): Fault['begin'] =>
  (world, die) => {
    const home = oneRunning(world, die)
    const release = home === null ? null : world.claim(`disk ${home.id}`)
    if (home === null || release === null) return null
    const { disk } = home
    let before = whole(die, { min: 0, max: 3 })
    disk.setFaults({ writeMs: { min: 10, max: whole(die, { min: 10, max: 300 }) } })
    disk.onWrite = () => {
      if (before-- > 0) return
      disk.onWrite = null
      home.crashIn(whole(die, { min: 0, max: 9 }), onCrash, whole(die, { min: 20, max: 4_000 }))
    }
    return {
      what: `${home.id} loses power in the middle of a write, which is ${onCrash}`,
      bit: grown(() => disk.stats[onCrash]),
      end: () => {
        disk.onWrite = null
        disk.setFaults({ writeMs: home.calmWriteMs })
        release()
      },
    }
  }

/** A fault of one disk, until it is over. */
const disk =
  (what: string, count: keyof FaultyDisk['stats'], faults: (die: () => number) => Partial<DiskFaults>): Fault['begin'] =>
  (world, die) => {
    const home = oneRunning(world, die)
    const release = home === null ? null : world.claim(`disk ${home.id}`)
    if (home === null || release === null) return null
    home.disk.setFaults(faults(die))
    return {
      what: `the disk of ${home.id} ${what}`,
      bit: grown(() => home.disk.stats[count]),
      end: () => {
        home.disk.setFaults({ writeMs: home.calmWriteMs, hung: false, failing: false, full: false })
        release()
      },
    }
  }

/**
 * A disk is lost, and an empty one takes its place under the old name. Only of a minority in all: what a majority has lost is lost, and
 * a name with another disk does not vote any more.
 */
const emptyDisk: Fault['begin'] = (world, die) => {
  const lost = world.homes.filter(({ lostDisks }) => lostDisks > 0)
  const home = oneRunning(world, die)
  const release = home === null ? null : world.claim(`disk ${home.id}`)
  if (home === null || release === null) return null
  release()
  if (!lost.includes(home) && 2 * (lost.length + 1) >= world.homes.length) return null
  home.loseDisk(whole(die, { min: 20, max: 4_000 }))
  return { what: `the disk of ${home.id} is lost, and an empty one takes its place`, bit: () => true, end: () => undefined }
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
