import * as index from 'rxraft'
import * as core from 'rxraft/core'
import * as kv from 'rxraft/kv'
import * as lab from 'rxraft/lab'
import * as testing from 'rxraft/testing'
import { agree } from './agree.cjs'

export const names = {
  index: Object.keys(index),
  core: Object.keys(core),
  kv: Object.keys(kv),
  testing: Object.keys(testing),
  lab: Object.keys(lab),
}
export const done = agree(index)
/** The same seed is the same history, whatever runs it. */
export const history = testing.simulate(7, { servers: 3, forMs: 3_000 }).hash
