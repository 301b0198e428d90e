import { clockFaults } from './clocks.js'
import { diskFaults } from './disks.js'
import type { Fault } from './fault.js'
import { networkFaults } from './network.js'
import { processFaults } from './processes.js'

export type { Fault, Ongoing } from './fault.js'

/** Every kind of fault, by name. */
const all = { ...networkFaults, ...processFaults, ...diskFaults, ...clockFaults }

/**
 * The name of a kind of fault.
 *
 * @example
 * const some: ReadonlyArray<FaultName> = ['crash', 'drop', 'slowDisk']
 * simulate(7, { faults: Object.fromEntries(some.map((name) => [name, 1])) })
 */
export type FaultName = keyof typeof all

export const faults: Readonly<Record<FaultName, Fault>> = all

export const faultNames: ReadonlyArray<FaultName> = Object.keys(all) as ReadonlyArray<FaultName>
