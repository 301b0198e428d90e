import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { InvariantViolation } from '../../src/raft/error.js'
import { checkedStep } from '../../src/raft/invariants.js'
import type { Message } from '../../src/raft/messages.js'
import { defaultSettings } from '../../src/raft/settings.js'
import { defaultBounds, type SearchBounds } from '../../streams/testing/search/bounds.js'
import { isInVain } from '../../streams/testing/search/explore.js'
import { retell } from '../../streams/testing/search/retell.js'
import { keyOfMessage } from '../../streams/testing/search/messages.js'
import { keyOfSite, silencesOf } from '../../streams/testing/search/site.js'
import { type ExploreOptions, Successors } from '../../streams/testing/search/successors.js'
import { search, searching, type SearchOptions } from '../../streams/testing/search.js'
import { seed } from '../raft/schedule.js'
import { asksBeforeItsVoteIsOnDisk, commitsOldTerms, countsItselfAtOnce, votesTwice } from './mistakes.js'

const exploring = (bounds: Partial<SearchBounds>, more: Partial<ExploreOptions> = {}): ExploreOptions => ({
  bounds: { ...defaultBounds, ...bounds },
  settings: defaultSettings,
  step: checkedStep,
  symmetry: true,
  longTurns: false,
  silences: silencesOf({ ...defaultBounds, ...bounds }),
  forget: true,
  ...more,
})

describe('small bounds are exhausted', () => {
  it.each([
    { bounds: { servers: 1, terms: 2, entries: 1 }, states: 96, depth: 8 },
    { bounds: { servers: 2, terms: 1, entries: 1, messages: 3, duplicates: 0 }, states: 448, depth: 19 },
    { bounds: { servers: 2, terms: 2, entries: 0, messages: 3, heartbeats: 1 }, states: 10_934, depth: 25 },
    { bounds: { servers: 3, terms: 1, entries: 0 }, states: 2_427, depth: 18 },
  ] as const)('$bounds: $states states, $depth moves deep', ({ bounds, states, depth }) => {
    expect(search(bounds)).toMatchObject({ exhausted: true, frontier: 0, counterexample: null, states, depth })
  })

  it('a search that meets its bound of states says so', () => {
    expect(search({ states: 100 })).toMatchObject({ exhausted: false, counterexample: null })
  })

  it('one that is looked at from time to time can be left', () => {
    const { value, done } = searching({ servers: 3 }).next()
    expect({ value, done }).toEqual({ value: { states: 2, moves: 3, depth: 1, frontier: 1 }, done: false })
  })

  it.each([{ servers: 0 }, { servers: 6 }, { crashes: -1 }, { messages: 0.5 }, { entries: 128 }])(
    'a bound that makes no sense: %j',
    (bounds) => {
      expect(() => search(bounds)).toThrow(/^the bound \w+ is .*: it must be a whole number from/)
    },
  )
})

