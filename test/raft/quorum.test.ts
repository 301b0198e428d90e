import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isQuorum, quorumValue } from '../../src/raft/quorum.js'

/** The slow, obvious twin: try every N, and see whether in each set more have reached it than have not. */
const slowQuorumValue = (sets: ReadonlyArray<ReadonlyArray<string>>, value: (voter: string) => number): number => {
  const isReached = (N: number): boolean =>
    sets.every((voters) => {
      const reached = voters.filter((voter) => value(voter) >= N)
      return reached.length > voters.length - reached.length
    })
  return Math.max(0, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].filter(isReached))
}

const voters = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const set = fc.subarray(voters, { minLength: 1 })
const sets = fc.oneof(fc.tuple(set), fc.tuple(set, set))
const values = fc.array(fc.nat(9), { minLength: voters.length, maxLength: voters.length })

describe('majorities', () => {
  it('quorumValue is the greatest N that a majority of every set has reached, as trying every N says', () => {
    fc.assert(
      fc.property(sets, values, (voterSets, reached) => {
        const value = (voter: string): number => reached[voters.indexOf(voter)]!
        expect(quorumValue(voterSets, value)).toBe(slowQuorumValue(voterSets, value))
      }),
      { numRuns: 500 },
    )
  })

  it('isQuorum and quorumValue speak of the same majority', () => {
    fc.assert(
      fc.property(sets, fc.subarray(voters), (voterSets, has) => {
        expect(isQuorum(voterSets, (voter) => has.includes(voter))).toBe(
          quorumValue(voterSets, (voter) => (has.includes(voter) ? 1 : 0)) === 1,
        )
      }),
    )
  })

  it('any two quorums have a voter in common', () => {
    fc.assert(
      fc.property(sets, fc.subarray(voters), fc.subarray(voters), (voterSets, some, others) => {
        fc.pre([some, others].every((them) => isQuorum(voterSets, (voter) => them.includes(voter))))
        expect(voterSets.every((set) => set.some((voter) => some.includes(voter) && others.includes(voter)))).toBe(true)
      }),
    )
  })

  it.each([
    { of: 1, needs: 1 },
    { of: 2, needs: 2 },
    { of: 3, needs: 2 },
    { of: 4, needs: 3 },
    { of: 5, needs: 3 },
    { of: 6, needs: 4 },
    { of: 7, needs: 4 },
  ])('of $of, $needs decide', ({ of, needs }) => {
    const all = voters.slice(0, of)
    expect(isQuorum([all], (voter) => voters.indexOf(voter) < needs)).toBe(true)
    expect(isQuorum([all], (voter) => voters.indexOf(voter) < needs - 1)).toBe(false)
  })

  it.each([
    { old: ['a', 'b', 'c'], next: ['d', 'e', 'f'], agree: ['a', 'b', 'd', 'e'], decided: true },
    // a majority of all, but not of both
    { old: ['a', 'b', 'c'], next: ['d', 'e', 'f'], agree: ['a', 'b', 'c', 'd'], decided: false },
    { old: ['a', 'b', 'c'], next: ['b', 'c', 'd'], agree: ['b', 'c'], decided: true },
    { old: ['a'], next: ['a', 'b', 'c'], agree: ['a'], decided: false },
  ])('joint consensus needs a majority of $old and of $next: $agree decide: $decided', ({ old, next, agree, decided }) => {
    expect(isQuorum([old, next], (voter) => agree.includes(voter))).toBe(decided)
  })

  it('nobody can decide for an empty set', () => {
    expect(isQuorum([[]], () => true)).toBe(false)
    expect(isQuorum([['a'], []], () => true)).toBe(false)
    expect(quorumValue([[]], () => 9)).toBe(0)
    expect(quorumValue([['a'], []], () => 9)).toBe(0)
  })
})
