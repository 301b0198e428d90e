import { NEVER } from 'rxjs'
import type { NetworkUser } from './network.js'

/** A user of whom nothing is known, for a network that is tried by itself. */
export const unknownUser: NetworkUser = { incarnation: null, configuration$: NEVER }
