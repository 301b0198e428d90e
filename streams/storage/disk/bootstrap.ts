import { randomBytes } from 'node:crypto'
import { concat, defer, type Observable, of } from 'rxjs'
import { Configuration, members, withIncarnations } from '../../../src/raft/state/configuration.js'
import { configurationBytes, maxConfigurationBytes } from '../../../src/raft/state/entry.js'
import { Incarnation, NodeId } from '../../../src/raft/ids.js'
import { InvalidOption } from '../../options/invalidOption.js'
import { type FileSystem, nodeFileSystem } from './fileSystem.js'
import { handlesOn } from './handles.js'
import type { Identity } from './identity.js'
import { lastly } from './lastly.js'
import { begin, makeEmpty, vouch } from './newDirectory.js'

/**
 * What a new data directory is to hold.
 *
 * @example
 * const options: Bootstrap = { id: 'n1', clusterId: 'demo', configuration: votersOnly(['n1', 'n2', 'n3'].map(nodeId)) }
 * bootstrap('./data/n1', options).subscribe(({ incarnation }) => console.log(incarnation))
 */
export interface Bootstrap {
  /** This server: `[a-z0-9][a-z0-9._-]{0,63}`. */
  readonly id: string
  /** The cluster, named in the same way. Servers of different clusters never talk to each other. */
  readonly clusterId: string
  /** Who takes part from the beginning (§6); the same on every server of the cluster. */
  readonly configuration: Configuration
  /** 32 hexadecimal digits; drawn by default. Give it only where every byte has to be known, as a test does. */
  readonly incarnation?: string
}

/**
 * Makes the data directory of a new server (mode 0700, files 0600; parents are made too). Emits whose
 * it is and completes when all of it is durable. Cold: acts at each subscription. The file that
 * says whose it is comes last: a directory without one was never bootstrapped.
 *
 * Errors: `WrongIdentity` where the directory holds anything already; `Unreadable`, `StorageFull`,
 * `StorageFailed`. Throws `InvalidOption` where `id`, `clusterId` or `incarnation` is no name, or `configuration` none.
 *
 * @example
 * bootstrap('./data/n1', { id: 'n1', clusterId: 'demo', configuration: votersOnly([nodeId('n1')]) }).subscribe()
 */
export const bootstrap = (directory: string, options: Bootstrap, fileSystem: FileSystem = nodeFileSystem): Observable<Identity> => {
  const identity = identityFor(options)
  return defer(() => {
    const handles = handlesOn(fileSystem)
    return concat(
      makeEmpty(handles, directory),
      begin(handles, directory, identity, options.configuration),
      vouch(handles, directory, identity),
      of(identity),
    ).pipe(lastly(() => handles.release()))
  })
}

/**
 * Whose a new directory will be. Throws `InvalidOption` where one of the three is no name, or where no cluster can
 * begin with the configuration.
 */
export const identityFor = ({ id, clusterId, configuration, incarnation = randomBytes(16).toString('hex') }: Bootstrap): Identity => {
  mustBeUsable(configuration)
  return {
    id: named(NodeId, 'id', id, aName),
    clusterId: named(NodeId, 'clusterId', clusterId, aName),
    incarnation: named(Incarnation, 'incarnation', incarnation, 'be 32 hexadecimal digits'),
  }
}

/** With the data directories of all members in it, it has to fit into an entry that every server takes. */
const mustBeUsable = (configuration: Configuration): void => {
  if (!Configuration.is(configuration))
    throw new InvalidOption('configuration', 'must be the servers of the cluster: votersOnly([nodeId("n1"), …])')
  const known = members(configuration).map((id) => ({ id, incarnation: 'f'.repeat(32) as Incarnation }))
  const { length } = configurationBytes(withIncarnations(configuration, known))
  if (length > maxConfigurationBytes)
    throw new InvalidOption(
      'configuration',
      `takes ${length} bytes, and ${maxConfigurationBytes} are allowed: take fewer members, or shorter host names`,
    )
}

const aName = 'match [a-z0-9][a-z0-9._-]{0,63}'

const named = <A extends string>(codec: { is(u: unknown): u is A }, option: string, value: string, must: string): A => {
  if (!codec.is(value)) throw new InvalidOption(option, `must ${must}, not ${JSON.stringify(value)}`)
  return value
}
