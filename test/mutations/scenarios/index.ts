import { byHand } from './byHand.js'
import { disk } from './disk.js'
import { incarnations } from './incarnations.js'
import { lostDisks } from './lostDisks.js'
import type { Scenario } from './scenario.js'
import { simulator } from './simulator.js'
import { store } from './store.js'
import { stranger } from './stranger.js'
import { streams } from './streams.js'

/** Cheapest first. */
export const scenarios: ReadonlyArray<Scenario> = [store, incarnations, disk, byHand, lostDisks, stranger, streams, simulator]
