import { concat, defer, finalize, mergeMap, type Observable, of } from 'rxjs'
import { type LogIndex, maxIndex, minIndex, type Term } from '../../../src/raft/ids.js'
import { check, having } from '../../options/checks.js'
import { refuse } from '../refuse.js'
import { type Bootstrap, identityFor } from './bootstrap.js'
import { copyInto } from './copyInto.js'
import { type DiskStorage, openUnvouched, type OpenDisk } from './diskStorage.js'
import { storageError } from './errors.js'
import { type FileSystem, nodeFileSystem } from './fileSystem.js'
import { handlesOn } from './handles.js'
import type { Identity } from './identity.js'
import { lastly } from './lastly.js'
import { begin, makeEmpty, vouch } from './newDirectory.js'

/**
 * What a new data directory is to hold, and where its log comes from.
 *
 * @example
 * const from = diskStorage('./data/n1')
 * const options: BootstrapFrom = { id: 'n1', clusterId: 'demo-2', configuration: votersOnly([nodeId('n1')]), from }
 */
export interface BootstrapFrom extends Bootstrap {
  /** What a server of another cluster left. It is locked while it is read, and keeps what it holds. */
  readonly from: DiskStorage
}

/**
 * Whose the new directory is, and what was found in the old one.
 *
 * @example
 * const show = ({ id, lastIndex, lastTerm, bytes }: Beginning) => `${id}: ${bytes} bytes, up to entry ${lastIndex} of term ${lastTerm}`
 */
export interface Beginning extends Identity {
  /** The last entry of its log, or of its snapshot where nothing came after that. */
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
  /** How far it was known to be committed, at least. */
  readonly commitIndex: LogIndex
  /** Of the snapshot, and of the commands after it. */
  readonly bytes: number
}

/**
 * Makes a data directory as `bootstrap` does, of a server of a *new* cluster, that begins with what a server of an old
 * one held: its snapshot and its log, what was not committed of it too. For a cluster that lost more than a minority of
 * its disks, or of which a stranger used up the terms (docs/storage.md, "A directory that was poisoned"). For exactly
 * one server of the new cluster: `bootstrap` makes the others, which get everything from this one, since the first
 * leader needs every vote and only the longest log gets them.
 *
 * The new directory is in the term of the last entry, and has no vote. Entries that name the members of the old cluster
 * become no-ops; terms above 2³¹ become 2³¹. Snapshot and log are copied in pieces of about 1 MiB. The file that says
 * whose it is comes last: a crash leaves a directory that is whole, or one that is `NotBootstrapped` and to be removed.
 *
 * Errors: what `from.open()` fails with, and then nothing was made; `WrongIdentity` where `from` belongs to a cluster
 * of the same name, or the directory holds anything already; `Unreadable`, `StorageFull`, `StorageFailed`. Throws
 * `InvalidOption` as `bootstrap` does.
 *
 * @example
 * const configuration = votersOnly(['n1', 'n2', 'n3'].map(nodeId))
 * const from = diskStorage('./data/n1')
 * bootstrapFrom('./new/n1', { id: 'n1', clusterId: 'demo-2', configuration, from }).subscribe()
 */
export const bootstrapFrom = (
  directory: string,
  { from, ...options }: BootstrapFrom,
  fileSystem: FileSystem = nodeFileSystem,
): Observable<Beginning> => {
  const identity = identityFor(options)
  check({ from }, { from: having('open') })
  const make = (old: OpenDisk): Observable<Beginning> => {
    const handles = handlesOn(fileSystem)
    const copied = defer(() => openUnvouched(directory, identity, fileSystem)).pipe(
      mergeMap((disk) => copyInto(disk, old, options.configuration).pipe(lastly(() => disk.close()))),
    )
    return concat(
      makeEmpty(handles, directory),
      begin(handles, directory, identity, options.configuration),
      copied,
      vouch(handles, directory, identity),
      of({ ...identity, ...holdings(old) }),
    ).pipe(
      lastly(() => handles.release()),
      finalize(() => handles.release()),
    )
  }
  return defer(() => from.open()).pipe(
    mergeMap((old) => (old.identity.clusterId === identity.clusterId ? sameCluster(identity) : make(old)).pipe(lastly(() => old.close()))),
  )
}

const holdings = ({ recovered: { log, snapshot, commitIndex } }: OpenDisk): Omit<Beginning, keyof Identity> => ({
  lastIndex: log.lastIndex,
  lastTerm: log.lastTerm,
  commitIndex: maxIndex(log.base.index, minIndex(commitIndex, log.lastIndex)),
  bytes: log.bytes + (snapshot?.size ?? 0),
})

/** Servers of the old cluster that still run would take a server of that name for one of theirs. */
const sameCluster = ({ clusterId }: Identity): Observable<never> =>
  refuse(
    storageError(
      'WrongIdentity',
      `${clusterId} is the cluster of the old directory, and the new one must belong to a new cluster, or servers of the old one would take ` +
        'it for one of theirs. Give the new cluster another name.',
    ),
  )
