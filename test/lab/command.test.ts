import { describe, expect, it } from '@jest/globals'
import { optionsOf, UsageError } from './options.js'
import type { LabResult } from './run.js'
import { exceeded, table } from './table.js'
import { labTests } from './tests.js'

const basicAgree = labTests.find(({ name }) => name === 'BasicAgree')!
const result: LabResult = {
  name: 'BasicAgree',
  servers: 3,
  seconds: 0.5,
  rpcs: 16,
  bytes: 4_572,
  commits: 3,
  ok: true,
  failure: null,
  warnings: [],
}

describe('npm run lab', () => {
  it('runs everything once in virtual time unless it is told otherwise', () => {
    expect(optionsOf([])).toMatchObject({ tests: labTests, real: false, json: false, seed: 1, seeds: null })
    expect(labTests).toHaveLength(28)
  })

  it('takes tests by name, in any case of letters, and seeds', () => {
    expect(optionsOf(['--test', 'basicagree', '--test', 'Count', '--seed', '17']).tests.map(({ name }) => name)).toEqual([
      'BasicAgree',
      'Count',
    ])
    expect(optionsOf(['--seeds', '1000', '--jobs', '2', '--real', '--json'])).toMatchObject({
      seeds: 1_000,
      jobs: 2,
      real: true,
      json: true,
    })
  })

  it.each([
    [['--seeds', 'many'], '--seeds must be a whole number from 1 on, not "many"'],
    [['--seeds', '0'], '--seeds must be a whole number from 1 on, not "0"'],
    [['--seed', '1.5'], '--seed must be a whole number from 0 on, not "1.5"'],
    [['--jobs', ''], '--jobs must be a whole number from 1 on, not ""'],
    [['--test', 'Nope'], 'there is no test "Nope"'],
  ])('%j is refused with a sentence', (args, sentence) => {
    expect(() => optionsOf(args)).toThrow(new UsageError(sentence))
  })

  it('refuses what it does not know', () => {
    expect(() => optionsOf(['--sead', '3'])).toThrow(UsageError)
    expect(() => optionsOf(['BasicAgree'])).toThrow(UsageError)
  })
})

describe('the table', () => {
  it('holds the limits of the handout: at a figure is within it', () => {
    expect(exceeded(basicAgree, result)).toEqual([])
    expect(exceeded(basicAgree, { ...result, rpcs: 17, bytes: 5_000 })).toEqual(['rpcs 17 > 16', 'bytes 5000 > 4572'])
  })

  it('says what failed, or what is beyond a figure, or what else there is to say', () => {
    const verdicts = [
      result,
      { ...result, rpcs: 17 },
      { ...result, failure: 'LabFailure: no' },
      { ...result, warnings: ['the term changed'] },
    ].map((it) =>
      table([[basicAgree, it]])
        .split('\n')[1]!
        .split(/ {2,}/)
        .at(-1),
    )
    expect(verdicts).toEqual(['ok', 'over: rpcs 17 > 16', 'LabFailure: no', 'ok; the term changed'])
  })
})
