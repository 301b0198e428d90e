import { either } from 'fp-ts'
import { Configuration } from './configuration.js'
import type { Term } from '../ids.js'

export type EntryKind = Entry['kind']

/**
 * One place in the log: "each log entry stores a state machine command along with the term
 * number when the entry was received by the leader" (§5.3). What it holds is bytes to the core:
 *
 *  - `command`: opaque, encoded once at the facade;
 *  - `noop`: opens a leader's term (§8), so that entries of older terms can be committed;
 *  - `configuration`: the members from here on (§6), see `configurationEntry`.
 *
 * `size` is the number of bytes of `command`.
 */
export interface Entry {
  readonly term: Term
  readonly kind: 'command' | 'noop' | 'configuration'
  readonly size: number
  readonly command: Uint8Array
}

const nothing = new Uint8Array(0)

export const commandEntry = (term: Term, command: Uint8Array): Entry => ({ term, kind: 'command', size: command.length, command })

export const noopEntry = (term: Term): Entry => ({ term, kind: 'noop', size: 0, command: nothing })

/** A configuration as an entry. */
export const configurationEntry = (term: Term, configuration: Configuration): Entry => {
  const command = configurationBytes(configuration)
  return { term, kind: 'configuration', size: command.length, command }
}

/** A configuration as bytes: its JSON, which is ASCII since every name in it is. */
export const configurationBytes = (configuration: Configuration): Uint8Array =>
  Uint8Array.from(JSON.stringify(Configuration.encode(configuration)), (c) => c.charCodeAt(0))

/** Enough for some five hundred members. It bounds what a border has to decode. */
const maxConfigurationBytes = 1 << 16

/**
 * The configuration that `configurationBytes` wrote. Left with the reason: the bytes hold none, and a border (wire,
 * disk) must refuse them.
 */
export const configurationOf = (command: Uint8Array): either.Either<string, Configuration> => {
  if (command.length > maxConfigurationBytes) return either.left('a configuration of more than 64 KiB')
  const text = Array.from(command, (byte) => String.fromCharCode(byte)).join('')
  return either.chain((json: unknown) => either.mapLeft(() => 'not a configuration')(Configuration.decode(json)))(
    either.tryCatch(
      () => JSON.parse(text) as unknown,
      () => 'not JSON',
    ),
  )
}
