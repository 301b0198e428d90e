import { simulate } from '../../../streams/testing/simulate.js'
import type { Scenario } from './scenario.js'

/** Ten seconds of a whole cluster in the simulator, with every fault it knows and all its checks. */
export const simulator: Scenario = {
  name: 'simulator',
  checks: ['simulator'],
  run: (seed) => {
    const { violation } = simulate(seed, { forMs: 10_000 })
    // A fault that had no effect says nothing about the servers.
    return violation === null || violation.name.startsWith('a fault that was asked for')
      ? []
      : [{ check: 'simulator', why: `${violation.name}: ${violation.message}` }]
  },
}
