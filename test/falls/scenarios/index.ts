import { acquaintances } from './acquaintances.js'
import { byHand } from './byHand.js'
import { disk } from './disk.js'
import type { Scenario } from './scenario.js'
import { simulator } from './simulator.js'
import { store } from './store.js'
import { streams } from './streams.js'

/** Cheapest first. */
export const scenarios: ReadonlyArray<Scenario> = [store, acquaintances, disk, byHand, streams, simulator]
