import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { InvariantViolation } from '../../src/raft/error.js'
import { step } from '../../src/raft/step.js'
import { Checks } from '../../streams/testing/checkers/checker.js'
import { allChecks } from '../../streams/testing.js'
import { ClusterByHand } from '../../streams/testing/cluster.js'
import { play, schedule, seed } from '../raft/schedule.js'

type StepFunction = typeof step

/**
 * What both say of a schedule: the properties of properties.ts, which look at everything after every
 * move, and the checks, which look at what moved. The first to see something ends it.
 */
const judged = (moves: Parameters<typeof play>[1], broken: (real: StepFunction) => StepFunction) => {
  const checks = new Checks(allChecks)
  let fast: string | null = null
  const seen: StepFunction = (server, event, at) => {
    const stepped = broken(step)(server, event, at)
    fast ??= checks.see({ at, event, before: server, after: stepped.server, effects: stepped.effects })?.name ?? null
    return stepped
  }
  let slow: string | null = null
  try {
    play(new ClusterByHand({ size: 3, step: seen }), moves)
  } catch (error) {
    if (!(error instanceof InvariantViolation)) throw error
    slow = error.invariant
  }
  return { fast, slow }
}

describe('the checks and their slow twin', () => {
  it('find nothing in a cluster that is right', () => {
    fc.assert(
      fc.property(schedule, (moves) => {
        expect(judged(moves, (real) => real)).toEqual({ fast: null, slow: null })
      }),
      { numRuns: 40, ...seed },
    )
  })

  const mistakes: Readonly<Record<string, (real: StepFunction) => StepFunction>> = {
    // Whoever asks gets a vote, on disk or not.
    'votes twice': (real) => (server, event, at) =>
      real(
        event._tag === 'Received' && event.message._tag === 'RequestVote' && event.message.term === server.currentTerm
          ? { ...server, votedFor: null }
          : server,
        event,
        at,
      ),
    // §5.4.1 forgotten: every log is up to date.
    'votes for anybody': (real) => (server, event, at) =>
      real(
        server,
        event._tag === 'Received' && event.message._tag === 'RequestVote'
          ? { ...event, message: { ...event.message, lastLogTerm: server.log.lastTerm, lastLogIndex: server.log.lastIndex } }
          : event,
        at,
      ),
  }

  it.each(Object.keys(mistakes))('both find out one that %s', (mistake) => {
    const found = { fast: 0, slow: 0 }
    for (const moves of fc.sample(schedule, { numRuns: 120, seed: 7 })) {
      const { fast, slow } = judged(moves, mistakes[mistake]!)
      if (fast !== null) found.fast++
      if (slow !== null) found.slow++
    }
    expect(found.fast).toBeGreaterThan(0)
    expect(found.slow).toBeGreaterThan(0)
  })
})
