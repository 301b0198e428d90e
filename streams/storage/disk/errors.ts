import { catchError, type MonoTypeOperatorFunction, throwError } from 'rxjs'
import type { StorageError } from '../storage.js'

export const storageError = (_tag: StorageError['_tag'], message: string): StorageError => ({ _tag, message })

/**
 * What a crash cannot have done to `file`. Never repaired by guessing: that would drop entries or votes that others
 * rely on.
 */
export const corrupt = (file: string, offset: number, what: string): StorageError =>
  storageError(
    'Corrupt',
    `${file} is damaged at byte ${offset}: ${what}. Nothing was changed. The other servers go on without this one as long as they are a majority; ` +
      'keep the directory, and start this server neither from an older copy nor from an empty directory, since it may have voted. See docs/storage.md, "A damaged log".',
  )

const codeOf = (error: unknown): string | null =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : null

const reasonOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)

export const hasCode = (error: unknown, ...codes: ReadonlyArray<string>): boolean => codes.includes(codeOf(error) ?? '')

/** Turns what the operating system refused into what it means; every other error, an own one too, passes as it is. */
const naming =
  <A>(name: (error: unknown) => StorageError): MonoTypeOperatorFunction<A> =>
  (source) =>
    source.pipe(catchError((error: unknown) => throwError(() => (codeOf(error) === null ? error : name(error)))))

const full = (path: string): StorageError =>
  storageError(
    'StorageFull',
    `No space is left to write ${path}. Make room on that disk and start the server again: what was acknowledged is there.`,
  )

/** For calls that look: opening, listing, reading. */
export const whileReading = <A>(path: string): MonoTypeOperatorFunction<A> =>
  naming((error) =>
    hasCode(error, 'ENOSPC', 'EDQUOT')
      ? full(path)
      : storageError(
          'Unreadable',
          `${path} cannot be opened (${reasonOf(error)}). Check that it is a directory which this user may read and write.`,
        ),
  )

/** For calls that change the disk. */
export const whileWriting = <A>(path: string): MonoTypeOperatorFunction<A> =>
  naming((error) =>
    hasCode(error, 'ENOSPC', 'EDQUOT')
      ? full(path)
      : storageError(
          'StorageFailed',
          `Writing ${path} failed (${reasonOf(error)}). What the disk now holds is not known, so nothing more is written. Check the disk, then start the server again: it reads what is really there.`,
        ),
  )
