import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { checkedStep } from '../../src/raft/invariants.js'
import type { Server } from '../../src/raft/state/server.js'
import { step } from '../../src/raft/step.js'
import { ClusterByHand } from '../../streams/testing/cluster.js'
import { mend, play, schedule, seed, settings } from './schedule.js'
import { after, appendEntries, follower, installSnapshot, received } from './servers.js'

/**
 * Everything in it, but for bytes and for the log's chunks: these grow in place, where only the log that ends there can
 * see it.
 */
const deepFreeze = <A>(value: A): A => {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const [name, part] of Object.entries(value)) if (name !== 'chunks') deepFreeze<unknown>(part)
  return value
}

const sizes = fc.constantFrom(1, 3, 3, 5)

/** What happens to a cluster whose servers do this with an event. */
const inAnySchedule = (does: typeof checkedStep): void =>
  fc.assert(
    fc.property(sizes, settings, schedule, (size, given, moves) => {
      const cluster = new ClusterByHand({ size, settings: given, step: does })
      play(cluster, moves)
      mend(cluster)
    }),
    { numRuns: 40, ...seed },
  )

describe('step is pure', () => {
  it('no rule writes into what it was given: server and event may be frozen', () => {
    let frozen = 0
    inAnySchedule((server, event, at) => {
      frozen++
      return checkedStep(deepFreeze(server), deepFreeze(event), at)
    })
    expect(frozen).toBeGreaterThan(1_000)
  })

  it('the same event at the same server has the same outcome, however often it is asked', () => {
    inAnySchedule((server, event, at) => {
      const once = checkedStep(server, event, at)
      const again = step(server, event, at)
      expect(isDeepStrictEqual(again.effects, once.effects)).toBe(true)
      expect([...again.server.log]).toEqual([...once.server.log])
      expect(isDeepStrictEqual({ ...again.server, log: null }, { ...once.server, log: null })).toBe(true)
      return once
    })
  })

  it('unchanged means identical: what is a new value differs from the old one', () => {
    const fields = [
      'applyingIndex',
      'commitIndex',
      'counters',
      'currentTerm',
      'id',
      'incarnation',
      'lastApplied',
      'log',
      'role',
      'settings',
      'snapshots',
      'votedFor',
      'writeProgress',
    ] as const
    const alike = (a: Server, b: Server): ReadonlyArray<string> =>
      fields.filter(
        (field) =>
          a[field] !== b[field] &&
          isDeepStrictEqual(field === 'log' ? [a.log.base, ...a.log] : a[field], field === 'log' ? [b.log.base, ...b.log] : b[field]),
      )
    inAnySchedule((server, event, at) => {
      const stepped = checkedStep(server, event, at)
      expect({ event, alike: alike(server, stepped.server) }).toEqual({ event, alike: [] })
      const isUnchanged = fields.every((field) => server[field] === stepped.server[field])
      expect({ event, isIdentical: stepped.server === server }).toEqual({ event, isIdentical: isUnchanged })
      return stepped
    })
  })

  it('the follower of one leader in two terms keeps its role', () => {
    const led = after(follower({ T: 1 }), received(appendEntries({ term: 1 })))
    const again = after(led, received(appendEntries({ term: 2 })))
    expect(again.currentTerm).toBe(2)
    expect(again.role).toBe(led.role)
  })

  it('a chunk that comes twice while it is being stored changes nothing', () => {
    const chunk = received(installSnapshot({ term: 1, data: 'ab', done: false }))
    const once = after(follower({ T: 1 }), chunk)
    expect(after(once, chunk).snapshots).toBe(once.snapshots)
  })

  it('those are all the fields there are', () => {
    const server = new ClusterByHand({ size: 1 }).server('n1' as Server['id'])
    expect(Object.keys(server).sort()).toEqual([
      'applyingIndex',
      'commitIndex',
      'counters',
      'currentTerm',
      'id',
      'incarnation',
      'lastApplied',
      'log',
      'role',
      'settings',
      'snapshots',
      'votedFor',
      'writeProgress',
    ])
  })
})
