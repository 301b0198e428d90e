import fc from 'fast-check'
import { InvariantViolation } from '../../../src/raft/error.js'
import { type checkedStep, invariants } from '../../../src/raft/invariants.js'
import { step } from '../../../src/raft/step.js'
import { ClusterByHand } from '../../../streams/testing/cluster.js'
import { settle } from '../../../streams/testing/settle.js'
import { traceChecker } from '../../../streams/testing/trace/figure2/accepts.js'
import { lineOf } from '../../../streams/testing/trace/lineOf.js'
import { mend, play, schedule, settings } from '../../raft/schedule.js'
import { findings, type Scenario, spread } from './scenario.js'

const history = fc.tuple(fc.constantFrom(1, 2, 3, 3, 3, 4, 5), settings, schedule)

/**
 * Runs the random schedules of test/raft/schedule.ts on the bare `step`, with four checks that do not hinder each
 * other: the invariants of one server; Figure 3 over the cluster, and messages sent before the disk; the trace against
 * Figure 2; and whether a cluster without further faults reaches one log. In one history of three a follower hangs for
 * good meanwhile.
 */
export const byHand: Scenario = {
  name: 'by hand',
  checks: ['invariants', 'properties', 'trace', 'liveness'],
  run: (seed) => {
    const [[size, given, moves]] = fc.sample(history, { numRuns: 1, seed: spread(seed) }) as [[number, object, never[]]]
    const { say, violations } = findings()
    const next = traceChecker()
    let traced = true
    const watched: typeof checkedStep = (before, event, at) => {
      const { server, effects } = step(before, event, at)
      for (const { name, holds } of invariants) if (!holds(before, server)) say('invariants', name)
      const why = traced ? next(lineOf({ at, event, before, after: server, effects })) : null
      if (why !== null) {
        say('trace', why)
        traced = false
      }
      return { server, effects }
    }
    try {
      const cluster = new ClusterByHand({ size, settings: given, step: watched })
      play(cluster, moves)
      mend(cluster)
      const hung = size > 2 && seed % 3 === 0 ? cluster.ids[seed % size]! : null
      if (hung !== null) {
        const others = cluster.ids.filter((id) => id !== hung)
        cluster.cut([hung], others)
      }
      const leader = cluster.server(settle(cluster))
      if (hung === null) {
        for (const id of cluster.ids)
          if (cluster.server(id).log.lastIndex !== leader.log.lastIndex) say('liveness', `${id} does not come to the leader’s log`)
      }
    } catch (error) {
      say(error instanceof InvariantViolation ? 'properties' : 'liveness', (error as Error).message)
    }
    return violations()
  },
}
