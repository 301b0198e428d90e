import type { FaultCount, SimulatedLinearizability } from '../../streams/testing/simulate/options.js'
import { count } from '../view/format.js'
import type { RunReport } from './run.js'

const msPerHour = 3_600_000

/** What came of many runs. */
export interface Tally {
  readonly seeds: number
  readonly simulatedMs: number
  readonly cpuMs: number
  readonly steps: number
  readonly elections: number
  readonly commits: number
  readonly operations: number
  readonly linearizable: SimulatedLinearizability
  readonly recoveries: number
  readonly faults: Readonly<Record<string, FaultCount>>
  readonly violations: ReadonlyArray<RunReport>
}

export const nothing: Tally = {
  seeds: 0,
  simulatedMs: 0,
  cpuMs: 0,
  steps: 0,
  elections: 0,
  commits: 0,
  operations: 0,
  linearizable: { checked: 0, unknown: 0 },
  recoveries: 0,
  faults: {},
  violations: [],
}

export const add = (tally: Tally, run: RunReport): Tally => ({
  seeds: tally.seeds + 1,
  simulatedMs: tally.simulatedMs + run.simulatedMs,
  cpuMs: tally.cpuMs + run.cpuMs,
  steps: tally.steps + run.steps,
  elections: tally.elections + run.elections,
  commits: tally.commits + run.commits,
  operations: tally.operations + run.operations,
  linearizable: {
    checked: tally.linearizable.checked + run.linearizable.checked,
    unknown: tally.linearizable.unknown + run.linearizable.unknown,
  },
  recoveries: tally.recoveries + run.recoveries,
  faults: addFaults(tally.faults, run.faults),
  violations: run.violation === null ? tally.violations : [...tally.violations, run],
})

export const addFaults = (a: Tally['faults'], b: Tally['faults']): Tally['faults'] => {
  const sum = new Map(Object.entries(a))
  for (const [name, { asked, effective }] of Object.entries(b)) {
    const before = sum.get(name) ?? { asked: 0, effective: 0 }
    sum.set(name, { asked: before.asked + asked, effective: before.effective + effective })
  }
  return Object.fromEntries([...sum].sort(([x], [y]) => (x < y ? -1 : 1)))
}

export const hoursOf = ({ simulatedMs }: Pick<Tally, 'simulatedMs'>): number => simulatedMs / msPerHour

/** How much faster than the clock on the wall, for each core that worked. */
export const speedOf = ({ simulatedMs, cpuMs }: Tally): number => (cpuMs === 0 ? 0 : simulatedMs / cpuMs)

/** Faults that were asked for and never had an effect: they have tested nothing. */
export const withoutEffect = ({ faults }: Tally): ReadonlyArray<string> =>
  Object.keys(faults).filter((name) => faults[name]!.asked > 0 && faults[name]!.effective === 0)

/** `1,200 are linearizable`; what was too much for the search is told, and is not among them. */
export const linearizableOf = ({ checked, unknown }: SimulatedLinearizability): string =>
  `${count(checked)} are linearizable${unknown === 0 ? '' : ` and ${count(unknown)} unknown: too many at the same time for the search`}`

/** `--json`, and the summary. */
export const figuresOf = (tally: Tally) => ({
  hours: Math.round(hoursOf(tally) * 1_000) / 1_000,
  speed: Math.round(speedOf(tally)),
  seeds: tally.seeds,
  violations: tally.violations.length,
  faults: Object.fromEntries(Object.entries(tally.faults).map(([name, { asked, effective }]) => [name, { asked, effective }])),
  operations: tally.operations,
  linearizable: { checked: tally.linearizable.checked, unknown: tally.linearizable.unknown },
  elections: tally.elections,
  commits: tally.commits,
  recoveries: tally.recoveries,
  steps: tally.steps,
})
