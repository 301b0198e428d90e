import { simulate } from '../streams/testing.js'
import { median } from './measure.js'
import { stepNs } from './step.js'

const blocks = 10
const seedsEach = 12
const options = { servers: 5, forMs: 120_000, faults: {} }

/** Processor time of one second of a cluster's time, in microseconds, over some seeds. */
const block = (firstSeed: number): { readonly us: number; readonly steps: number } => {
  const before = process.cpuUsage()
  let simulatedMs = 0
  let steps = 0
  for (let seed = firstSeed; seed < firstSeed + seedsEach; seed++) {
    const run = simulate(seed, options)
    simulatedMs += run.simulatedMs
    steps += run.steps
  }
  const { user, system } = process.cpuUsage(before)
  return { us: (user + system) / (simulatedMs / 1_000), steps: steps / (simulatedMs / 1_000) }
}

/**
 * How fast a cluster is simulated: five servers, default timings, ten operations a second, every check after every
 * step. Beside each block of seeds one `step` that appends is timed, which is what the pace of the machine was then.
 */
export const simulation = (): Record<string, number> => {
  block(1)
  block(1)
  const measured = Array.from({ length: blocks }, (_, i) => ({ append: stepNs()['append']!, ...block(100 + i * seedsEach) }))
  const us = measured.map((each) => each.us)
  return {
    timesRealTime: Math.round(1e6 / median(us)),
    timesRealTimeAtBest: Math.round(1e6 / Math.min(...us)),
    stepsOfASecond: Math.round(median(measured.map(({ steps }) => steps))),
    appendNs: median(measured.map(({ append }) => append)),
    secondInAppends: Math.round(median(measured.map((each) => (each.us * 1_000) / each.append))),
  }
}
