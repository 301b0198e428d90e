import { InvariantViolation } from '../error.js'
import { after, type LogIndex } from '../ids.js'
import { type Configuration, versionOf } from '../state/configuration.js'
import type { Entry } from '../state/entry.js'
import type { Log } from '../state/log.js'
import { newestVersion } from '../state/version.js'

/**
 * What is committed must be applied, and in order. A server that does not know a committed entry can neither apply it
 * nor skip it, since the state machines would part. So it stops. Before that the entry may still be truncated, and is
 * only stored.
 */
export const mustBeKnown = (log: Log, first: LogIndex, entries: ReadonlyArray<Entry>): void => {
  for (let i = 0; i < entries.length; i++) {
    const { kind } = entries[i]!
    if (kind === 'command') continue
    const index = after(first, i)
    const configuration = log.configurationAt(index)
    if (typeof kind === 'number') throw unknown(index, `has kind ${kind}`, Math.max(versionOf(configuration), newestVersion + 1))
    versionMustBeKnown(index, configuration)
  }
}

/** The same for a cluster version: this build does not know the rules that came with it. */
export const versionMustBeKnown = (index: LogIndex, configuration: Configuration): void => {
  const version = versionOf(configuration)
  if (version > newestVersion) throw unknown(index, `belongs to a cluster of version ${version}`, version)
}

const unknown = (index: LogIndex, what: string, version: number): InvariantViolation =>
  new InvariantViolation(
    'every committed entry is known',
    `Entry ${index} ${what}, which this build does not know: run a version of rxraft that knows cluster version ${version} or newer. ` +
      'Nothing is lost: this server goes on from here.',
    index,
  )
