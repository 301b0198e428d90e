import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ClusterByHand } from '../../streams/testing/cluster.js'
import { settle } from '../../streams/testing/settle.js'
import { mend, play, schedule, seed, settings } from './schedule.js'

describe('any schedule', () => {
  it('"safety must not depend on timing" (§5.6); and when the faults end, all come to the same log', () => {
    // The invariants of each server and the properties of Figure 3 are checked after every step, in the cluster.
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 3, 3, 4, 5), settings, schedule, (size, given, moves) => {
        const cluster = new ClusterByHand({ size, settings: given })
        play(cluster, moves)
        mend(cluster)
        const leader = cluster.server(settle(cluster))
        for (const id of cluster.ids) expect([...cluster.server(id).log]).toEqual([...leader.log])
      }),
      { numRuns: 400, ...seed },
    )
  })
})
