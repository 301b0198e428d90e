import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { checkedStep } from '../../src/raft/invariants.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { printStep } from '../../src/raft/print.js'
import type { Server } from '../../src/raft/state/server.js'
import type { Step } from '../../src/raft/step.js'
import { ClusterByHand } from '../../streams/testing/cluster.js'
import { immerStep } from '../../streams/testing/immerStep.js'
import { mend, play, seed, settings, shortSchedule } from '../raft/schedule.js'
import { appendEntries, follower, leader, received } from '../raft/servers.js'

/** A log by its content: two logs may hold the same entries in other chunks. */
const plain = (field: keyof Server, server: Server): unknown => (field === 'log' ? [server.log.base, ...server.log] : server[field])

/** How the outcomes of one event differ, in words; none where they are equal. Both drafts are finished here. */
const differences = (before: Server, copied: Step, drafted: Step): ReadonlyArray<string> => {
  const found: string[] = []
  if (!isDeepStrictEqual(drafted.effects, copied.effects)) found.push('the effects differ')
  if ((drafted.server === before) !== (copied.server === before)) found.push('only one state is the identical one')
  if (drafted.server === copied.server) return found
  for (const field of Object.keys(before) as ReadonlyArray<keyof Server>) {
    const [a, b] = [drafted.server[field], copied.server[field]]
    if ((a === before[field]) !== (b === before[field])) found.push(`only one ${field} is the identical one`)
    if (a !== b && !isDeepStrictEqual(plain(field, drafted.server), plain(field, copied.server))) found.push(`${field} differs`)
  }
  return found
}

const histories = 2_000

describe('the rules through immer', () => {
  it(`do what they do in a copy: ${histories} histories, each event by both`, () => {
    let steps = 0
    let unchanged = 0
    const both = (server: Server, event: RaftEvent, at: number): Step => {
      const copied = checkedStep(server, event, at)
      const drafted = immerStep(server, event, at)
      const differ = differences(server, copied, drafted)
      if (differ.length > 0) throw new Error(`${differ.join(', ')}\n${printStep(event, copied)}\n${printStep(event, drafted)}`)
      if (drafted.server === server) unchanged++
      // Each goes on from the states of the other: those of immer are frozen.
      return steps++ % 2 === 0 ? drafted : copied
    }
    fc.assert(
      fc.property(fc.constantFrom(1, 3, 3, 5), settings, shortSchedule, (size, given, moves) => {
        const cluster = new ClusterByHand({ size, settings: given, step: both })
        play(cluster, moves)
        mend(cluster)
      }),
      { numRuns: histories, ...seed },
    )
    expect(steps).toBeGreaterThan(40 * histories)
    expect(unchanged).toBeGreaterThan(histories)
  })

  it('give a frozen state', () => {
    const { server } = immerStep(follower({ T: 1 }), received(appendEntries({ term: 1 })), 0)
    expect(Object.isFrozen(server)).toBe(true)
  })

  it('give the server that they were given where nothing changes', () => {
    const server = leader()
    const stale: RaftEvent = { _tag: 'HeartbeatDue', generation: 99 }
    expect(immerStep(server, stale, 0)).toEqual({ server, effects: [] })
    expect(immerStep(server, stale, 0).server).toBe(server)
  })
})
