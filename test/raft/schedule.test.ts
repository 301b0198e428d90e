import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Entry } from '../../src/raft/state/entry.js'
import { after, maxIndex } from '../../src/raft/ids.js'
import type { Log } from '../../src/raft/state/log.js'
import { ClusterByHand } from '../../streams/testing/cluster.js'
import { settle } from '../../streams/testing/settle.js'
import { mend, play, schedule, seed, settings } from './schedule.js'

/** What two logs can be compared by: all after the later one's beginning. */
const suffix = (log: Log, other: Log): ReadonlyArray<Entry> => log.from(after(maxIndex(log.base.index, other.base.index)))

describe('any schedule', () => {
  it('"safety must not depend on timing" (§5.6); and when the faults end, all come to the same log', () => {
    // The invariants of each server and the properties of Figure 3 are checked after every step, in the cluster.
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 3, 3, 4, 5), settings, schedule, (size, given, moves) => {
        const cluster = new ClusterByHand({ size, settings: given })
        play(cluster, moves)
        mend(cluster)
        const leader = cluster.server(settle(cluster))
        for (const id of cluster.ids) expect(suffix(cluster.server(id).log, leader.log)).toEqual(suffix(leader.log, cluster.server(id).log))
      }),
      { numRuns: 400, ...seed },
    )
  })
})
