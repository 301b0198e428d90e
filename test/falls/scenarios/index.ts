import { byHand } from './byHand.js'
import type { Scenario } from './scenario.js'
import { simulator } from './simulator.js'
import { store } from './store.js'
import { streams } from './streams.js'

/** Cheapest first. */
export const scenarios: ReadonlyArray<Scenario> = [store, byHand, streams, simulator]
