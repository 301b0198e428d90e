import { resolve } from 'node:path'
import { AsyncSubject, concat, defer, EMPTY, type Observable } from 'rxjs'
import { refuse } from '../refuse.js'
import { storageError } from './errors.js'
import type { Handles } from './handles.js'

/*
 * Within one process: who has a directory open. A storage that was unsubscribed holds its files until the
 * call that was under way has returned; who opens it again waits for that, instead of being refused.
 */

interface Occupant {
  leaving: boolean
  readonly left$: AsyncSubject<never>
}

const occupants = new Map<string, Occupant>()

/** Enters `directory` for the life of `handles`. */
export const occupy = (handles: Handles, directory: string): Observable<never> =>
  defer(() => {
    const key = resolve(directory)
    const other = occupants.get(key)
    if (other?.leaving === true) return concat(other.left$, occupy(handles, directory))
    if (other !== undefined) {
      return refuse(
        storageError(
          'Locked',
          `${directory} is already open in this process (id ${process.pid}). Close that storage first, or give this server a data directory of its own.`,
        ),
      )
    }
    const occupant: Occupant = { leaving: false, left$: new AsyncSubject() }
    occupants.set(key, occupant)
    handles.ended$.subscribe(() => {
      occupant.leaving = true
    })
    handles.lastly(() => {
      occupants.delete(key)
      occupant.left$.complete()
    })
    return EMPTY
  })
