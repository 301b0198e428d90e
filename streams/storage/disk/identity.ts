import { either } from 'fp-ts'
import * as t from 'io-ts'
import { catchError, defer, mergeMap, type Observable, of, throwError } from 'rxjs'
import { Incarnation, NodeId } from '../../../src/raft/ids.js'
import { refuse } from '../refuse.js'
import type { StorageError } from '../storage.js'
import { corrupt, hasCode, storageError, whileReading } from './errors.js'
import { type FileSystem, nodeFileSystem } from './fileSystem.js'
import { madeLater, presentFormat, unsupported } from './formats.js'
import { type Handles, handlesOn, readWhole } from './handles.js'
import { identityFile } from './layout.js'
import { lastly } from './lastly.js'

/**
 * Whose data a directory holds.
 *
 * @example
 * const isSameServer = (a: Identity, b: Identity) => a.id === b.id && a.incarnation === b.incarnation
 */
export interface Identity {
  readonly id: NodeId
  /** Named like a server. */
  readonly clusterId: string
  /** Drawn when the directory was made. Same id and another incarnation is another server. */
  readonly incarnation: Incarnation
}

const owner = { id: NodeId, clusterId: NodeId, incarnation: Incarnation }
/** No checksum covers this file, so nothing that its format demands may be left out. */
const IdentityFile = t.union([
  t.strict({ format: t.literal('rxraft data 1'), ...owner }),
  t.strict({ format: t.literal('rxraft data 2'), group: t.literal(0), ...owner }),
])

export const encodeIdentity = ({ id, clusterId, incarnation }: Identity): Uint8Array =>
  Buffer.from(`${JSON.stringify({ format: `rxraft data ${presentFormat}`, group: 0, id, clusterId, incarnation }, null, 2)}\n`)

const decodeIdentity = (bytes: Buffer): Identity | null => {
  const json = either.tryCatch(
    () => JSON.parse(bytes.toString()) as unknown,
    () => null,
  )
  const decoded = either.chainW((value: unknown) => IdentityFile.decode(value))(json)
  if (either.isLeft(decoded)) return null
  const { id, clusterId, incarnation } = decoded.right
  return { id, clusterId, incarnation }
}

/**
 * Whose data `directory` holds. Cold: reads once per subscription and locks nothing.
 *
 * Errors: `NotBootstrapped`, `Unreadable`, `Corrupt`, `Unsupported`.
 *
 * @example
 * readIdentity('./data/n1').subscribe(({ id, incarnation }) => console.log(id, incarnation))
 */
export const readIdentity = (directory: string, fileSystem: FileSystem = nodeFileSystem): Observable<Identity> =>
  defer(() => {
    const handles = handlesOn(fileSystem)
    return identityIn(handles, directory).pipe(lastly(() => handles.release()))
  })

const notBootstrapped = (directory: string): StorageError =>
  storageError('NotBootstrapped', `${directory} holds no server. Make one there with \`rxraft init\`, once, and then start it.`)

export const identityIn = (handles: Handles, directory: string): Observable<Identity> => {
  const path = identityFile(directory)
  return readWhole(handles, path).pipe(
    catchError((error: unknown) => (hasCode(error, 'ENOENT') ? refuse(notBootstrapped(directory)) : throwError(() => error))),
    whileReading(path),
    mergeMap((bytes) => {
      const later = madeLater(bytes, 'data')
      if (later !== null) return refuse(unsupported(path, later))
      const identity = decodeIdentity(bytes)
      return identity === null ? refuse(corrupt(path, 0, 'it does not name a server, a cluster and an incarnation')) : of(identity)
    }),
  )
}
