import * as rxraft from 'rxraft'
import * as testing from 'rxraft/testing'
import { agree } from './agree.cjs'

export const names = { index: Object.keys(rxraft), testing: Object.keys(testing) }
export const done = agree(rxraft)
