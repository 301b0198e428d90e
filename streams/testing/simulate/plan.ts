import { seeded } from '../random.js'
import { oneOf, type Range, whole } from './dice.js'
import { type FaultName, faultNames, faults } from './faults/index.js'

/**
 * A planned fault: when it begins, counted from the beginning of its round, for how long, and the seed of the dice that
 * choose the servers it meets.
 */
export interface PlannedFault {
  readonly name: FaultName
  readonly atMs: number
  readonly forMs: number
  readonly seed: number
}

/**
 * Faults for a while; then everything is healed, and the cluster must recover.
 *
 * @example
 * const crash: PlannedFault = { name: 'crash', atMs: 2_000, forMs: 1, seed: 1 }
 * const round: PlannedRound = { chaosMs: 10_000, faults: [crash] }
 * simulate(7, { servers: 3, plan: [round] })
 */
export interface PlannedRound {
  readonly chaosMs: number
  readonly faults: ReadonlyArray<PlannedFault>
}

const chaosMs: Range = { min: 10_000, max: 40_000 }
/** The longest time from one fault to the next: rounds are dense or sparse. */
const gapsMs = [300, 1_000, 3_000, 8_000] as const

export type Weights = Partial<Readonly<Record<FaultName, number>>>

/** The weights that a seed chooses: each fault is left out with one chance in four. */
export const swarm = (die: () => number): Weights =>
  Object.fromEntries(faultNames.filter(() => die() >= 0.25).map((name) => [name, faults[name].weight]))

/** The round that these dice choose. It depends on them alone, and not on what happens to the cluster. */
export const planRound = (seed: number, weights: Weights, longestMs: number): PlannedRound => {
  const die = seeded(seed)
  const names = faultNames.filter((name) => (weights[name] ?? 0) > 0)
  const round = { chaosMs: Math.min(longestMs, whole(die, chaosMs)), faults: [] as PlannedFault[] }
  const gapMs = oneOf(die, gapsMs)
  if (names.length === 0) return round
  let atMs = 0
  for (;;) {
    atMs += whole(die, { min: 1, max: gapMs })
    const name = weighted(die, names, weights)
    const forMs = whole(die, faults[name].forMs)
    const seed = Math.floor(die() * 2 ** 32)
    if (atMs + Math.min(forMs, 500) > round.chaosMs) return round
    round.faults.push({ name, atMs, forMs, seed })
  }
}

const weighted = (die: () => number, names: ReadonlyArray<FaultName>, weights: Weights): FaultName => {
  let left = die() * names.reduce((sum, name) => sum + weights[name]!, 0)
  for (const name of names) {
    left -= weights[name]!
    if (left < 0) return name
  }
  return names[names.length - 1]!
}