describe('what the search leaves out', () => {
  /** All that the servers and disks may be together, and how many states that took; `look` sees each move. */
  const reached = (options: ExploreOptions, look: (from: Int32Array, successors: Successors) => void = () => undefined) => {
    const successors = new Successors(options)
    const { next, tables } = successors
    const { servers } = options.bounds
    const initial = successors.initial()
    const seen = new Map([[initial.join(), initial]])
    // A Map goes on to what is added to it meanwhile.
    for (const state of seen.values()) {
      successors.from(state, 0, () => {
        look(state, successors)
        const key = next.join()
        const inVain = options.forget && isInVain(next, { has: (state) => seen.has(state.join()) })
        if (!inVain && !seen.has(key)) seen.set(key, next.slice())
      })
    }
    const clusters = [...seen.values()].map((state) =>
      // What waits for a disk is a message: it may be one that can change nothing any more.
      [...state.subarray(0, servers)].map((site) => keyOfSite({ ...tables.sites.at(site), waiting: [] })).join(),
    )
    return { states: seen.size, clusters: [...new Set(clusters)].sort() }
  }

  it.each([
    { servers: 2, terms: 2, entries: 0, messages: 2 },
    { servers: 2, terms: 2, entries: 0, messages: 3, crashes: 2, duplicates: 0 },
    { servers: 2, terms: 1, entries: 0, messages: 2, heartbeats: 4, crashes: 0 },
    { servers: 3, terms: 1, entries: 0, messages: 2 },
  ])('messages that can change nothing any more: %j', (bounds) => {
    const all = reached(exploring(bounds, { forget: false, symmetry: false }))
    const fewer = reached(exploring(bounds, { symmetry: false }))
    expect(fewer.clusters).toEqual(all.clusters)
    expect(fewer.states).toBeLessThan(all.states)
  })

  it.each([
    { servers: 2, terms: 2, entries: 0, messages: 2 },
    { servers: 2, terms: 1, entries: 1, messages: 2 },
    { servers: 3, terms: 1, entries: 0, messages: 2 },
  ])('what can change nothing any more can change nothing after any move either: %j', (bounds) => {
    let kept = 0
    reached(exploring(bounds, { forget: false, symmetry: false }), (state, successors) => {
      const { next, tables } = successors
      const underWay = next.subarray(bounds.servers, bounds.servers + bounds.messages)
      const outlook = successors.outlookOf(next)
      const isSpentNow = (message: Message) => tables.isSpent(tables.message(message), next, outlook)
      for (const number of new Set(state.subarray(bounds.servers, bounds.servers + bounds.messages))) {
        if (number === 0 || !underWay.includes(number) || !tables.isSpent(number, state, successors.outlookOf(state))) continue
        kept++
        const site = next[tables.receiver(number)]!
        const { site: after, sent } = tables.outcome(site, 'deliver', number)
        const [a, b] = [tables.sites.at(site), tables.sites.at(after)]
        // The answer may have to wait for the disk: then it is one that can change nothing, either.
        const [before, waiting] = [a, b].map((it) => it.waiting.map(({ message }) => message)) as [Message[], Message[]]
        const isIt = keyOfSite({ ...a, waiting: [] }) === keyOfSite({ ...b, waiting: [] })
        const answers = [...sent.map((it) => tables.messages.at(it)), ...waiting.filter((it) => !before.includes(it))]
        if (!isIt || !answers.every(isSpentNow)) throw new Error(keyOfMessage(tables.messages.at(number)))
      }
    })
    expect(kept).toBeGreaterThan(1_000)
  })

  it('no state: those whose hash is new are all that are new', () => {
    const bounds = { servers: 3, terms: 1, entries: 0 }
    expect(search(bounds).states).toBe(reached(exploring(bounds)).states)
  })

  it('names: with all of them it is nearly as many times the states as there are orders', () => {
    const bounds = { servers: 3, terms: 1, entries: 0, messages: 3, crashes: 0 }
    const [one, all] = [search(bounds), search({ ...bounds, symmetry: false })]
    expect(all.depth).toBe(one.depth)
    expect(all.states / one.states).toBeGreaterThan(5)
    expect(all.states / one.states).toBeLessThanOrEqual(6)
  })

  it('nothing that matters: a whole cluster can go every way of the search, and is then as the search has it', () => {
    const violation = new InvariantViolation('none', 'the end')
    fc.assert(
      fc.property(fc.boolean(), fc.array(fc.nat(), { minLength: 40, maxLength: 40 }), (longTurns, choices) => {
        const options = exploring({ servers: 3, terms: 2, entries: 2, heartbeats: 2 }, { longTurns })
        const successors = new Successors(options)
        let state = successors.initial()
        const way: number[] = []
        for (const choice of choices) {
          const following: Int32Array[] = []
          successors.from(state, 0, () => following.push(successors.next.slice()))
          if (following.length === 0) break
          way.push(choice % following.length)
          state = following[choice % following.length]!
        }
        expect(retell(options, way, violation)).toContain('the end')
      }),
      { ...seed, numRuns: 25 },
    )
  })
})

