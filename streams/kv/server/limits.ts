import { defaultLimits } from '../../../src/kv/limits.js'
import { type Check, optional, record, whole } from '../../options/checks.js'

/** Checks the option `limits`: limits of the store by their names, from 0 on. One that is left out has its default. */
export const kvLimits: Check = (name, limits) => {
  record(name, limits)
  for (const limit of Object.keys(defaultLimits)) {
    optional(whole(0))(`${name}.${limit}`, (limits as Readonly<Record<string, unknown>>)[limit])
  }
}
