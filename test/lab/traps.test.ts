import { describe, expect, it } from '@jest/globals'
import { step } from '../../src/raft/step.js'
import { countsOlderTerms, forgetsItsVote, truncatesAlways } from './mistakes.js'
import { runVirtually } from './run.js'
import { aLateRequestTruncatesNothing, aVoteOutlivesACrash, olderTermsAreNotCounted } from './scenarios/traps.js'
import { type LabTest, labTests } from './tests.js'

const trap = (title: string, servers: number, script: LabTest['script']): LabTest => ({
  name: title,
  part: '3C',
  title,
  servers,
  script,
  reliable: true,
  snapshots: false,
  handout: null,
  limits: [],
})

const traps = [
  {
    test: trap('an entry of an older term is not committed by counting (§5.4.2)', 5, olderTermsAreNotCounted),
    mistake: countsOlderTerms,
    // Servers that have applied the one do not believe the leader that has the other.
    found: /failed to reach agreement on 3 servers/,
  },
  {
    test: trap('a vote outlives a crash (Figure 2)', 3, aVoteOutlivesACrash),
    mistake: forgetsItsVote,
    found: /voted a second time in term 5/,
  },
  {
    test: trap('a late AppendEntries truncates nothing (Figure 2)', 3, aLateRequestTruncatesNothing),
    mistake: truncatesAlways,
    found: /a late request with fewer entries truncated the log/,
  },
]

const from = Number(process.env['SEED'] ?? 1)
const seeds = Array.from({ length: 20 }, (_, i) => from + i)

describe('three mistakes that can pass the 28 behaviours', () => {
  it.each(traps)('$test.title', ({ test }) => {
    expect(seeds.map((seed) => runVirtually(test, { seed }).failure)).toEqual(seeds.map(() => null))
  })

  it.each(traps)('is found when it is put back: $test.title', ({ test, mistake, found }) => {
    for (const seed of seeds) expect(runVirtually(test, { seed, step: mistake }).failure).toMatch(found)
  })

  it('two of them pass what the lab has against them: that is why they have tests of their own', () => {
    const lab = labTests.filter(({ name }) => ['Persist1', 'Persist2', 'Rejoin', 'Figure8'].includes(name))
    for (const { mistake } of traps.slice(0, 2))
      expect(lab.map((test) => runVirtually(test, { seed: 1, step: mistake }).failure)).toEqual(lab.map(() => null))
  })

  it('a cluster that goes round in circles ends its test, not the patience of whoever runs it', () => {
    const [test] = labTests.filter(({ name }) => name === 'BasicAgree')
    /** A leader answers every reply with a heartbeat. */
    const restless: typeof step = (before, event, at) => {
      const { server, effects } = step(before, event, at)
      if (server.role._tag !== 'Leader' || event._tag !== 'Received' || !('re' in event.message)) return { server, effects }
      const beat = step(server, { _tag: 'HeartbeatDue', generation: server.counters.heartbeat }, at)
      return { server: beat.server, effects: [...effects, ...beat.effects] }
    }
    expect(runVirtually(test!, { seed: 1, step: restless }).failure).toMatch(/^time stands still at \d+ ms/)
  })
})