describe('a mistake in the step is found, by a shortest way', () => {
  const found = (options: SearchOptions) => {
    const { counterexample, depth } = search(options)
    if (counterexample === null) throw new Error('nothing found')
    return { ...counterexample, depth }
  }

  it('voting twice in a term', () => {
    const { violation, transcript } = found({ terms: 1, entries: 0, crashes: 0, step: votesTwice })
    expect(violation.invariant).toMatch('Election Safety')
    expect(transcript).toMatchInlineSnapshot(`
     "cluster 3

     timeout n1
     ----
     > ElectionTimedOut 1
       persist #1 T1 vote n1
       ArmElectionTimer 2
       send    n1→n2 RequestVote T1 last 0/0 after #1
       send    n1→n3 RequestVote T1 last 0/0 after #1
       n1 Candidate T1 vote n1 commit 0 log []

     timeout n3
     ----
     > ElectionTimedOut 1
       persist #1 T1 vote n3
       ArmElectionTimer 2
       send    n3→n1 RequestVote T1 last 0/0 after #1
       send    n3→n2 RequestVote T1 last 0/0 after #1
       n3 Candidate T1 vote n3 commit 0 log []

     persist n3 #1
     ----
     released n3→n1 RequestVote T1 last 0/0
     released n3→n2 RequestVote T1 last 0/0
     > Persisted #1
       n3 Candidate T1 vote n3 commit 0 log []

     deliver n3 → n2 #1
     ----
     > n3→n2 RequestVote T1 last 0/0
       persist #1 T1 vote n3
       ArmElectionTimer 2
       send    n2→n3 granted T1 after #1
       n2 Follower  T1 vote n3 commit 0 log []

     persist n2 #1
     ----
     released n2→n3 granted T1
     > Persisted #1
       n2 Follower  T1 vote n3 commit 0 log []

     persist n1 #1
     ----
     released n1→n2 RequestVote T1 last 0/0
     released n1→n3 RequestVote T1 last 0/0
     > Persisted #1
       n1 Candidate T1 vote n1 commit 0 log []

     deliver n1 → n2 #1
     ----
     > n1→n2 RequestVote T1 last 0/0
       persist #2 T1 vote n1
       ArmElectionTimer 3
       send    n2→n1 granted T1 after #2
       n2 Follower  T1 vote n1 commit 0 log []

     persist n2 #2
     ----
     released n2→n1 granted T1
     > Persisted #2
       n2 Follower  T1 vote n1 commit 0 log []

     deliver n2 → n1 #1
     ----
     > n2→n1 granted T1
       persist #2 entries 1… [1]
       ArmHeartbeat 1
       send    n1→n2 AppendEntries T1 prev 0/0 entries [1] commit 0
       send    n1→n3 AppendEntries T1 prev 0/0 entries [1] commit 0
       n1 Leader    T1 vote n1 commit 0 log [1] durable 0

     deliver n2 → n3 #1

     Election Safety: at most one leader can be elected in a given term (§5.2)
     > n2→n3 granted T1
     n1 Leader    T1 vote n1 commit 0 log [1] durable 0
     n2 Follower  T1 vote n1 commit 0 log []
     n3 Leader    T1 vote n3 commit 0 log [1] durable 0"
    `)
  })

  it('committing entries of an older term by counting', () => {
    const { violation } = found({ servers: 2, terms: 2, entries: 0, crashes: 0, duplicates: 0, step: commitsOldTerms })
    expect(violation.invariant).toMatch('only an entry of its own term by counting')
  })

  it('counting itself before its disk has it', () => {
    const { violation } = found({ terms: 1, entries: 0, crashes: 0, duplicates: 0, step: countsItselfAtOnce })
    expect(violation.invariant).toMatch('what is committed is on the disks of a majority')
  })

  it('asking for votes before the own is on disk', () => {
    const { violation, depth } = found({ step: asksBeforeItsVoteIsOnDisk })
    expect(violation.invariant).toMatch('nothing is promised before it is on disk')
    expect(depth).toBe(0)
  })
})
