import { describe, expect, it } from '@jest/globals'
import { runVirtually } from './run.js'
import { exceeded } from './table.js'
import { labTests } from './tests.js'

// `npm run lab -- --test NAME --seed N` is the same run.
const seed = Number(process.env['SEED'] ?? 1)

describe('the lab: the behaviours that every Raft must show', () => {
  it.each(labTests)('$part $title ($name)', (test) => {
    const result = runVirtually(test, { seed })
    expect({ failure: result.failure, exceeded: exceeded(test, result), SEED: seed }).toEqual({ failure: null, exceeded: [], SEED: seed })
  })

  it('the same seed twice gives the same figures', () => {
    const churn = labTests.find(({ name }) => name === 'UnreliableChurn')!
    expect(runVirtually(churn, { seed })).toEqual(runVirtually(churn, { seed }))
  })
})
