import { type Observable, throwError } from 'rxjs'
import type { StorageError } from './storage.js'

/** Fails with `error`, which is a value: it can be compared, recorded and sent as it is. */
export const refuse = (error: StorageError): Observable<never> => throwError((): unknown => error)
