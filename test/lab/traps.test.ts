import { describe, expect, it } from '@jest/globals'
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
    found: /applied 3 at index 1, where another applied 2/,
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

  it('they pass the tests of the lab: that is why they have their own', () => {
    const lenient = labTests.filter(({ name }) => name === 'Persist1' || name === 'Rejoin')
    for (const { mistake } of traps)
      expect(lenient.map((test) => runVirtually(test, { seed: 1, step: mistake }).failure)).toEqual(lenient.map(() => null))
  })
})
