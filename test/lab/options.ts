import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { labTests, type LabTest } from './tests.js'

export const usage = `usage: npm run lab -- [options]

  (none)          every test once in virtual time, as a table beside the handout's
  --real          on the real clock, all tests at once
  --test NAME     only this test; may be given more than once
  --seed N        the seed of every die, default 1
  --seeds N       every test with N seeds, from --seed on; tells of each failure how to repeat it
  --jobs N        workers for --seeds in virtual time, default as many as there are processors
  --json          a line of JSON last on stdout

tests: ${labTests.map(({ name }) => name).join(' ')}`

/** The arguments say something that cannot be done; the message is the sentence to print. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface Options {
  readonly tests: ReadonlyArray<LabTest>
  readonly real: boolean
  readonly json: boolean
  readonly help: boolean
  readonly seed: number
  /** Null: one run, as a table. */
  readonly seeds: number | null
  readonly jobs: number
}

const wholeNumber = (name: string, given: string, least: number): number => {
  const n = Number(given)
  if (given.trim() === '' || !Number.isSafeInteger(n) || n < least)
    throw new UsageError(`--${name} must be a whole number from ${least} on, not ${JSON.stringify(given)}`)
  return n
}

const testNamed = (name: string): LabTest => {
  const test = labTests.find((known) => known.name.toLowerCase() === name.toLowerCase())
  if (test === undefined) throw new UsageError(`there is no test ${JSON.stringify(name)}`)
  return test
}

const parsed = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        real: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        test: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string', default: '1' },
        seeds: { type: 'string' },
        jobs: { type: 'string', default: String(availableParallelism()) },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Throws `UsageError`. */
export const optionsOf = (args: ReadonlyArray<string>): Options => {
  const { test, seed, seeds, jobs, ...flags } = parsed(args)
  return {
    ...flags,
    tests: test.length === 0 ? labTests : test.map(testNamed),
    seed: wholeNumber('seed', seed, 0),
    seeds: seeds === undefined ? null : wholeNumber('seeds', seeds, 1),
    jobs: wholeNumber('jobs', jobs, 1),
  }
}
