import type { FaultCount, Simulated, SimulatedLinearizability } from '../../streams/testing/simulate/options.js'
import type { SimulatedViolation } from '../../streams/testing/simulate/violation.js'
import type { SimSettings } from './options.js'

/** What one run is asked for: plain values, which pass between processes. */
export interface RunOptions {
  readonly forMs: number
  readonly servers?: number
  readonly operationsPerSecond?: number
  readonly clients?: number
}

/** Of what was asked for, what concerns each run. */
export const runOptionsOf = ({ forMs, servers, operationsPerSecond, clients }: RunSettings): RunOptions => ({
  forMs,
  ...(servers === null ? {} : { servers }),
  ...(operationsPerSecond === null ? {} : { operationsPerSecond }),
  ...(clients === null ? {} : { clients }),
})

export type RunSettings = Pick<SimSettings, 'forMs' | 'servers' | 'operationsPerSecond' | 'clients'>

/** What is kept of a run. */
export interface RunReport {
  readonly seed: number
  readonly hash: string
  readonly simulatedMs: number
  readonly steps: number
  readonly elections: number
  readonly commits: number
  readonly operations: number
  readonly linearizable: SimulatedLinearizability
  readonly recoveries: number
  readonly faults: Readonly<Record<string, FaultCount>>
  readonly violation: SimulatedViolation | null
  /** Of the processor, for this run alone. */
  readonly cpuMs: number
}

export const reportOf = (run: Simulated, cpuMs: number): RunReport => {
  const { seed, hash, simulatedMs, steps, elections, commits, operations, linearizable, recoveries, faults, violation } = run
  return { seed, hash, simulatedMs, steps, elections, commits, operations, linearizable, recoveries, faults, violation, cpuMs }
}
