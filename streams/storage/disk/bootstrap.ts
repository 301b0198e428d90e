import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { concat, concatMap, defer, EMPTY, from, ignoreElements, mergeMap, type Observable, of } from 'rxjs'
import type { Configuration } from '../../../src/raft/configuration.js'
import { Incarnation, logIndex, NodeId, term } from '../../../src/raft/ids.js'
import { refuse } from '../refuse.js'
import { InvalidOption } from '../../options.js'
import { storageError, whileReading, whileWriting } from './errors.js'
import { type FileSystem, nodeFileSystem } from './fileSystem.js'
import { directoryMode, type Handles, handlesOn } from './handles.js'
import { encodeIdentity, type Identity } from './identity.js'
import { identityFile, segmentFile, voteFile } from './layout.js'
import { lastly } from './lastly.js'
import { encodeSegment } from './segment.js'
import { encodeSlot, slotOffset, voteFileBytes } from './vote.js'

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
 * `StorageFailed`. Throws `InvalidOption` where `id`, `clusterId` or `incarnation` is no name.
 *
 * @example
 * bootstrap('./data/n1', { id: 'n1', clusterId: 'demo', configuration: votersOnly([nodeId('n1')]) }).subscribe()
 */
export const bootstrap = (directory: string, options: Bootstrap, fileSystem: FileSystem = nodeFileSystem): Observable<Identity> => {
  const identity: Identity = {
    id: named(NodeId, 'id', options.id),
    clusterId: named(NodeId, 'clusterId', options.clusterId),
    incarnation: named(Incarnation, 'incarnation', options.incarnation ?? randomBytes(16).toString('hex')),
  }
  return defer(() => {
    const handles = handlesOn(fileSystem)
    return concat(makeEmpty(handles, directory), fill(handles, directory, identity, options.configuration), of(identity)).pipe(
      lastly(() => handles.release()),
    )
  })
}

const named = <A extends string>(codec: { readonly name: string; is(u: unknown): u is A }, option: string, value: string): A => {
  if (!codec.is(value)) throw new InvalidOption(option, `${JSON.stringify(value)} is no ${codec.name}`)
  return value
}

const makeEmpty = (handles: Handles, directory: string): Observable<never> => {
  const made = handles
    .call<string | undefined>((fs, done) => fs.mkdir(directory, { recursive: true, mode: directoryMode }, done))
    .pipe(
      mergeMap((first) =>
        first === undefined ? EMPTY : from(parentsOf(directory, first)).pipe(concatMap((parent) => handles.fsyncDirectory(parent))),
      ),
      whileReading(directory),
    )
  const empty = handles
    .call<string[]>((fs, done) => fs.readdir(directory, done))
    .pipe(
      whileReading(directory),
      mergeMap((names) =>
        names.length === 0
          ? EMPTY
          : refuse(
              storageError(
                'WrongIdentity',
                `${directory} is not empty (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}). A server needs a new directory. ` +
                  'If this one holds a server already, start that; if it was left by an attempt to make one, remove it.',
              ),
            ),
      ),
    )
  return concat(made, empty)
}

/** The directories in which a name is new, when `first` and everything below it down to `directory` was made. */
const parentsOf = (directory: string, first: string): ReadonlyArray<string> => {
  const parent = dirname(directory)
  return parent === directory || directory.length <= first.length ? [parent] : [parent, ...parentsOf(parent, first)]
}

const fill = (handles: Handles, directory: string, identity: Identity, configuration: Configuration): Observable<never> => {
  const hardState = { currentTerm: term(0), votedFor: null }
  const header = {
    ...hardState,
    base: { index: logIndex(0), term: term(0), configuration },
    snapshot: null,
    lastIndex: logIndex(0),
    commitIndex: logIndex(0),
  }
  const slots = Buffer.alloc(voteFileBytes)
  encodeSlot(identity, { number: 1, hardState, durable: 1 }).copy(slots, slotOffset(1))
  const temporary = `${identityFile(directory)}.new`
  return concat(
    writeFile(handles, segmentFile(directory, 1), encodeSegment(identity, 1, 1, header)),
    writeFile(handles, voteFile(directory), slots),
    writeFile(handles, temporary, encodeIdentity(identity)),
    // The others' names are durable before the one that vouches for them.
    handles.fsyncDirectory(directory),
    handles.call((fs, done) => fs.rename(temporary, identityFile(directory), done)).pipe(ignoreElements()),
    handles.fsyncDirectory(directory),
  ).pipe(whileWriting(directory))
}

const writeFile = (handles: Handles, path: string, bytes: Uint8Array): Observable<never> =>
  handles.open(path, 'wx').pipe(mergeMap((fd) => concat(handles.write(fd, bytes, 0), handles.fsync(fd), handles.close(fd))))
