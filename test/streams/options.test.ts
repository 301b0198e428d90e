import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { NEVER } from 'rxjs'
import { createRaft } from '../../streams/server/createRaft.js'
import { InvalidOption } from '../../streams/options/invalidOption.js'
import { defaultTuning, tuned, type Tuning } from '../../streams/server/options.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { alone, type Options, story } from './cluster.js'

const invalid = (options: object): unknown => {
  try {
    return tuned(options)
  } catch (error) {
    return error
  }
}

describe('an option that cannot work is refused, with its name and what it must be', () => {
  const numbers = Object.entries(defaultTuning)
    .filter(([, value]) => typeof value === 'number')
    .map(([option]) => option)

  it.each(numbers)('%s', (option) => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, true]) {
      const error = invalid({ [option]: value })
      expect(error).toBeInstanceOf(InvalidOption)
      expect(error).toMatchObject({
        name: 'InvalidOption',
        option,
        message: `${option}: must be a whole number above 0, not ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
      })
    }
  })

  it.each([
    { value: { min: 600, max: 300 }, not: '600 and 300' },
    { value: { min: 300 }, not: '300 and undefined' },
    { value: { min: 300.5, max: 600 }, not: '300.5 and 600' },
    { value: { min: 300, max: Number.POSITIVE_INFINITY }, not: '300 and Infinity' },
    { value: 300, not: 'undefined and undefined' },
    { value: null, not: 'undefined and undefined' },
  ])('electionTimeoutMs: $value', ({ value, not }) => {
    expect(invalid({ electionTimeoutMs: value })).toMatchObject({
      option: 'electionTimeoutMs',
      message: `electionTimeoutMs: must be whole numbers with min ≤ max, not ${not}`,
    })
  })

  it('electionTimeoutMs may be one value; heartbeatMs must be below it', () => {
    expect(tuned({ electionTimeoutMs: { min: 300, max: 300 }, heartbeatMs: 299 })).toMatchObject({ heartbeatMs: 299 })
    expect(invalid({ electionTimeoutMs: { min: 300, max: 300 }, heartbeatMs: 300 })).toMatchObject({
      option: 'heartbeatMs',
      message: 'heartbeatMs: must be below electionTimeoutMs.min (300), or every heartbeat comes too late (§5.6)',
    })
  })

  it.each(['maxUncommittedBytes', 'maxLogBytes'] as const)(
    'maxCommandBytes: what %s never has room for would be Overloaded for ever',
    (limit) => {
      expect(tuned({ maxCommandBytes: 100, [limit]: 100 })).toMatchObject({ maxCommandBytes: 100 })
      expect(invalid({ maxCommandBytes: 101, [limit]: 100 })).toMatchObject({
        option: 'maxCommandBytes',
        message: `maxCommandBytes: must be at most ${limit} (100), or there is never room for the longest command`,
      })
    },
  )

  it('maxEntriesPerMessage: the others must be able to read it', () => {
    expect(tuned({ maxEntriesPerMessage: 1 << 14 })).toMatchObject({ maxEntriesPerMessage: 1 << 14 })
    expect(invalid({ maxEntriesPerMessage: (1 << 14) + 1 })).toMatchObject({ option: 'maxEntriesPerMessage' })
  })

  it.each(['yes', 1, null])('leaderNoop: %p', (value) => {
    expect(invalid({ leaderNoop: value })).toMatchObject({
      option: 'leaderNoop',
      message: `leaderNoop: must be true or false, not ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`,
    })
  })

  it.each(['', 'N1', '-a', 'a b', '../etc', 'a'.repeat(65), undefined])('id: %p', (id) => {
    const build = () => createRaft({ id: id as string, network: () => NEVER, storage: memoryStorage(['n1']) })
    expect(build).toThrow(InvalidOption)
    expect(build).toThrow(`id: must match [a-z0-9][a-z0-9._-]{0,63}, not ${JSON.stringify(id)}`)
  })

  it('at the call, before anything is opened', () => {
    const { create } = alone({
      server: {
        storage: {
          open: () => {
            throw new Error('opened')
          },
        },
      },
    })
    expect(create('n1').id).toBe('n1')
    expect(() => alone({ server: { heartbeatMs: 0 } })).toThrow('heartbeatMs: must be a whole number above 0, not 0')
  })
})

it('what is not given, or given as undefined, is the default; what is no bound is left alone', () => {
  expect(tuned({})).toEqual(defaultTuning)
  expect(tuned({ id: 'n1', heartbeatMs: undefined, maxProposals: 7 } as object)).toEqual({ ...defaultTuning, maxProposals: 7 })
})

describe('the bounds that a proposal meets, at the limit and one beyond', () => {
  const bounds: ReadonlyArray<{
    readonly limit: string
    readonly server: Partial<Options>
    readonly fits: ReadonlyArray<string>
    readonly beyond: string
  }> = [
    { limit: 'maxProposals', server: { maxProposals: 2, stateMachine: () => NEVER }, fits: ['a', 'b'], beyond: 'c' },
    { limit: 'maxCommandBytes', server: { maxCommandBytes: 3 }, fits: ['abc', 'äb'], beyond: 'abcd' },
    { limit: 'maxUnapplied', server: { maxUnapplied: 2, stateMachine: () => NEVER }, fits: ['a', 'b'], beyond: 'c' },
    { limit: 'maxLogBytes', server: { maxLogBytes: 4, maxCommandBytes: 4 }, fits: ['ab', 'cd'], beyond: 'e' },
  ]

  it.each(bounds)('$limit', ({ limit, server: different, fits, beyond }) => {
    const { lead, run } = alone({ server: different })
    const server = lead()
    const told = [...fits, beyond].map((command) => {
      const events = story(server.propose(command))
      run(1)
      return events[0]
    })
    expect(told).toEqual([...fits.map((_, i) => `Appended ${i + 2}`), `Overloaded ${limit}`])
  })
})

describe('every bound is tested at its limit and beyond it', () => {
  const where: Readonly<Record<keyof Tuning, string>> = {
    heartbeatMs: 'marbles/heartbeat.test.ts',
    electionTimeoutMs: 'marbles/electionTimer.test.ts',
    metricsMs: 'test/streams/createRaft.test.ts',
    maxProposals: 'test/streams/proposals.test.ts',
    maxCommandBytes: 'test/streams/proposals.test.ts',
    maxWaitingSends: 'marbles/groupCommit.test.ts',
    maxEffectsPerTurn: 'marbles/run.test.ts',
    maxAppliesPerTurn: 'marbles/applied.test.ts',
    leaderNoop: 'test/raft/section-8.test.ts',
    maxEntriesPerMessage: 'test/raft/section-5.3-leader.test.ts',
    maxBytesPerMessage: 'test/raft/section-5.3-leader.test.ts',
    maxInflightMessages: 'test/raft/section-5.3-leader.test.ts',
    maxInflightBytes: 'test/raft/section-5.3-leader.test.ts',
    maxUncommittedEntries: 'test/raft/limits.test.ts',
    maxUncommittedBytes: 'test/raft/limits.test.ts',
    maxUnapplied: 'test/raft/limits.test.ts',
    maxLogBytes: 'test/raft/limits.test.ts',
    maxSnapshotChunkBytes: 'test/raft/section-7.test.ts',
    maxPendingWrites: 'test/raft/limits.test.ts',
    maxApplying: 'test/raft/section-5.3.test.ts',
  }

  it.each(Object.entries(where))('%s, in %s', (bound, file) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
    expect(text).toContain(bound === 'electionTimeoutMs' ? 'both ends are reached' : bound)
  })
})
