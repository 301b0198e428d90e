import * as rxraft from 'rxraft'
import * as lab from 'rxraft/lab'
import * as testing from 'rxraft/testing'
import { agree } from './agree.cjs'

export const names = { index: Object.keys(rxraft), testing: Object.keys(testing), lab: Object.keys(lab) }
export const done = agree(rxraft)
/** The same seed is the same history, whatever runs it. */
export const history = testing.simulate(7, { servers: 3, forMs: 3_000 }).hash
