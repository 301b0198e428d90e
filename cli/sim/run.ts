import type { FaultCount, Simulated, SimulatedViolation } from '../../streams/testing/simulate.js'

/** What one run is asked for: plain values, which pass between processes. */
export interface RunOptions {
  readonly forMs: number
  readonly servers?: number
  readonly operationsPerSecond?: number
}

/** What is kept of a run. */
export interface RunReport {
  readonly seed: number
  readonly hash: string
  readonly simulatedMs: number
  readonly steps: number
  readonly elections: number
  readonly commits: number
  readonly operations: number
  readonly recoveries: number
  readonly faults: Readonly<Record<string, FaultCount>>
  readonly violation: SimulatedViolation | null
  /** Of the processor, for this run alone. */
  readonly cpuMs: number
}

export const reportOf = (run: Simulated, cpuMs: number): RunReport => {
  const { seed, hash, simulatedMs, steps, elections, commits, operations, recoveries, faults, violation } = run
  return { seed, hash, simulatedMs, steps, elections, commits, operations, recoveries, faults, violation, cpuMs }
}
