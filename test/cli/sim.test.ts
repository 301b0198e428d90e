import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyLedger, type LedgerLine, ledgerOf, openLedger, writeLedger } from '../../cli/sim/ledger.js'
import { commandFor, passed } from '../../cli/sim/one.js'
import { simSettings } from '../../cli/sim/options.js'
import { simLine } from '../../cli/sim/progress.js'
import type { RunReport } from '../../cli/sim/run.js'
import { add, figuresOf, linearizableOf, nothing, withoutEffect } from '../../cli/sim/tally.js'
import type { CommandCall } from '../../cli/command.js'
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
  faults: { drop: { asked: 2, effective: 1 }, reset: { asked: 1, effective: 0 } },
  violation: null,
  cpuMs: 1_500,
  ...fields,
})

const asked = (options: CommandCall['options']) => simSettings({ args: [], options, settings: {}, json: false, io: undefined as never })

describe('what many runs come to', () => {
  const tally = [run(), run({ seed: 2, cpuMs: 500 })].reduce(add, nothing)

  it('is added up', () => {
    expect(figuresOf(tally)).toEqual({
      hours: 1,
      speed: 1_800,
      seeds: 2,
      violations: 0,
      faults: { drop: { asked: 4, effective: 2 }, reset: { asked: 2, effective: 0 } },
      operations: 200,
      linearizable: { checked: 180, unknown: 20 },
      elections: 6,
      commits: 400,
      recoveries: 10,
      steps: 2_000,
    })
  })

  it('names the faults that never had an effect', () => expect(withoutEffect(tally)).toEqual(['reset']))

  it('tells how many operations are linearizable, and of how many that is not known', () => {
    expect(linearizableOf({ checked: 1_200, unknown: 0 })).toBe('1,200 are linearizable')
    expect(linearizableOf(tally.linearizable)).toBe('180 are linearizable and 20 unknown: too many at the same time for the search')
  })

  it('is neither done nor refused where that is not known: it exits with 3, and tells the same', () => {
    const outcome = passed(tally, 'the summary\n', figuresOf(tally))
    expect(exitCodes[outcome._tag]).toBe(3)
    expect(outcome).toMatchObject({
      reason: 'LinearizabilityUnknown',
      message: expect.stringMatching(/^the summary\nIt is unknown whether 20 operations are linearizable: /),
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
    expect(simLine(reached, 90)).toBe(' 25 % 1.0 h  2 seeds  1,800× per core  400 commits  0 violations  1 min 30 s left')
    expect(simLine(reached, 50)).toBe(' 25 % 1.0 h  0 violations  1 min 30 s left')
    expect(simLine(reached, 20)).toBe(' 25 % 0 violations')
    for (const columns of [0, 1, 10, 40, 80]) expect(simLine(reached, columns).length).toBeLessThanOrEqual(Math.max(0, columns - 1))
  })
})

describe('the ledger', () => {
  const line = (fields: Partial<LedgerLine>): string =>
    JSON.stringify({ commit: 'abc', firstSeed: 1, seeds: 30, hours: 1.5, operations: 1, violations: 0, ...fields })

  it('tells how much there is, of what, and where to go on', () => {
    const text = `${line({})}\n${line({ commit: 'def', firstSeed: 31, seeds: 10, hours: 0.5 })}\n`
    expect(ledgerOf(text)).toEqual(either.right({ hours: 2, nextSeed: 41, commits: ['abc', 'def'], violation: null }))
    expect(ledgerOf('')).toEqual(either.right(emptyLedger))
  })

  it('goes on after seeds that were begun and not ended', () => {
    expect(ledgerOf(line({ nextSeed: 33 }))).toMatchObject({ right: { nextSeed: 33 } })
  })

  it('remembers a violation', () => {
    const bad = line({ violations: 1, repeat: 'rxraft sim --seed 3 --explain' })
    expect(ledgerOf(`${line({})}\n${bad}\n${line({})}`)).toMatchObject({
      right: { violation: { repeat: 'rxraft sim --seed 3 --explain' } },
    })
  })

  it.each(['no JSON', '{"hours":"many"}', '{"hours":-1,"firstSeed":1,"seeds":1}', 'null', '7'])(
    'is not taken from what is none, and says where: %s',
    (text) => {
      expect(ledgerOf(`${line({})}\n${text}\n`)).toEqual(either.left('line 2 is no account of a simulation'))
    },
  )

  it('is opened before anything is done, and appended to in lines of their own', () => {
    const directory = mkdtempSync(join(tmpdir(), 'rxraft-ledger-'))
    try {
      const file = join(directory, 'sim.ledger')
      expect(openLedger(directory)).toMatchObject({ left: expect.stringContaining('cannot be written: EISDIR') })
      expect(openLedger(join(directory, 'none', 'sim.ledger'))).toMatchObject({
        left: expect.stringContaining('cannot be written: ENOENT'),
      })
      expect(openLedger(file)).toEqual(either.right(emptyLedger))
      writeFileSync(file, line({})) // and no end of line, as an editor may leave it
      writeLedger(file, JSON.parse(line({ firstSeed: 31 })) as LedgerLine)
      expect(openLedger(file)).toMatchObject({ right: { hours: 3, nextSeed: 61 } })
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('what is asked for', () => {
  it('has defaults', () => {
    expect(asked({})).toMatchObject({ right: { hours: 1, forMs: 120_000, seed: null, until: false, ledger: null, twice: false } })
  })

  it('until so many hours, a ledger is kept', () => {
    expect(asked({ until: '39420h' })).toMatchObject({ right: { hours: 39_420, until: true, ledger: 'rxraft-sim.ledger' } })
  })

  it.each<readonly [CommandCall['options'], unknown]>([
    [{ hours: 'many' }, '--hours is "many", not a number of hours above 0'],
    [{ hours: '0' }, '--hours is "0", not a number of hours above 0'],
    [{ minutes: '0' }, '--minutes is "0", not a number of minutes above 0'],
    [{ seed: '-1' }, '--seed is "-1", not a whole number from 0 to 999,999,999,999,999'],
    [{ firstSeed: 'x' }, '--first-seed is "x", not a whole number from 0 to 999,999,999,999,999'],
    [{ seeds: '0' }, '--seeds is "0", not a whole number from 1 to 999,999,999,999,999'],
    [{ forMs: '0' }, '--for-ms is "0", not a whole number from 1 to 999,999,999,999,999'],
    [{ servers: '12' }, '--servers is "12", not a whole number from 3 to 9'],
    [{ servers: '2' }, '--servers is "2", not a whole number from 3 to 9'],
    [{ operations: 'many' }, '--operations is "many", not a whole number from 1 to 999,999,999,999,999'],
    [{ clients: '0' }, '--clients is "0", not a whole number from 1 to 10,000'],
    [{ workers: '0' }, expect.stringMatching(/^--workers is "0", not a whole number from 1 to \d+$/)],
    [{ workers: '100000' }, expect.stringMatching(/^--workers is "100000", not a whole number from 1 to \d+$/)],
    [{ explain: true }, '--explain tells one run: say which, with --seed <N>'],
    [{ seed: '7', twice: true }, '--twice does not go with --seed, which is one run: for one with it, --first-seed 7 --seeds 1'],
    [{ seed: '7', firstSeed: '9' }, '--first-seed does not go with --seed, which is one run: for one with it, --first-seed 7 --seeds 1'],
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
