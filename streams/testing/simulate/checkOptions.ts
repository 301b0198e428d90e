import { InvalidOption } from '../../options/invalidOption.js'
import { tuned } from '../../server/options.js'
import { faultNames } from './faults/index.js'
import type { SimulateOptions } from './options.js'
import type { PlannedRound } from './plan.js'

/** Below three servers none can fail; the numbers of clients, and of those who take the place of who gave up, must fit the codec of the registers. */
const bounds = {
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true },
  servers: { min: 3, max: 9, whole: true },
  forMs: { min: 1, max: Number.MAX_SAFE_INTEGER, whole: true },
  operationsPerSecond: { min: 0, max: 1_000_000, whole: false },
  clients: { min: 1, max: 10_000, whole: true },
} as const

type Bounded = keyof typeof bounds

const checkNumber = (name: Bounded, value: number): void => {
  const { min, max, whole } = bounds[name]
  if ((whole ? Number.isSafeInteger(value) : Number.isFinite(value)) && value >= min && value <= max) return
  throw new InvalidOption(name, `must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}, not ${value}`)
}

const isTime = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0

const isPlan = (plan: NonNullable<SimulateOptions['plan']>): boolean =>
  Array.isArray(plan) &&
  plan.every(
    (round: PlannedRound) =>
      isTime(round.chaosMs) && round.faults.every(({ name, atMs, forMs }) => faultNames.includes(name) && isTime(atMs) && isTime(forMs)),
  )

/** Throws `InvalidOption` where a simulation cannot be what was asked for: a mistake of its caller must not look like one of Raft's. */
export const checkOptions = (seed: number, options: SimulateOptions): void => {
  const { servers, forMs, operationsPerSecond, clients, faults = {}, tuning = {}, plan } = options
  checkNumber('seed', seed)
  for (const [name, value] of Object.entries({ servers, forMs, operationsPerSecond, clients }))
    if (value !== undefined) checkNumber(name as Bounded, value)
  for (const [name, weight] of Object.entries(faults)) {
    if (!(faultNames as ReadonlyArray<string>).includes(name))
      throw new InvalidOption('faults', `${name} is none: ${faultNames.join(', ')}`)
    if (!Number.isFinite(weight) || weight < 0) throw new InvalidOption('faults', `the weight of ${name} must be at least 0, not ${weight}`)
  }
  if (plan !== undefined && !isPlan(plan))
    throw new InvalidOption('plan', 'must be the plan of a result: rounds with chaosMs and known faults')
  tuned(tuning)
}

/** The same for what a workload must have. */
export const checkWorkload = (workload: object): void => {
  for (const name of ['codec', 'stateMachine', 'command'])
    if (!(name in workload))
      throw new InvalidOption('workload', `must give an object with codec, stateMachine and command: ${name} is not there`)
}
