import { either } from 'fp-ts'
import { Configuration } from './configuration.js'
import type { Term } from '../ids.js'

/** The kinds that this build knows, each at its number on wire and disk. Only ever added to. */
export const knownKinds = ['command', 'noop', 'configuration'] as const
/**
 * A kind of entry that this build knows.
 *
 * @example
 * const kind: KnownKind = 'command'
 */
export type KnownKind = (typeof knownKinds)[number]

/**
 * A kind of a later version is its number. A follower stores such an entry as it came; it stops when the entry is
 * committed.
 *
 * @example
 * const isOfALaterVersion = (kind: EntryKind): boolean => typeof kind === 'number'
 */
export type EntryKind = KnownKind | number

/** The kind that has this number on wire and disk. */
export const kindOf = (number: number): EntryKind => knownKinds[number] ?? number

/** The number of a kind on wire and disk. */
export const numberOf = (kind: EntryKind): number => (typeof kind === 'number' ? kind : knownKinds.indexOf(kind))

/**
 * Whether `u` is a known kind, or the number of one that this build does not know. Wire and disk have a byte for it.
 */
export const isEntryKind = (u: unknown): u is EntryKind =>
  typeof u === 'number' ? Number.isInteger(u) && u >= knownKinds.length && u <= 255 : knownKinds.includes(u as KnownKind)

/**
 * One place in the log: "each log entry stores a state machine command along with the term
 * number when the entry was received by the leader" (§5.3). What it holds is bytes to the core:
 *
 *  - `command`: opaque, encoded once at the facade;
 *  - `noop`: opens a leader's term (§8), so that entries of older terms can be committed;
 *  - `configuration`: the members from here on (§6), see `configurationEntry`;
 *  - a number: of a kind that this build does not know.
 *
 * `size` is the number of bytes of `command`.
 *
 * @example
 * const isForTheStateMachine = ({ kind }: Entry): boolean => kind === 'command'
 */
export interface Entry {
  readonly term: Term
  readonly kind: EntryKind
  readonly size: number
  readonly command: Uint8Array
}

const nothing = new Uint8Array(0)

/**
 * An entry with a command for the state machine.
 *
 * @example
 * commandEntry(term(1), new Uint8Array([1, 2, 3])).size // 3
 */
export const commandEntry = (term: Term, command: Uint8Array): Entry => ({ term, kind: 'command', size: command.length, command })

/**
 * The entry with which a leader opens its term (§8).
 *
 * @example
 * noopEntry(term(2)).size // 0
 */
export const noopEntry = (term: Term): Entry => ({ term, kind: 'noop', size: 0, command: nothing })

/**
 * A configuration as an entry.
 *
 * @example
 * configurationEntry(term(1), votersOnly([nodeId('n1')])).kind // 'configuration'
 */
export const configurationEntry = (term: Term, configuration: Configuration): Entry => {
  const command = configurationBytes(configuration)
  return { term, kind: 'configuration', size: command.length, command }
}

/**
 * A configuration as bytes: its JSON, which is ASCII since every name in it is.
 *
 * @example
 * const bytes = configurationBytes(votersOnly([nodeId('n1')]))
 * configurationOf(bytes) // Right, with the same configuration
 */
export const configurationBytes = (configuration: Configuration): Uint8Array =>
  Uint8Array.from(JSON.stringify(Configuration.encode(configuration)), (c) => c.charCodeAt(0))

/** Three hundred members with short addresses: a bound on what a border has to look into. */
export const maxConfigurationBytes = 1 << 16

/**
 * What `configurationBytes` wrote; Left with the reason where the bytes hold none, which a border (wire, disk) must
 * refuse.
 *
 * @example
 * configurationOf(new Uint8Array([1, 2, 3])) // Left, with 'not JSON'
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
