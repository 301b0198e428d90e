import { describe, expect, it } from '@jest/globals'
import { ledgerOf } from '../../cli/sim/ledger.js'
import { commandFor, passed } from '../../cli/sim/one.js'
import { simSettings } from '../../cli/sim/options.js'
import { simLine } from '../../cli/sim/progress.js'
import type { RunReport } from '../../cli/sim/run.js'
import { add, figuresOf, linearizableOf, nothing, toothless } from '../../cli/sim/tally.js'
import type { Call } from '../../cli/command.js'
import { exitCodes } from '../../cli/outcome.js'

const run = (fields: Partial<RunReport> = {}): RunReport => ({
  seed: 1,
  hash: '0123456789abcdef',
  simulatedMs: 1_800_000,
  steps: 1_000,
  elections: 3,
  commits: 200,
  operations: 100,
  linearizable: { checked: 90, unknown: 10 },
  recoveries: 5,
  faults: { drop: { asked: 2, bit: 1 }, reset: { asked: 1, bit: 0 } },
  violation: null,
  cpuMs: 1_500,
  ...fields,
})

const asked = (options: Call['options']) => simSettings({ args: [], options, settings: {}, json: false, io: undefined as never })

describe('what many runs come to', () => {
  const tally = [run(), run({ seed: 2, cpuMs: 500 })].reduce(add, nothing)

  it('is added up', () => {
    expect(figuresOf(tally)).toEqual({
      hours: 1,
      speed: 1_800,
      seeds: 2,
      violations: 0,
      faults: { drop: { asked: 4, bit: 2 }, reset: { asked: 2, bit: 0 } },
      operations: 200,
      linearizable: { checked: 180, unknown: 20 },
      elections: 6,
      commits: 400,
      recoveries: 10,
      steps: 2_000,
    })
  })

  it('names the faults that never bit', () => expect(toothless(tally)).toEqual(['reset']))

  it('tells how many operations are linearizable, and of how many that is not known', () => {
    expect(linearizableOf({ checked: 1_200, unknown: 0 })).toBe('1,200 are linearizable')
    expect(linearizableOf(tally.linearizable)).toBe('180 are linearizable and 20 unknown: too many at the same time for the search')
  })

  it('is neither done nor refused where that is not known: it exits with 3, and tells the same', () => {
    const outcome = passed(tally, 'the summary\n', figuresOf(tally))
    expect(exitCodes[outcome._tag]).toBe(3)
    expect(outcome).toMatchObject({
      reason: 'LinearizabilityUnknown',
      message: expect.stringMatching(/^the summary\nWhether 20 operations are linearizable nobody knows: /),
      details: { linearizable: { checked: 180, unknown: 20 }, violations: 0 },
    })
    const known = [run({ linearizable: { checked: 100, unknown: 0 } })].reduce(add, nothing)
    expect(passed(known, 'the summary\n', figuresOf(known))).toEqual({ _tag: 'Done', text: 'the summary\n', details: figuresOf(known) })
  })

  it('is shown in one line, however narrow', () => {
    const reached = { tally, part: 0.25, elapsedMs: 30_000 }
    expect(simLine(reached, 140)).toBe(
      ` 25 % ${'█'.repeat(10)}${'░'.repeat(30)}  1.0 h  2 seeds  1,800× per core  6 elections  400 commits  0 violations  1 min 30 s left`,
    )
    for (const columns of [0, 1, 10, 40, 80]) expect(simLine(reached, columns).length).toBeLessThanOrEqual(Math.max(0, columns - 1))
  })
})

describe('the ledger', () => {
  it('tells how much there is and where to go on', () => {
    const line = (firstSeed: number, seeds: number, hours: number): string =>
      JSON.stringify({ commit: 'abc', firstSeed, seeds, hours, operations: 1, violations: 0 })
    expect(ledgerOf(`${line(1, 30, 1.5)}\n${line(31, 10, 0.5)}\n`)).toEqual({ hours: 2, nextSeed: 41 })
    expect(ledgerOf('')).toEqual({ hours: 0, nextSeed: 1 })
  })

  it.each(['no JSON', '{"hours":"many"}', '{"hours":-1,"firstSeed":1,"seeds":1}'])('is not taken from what is none: %s', (text) => {
    expect(ledgerOf(text)).toBeNull()
  })
})

describe('what is asked for', () => {
  it('has defaults', () => {
    expect(asked({})).toMatchObject({ right: { hours: 1, forMs: 120_000, seed: null, until: false, ledger: null, twice: false } })
  })

  it('until so many hours, a ledger is kept', () => {
    expect(asked({ until: '39420h' })).toMatchObject({ right: { hours: 39_420, until: true, ledger: 'rxraft-sim.ledger' } })
  })

  it.each([
    [{ hours: 'many' }, '--hours is "many", not a number of hours or minutes'],
    [{ seed: '-1' }, '--seed is "-1", not a whole number'],
    [{ servers: '12' }, '--servers is 12, not from 1 to 9'],
    [{ operations: 'many' }, '--operations is "many", not a whole number'],
    [{ clients: '0' }, '--clients is 0: for clusters that nobody asks for anything, --ops-per-second 0'],
    [{ workers: '0' }, '--workers is 0: somebody has to do it'],
  ])('and is refused where it makes no sense: %p', (options, message) => {
    expect(asked(options)).toMatchObject({ left: { _tag: 'Usage', message } })
  })

  it('can be repeated', () => {
    expect(commandFor({ forMs: 120_000, servers: null, operationsPerSecond: null, clients: null }, 29)).toBe(
      'rxraft sim --seed 29 --for-ms 120000',
    )
    expect(commandFor({ forMs: 5_000, servers: 3, operationsPerSecond: 2_000, clients: 20 }, 29)).toBe(
      'rxraft sim --seed 29 --for-ms 5000 --servers 3 --ops-per-second 2000 --clients 20',
    )
  })
})
