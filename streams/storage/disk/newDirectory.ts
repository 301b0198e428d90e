import { dirname } from 'node:path'
import { concat, concatMap, EMPTY, from, ignoreElements, mergeMap, type Observable } from 'rxjs'
import type { Configuration } from '../../../src/raft/state/configuration.js'
import { logIndex, term } from '../../../src/raft/ids.js'
import { refuse } from '../refuse.js'
import { storageError, whileReading, whileWriting } from './errors.js'
import { directoryMode, type Handles } from './handles.js'
import { encodeIdentity, type Identity } from './identity.js'
import { identityFile, segmentFile, voteFile } from './layout.js'
import { encodeSegment } from './segment.js'
import { encodeSlot, slotOffset, voteFileBytes } from './vote.js'

/*
 * A data directory is made in three steps, of which the last makes it one: without a file that says whose it is, no
 * server starts from it.
 */

/** First: the directory itself, which must hold nothing. */
export const makeEmpty = (handles: Handles, directory: string): Observable<never> => {
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

/** Then what a server needs that never ran: an empty log, no term and no vote. */
export const begin = (handles: Handles, directory: string, identity: Identity, configuration: Configuration): Observable<never> => {
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
  return concat(
    writeFile(handles, segmentFile(directory, 1), encodeSegment(identity, 1, 1, header)),
    writeFile(handles, voteFile(directory), slots),
  ).pipe(whileWriting(directory))
}

/** Last: whose it is. */
export const vouch = (handles: Handles, directory: string, identity: Identity): Observable<never> => {
  const temporary = `${identityFile(directory)}.new`
  return concat(
    writeFile(handles, temporary, encodeIdentity(identity)),
    // The others' names are durable before the one that vouches for them.
    handles.fsyncDirectory(directory),
    handles.call((fs, done) => fs.rename(temporary, identityFile(directory), done)).pipe(ignoreElements()),
    handles.fsyncDirectory(directory),
  ).pipe(whileWriting(directory))
}

const writeFile = (handles: Handles, path: string, bytes: Uint8Array): Observable<never> =>
  handles.open(path, 'wx').pipe(mergeMap((fd) => concat(handles.write(fd, bytes, 0), handles.fsync(fd), handles.close(fd))))
