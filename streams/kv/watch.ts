import type { Observable } from 'rxjs'
import type { Revision } from '../../src/kv/ids.js'
import type { KeyRange } from '../../src/kv/key.js'
import type { Change } from '../../src/kv/keyValue.js'
import type { Compacted } from '../../src/kv/result.js'

/** What one revision changed within the range that is watched: all of it, at once. */
export interface Changes {
  readonly revision: Revision
  readonly changes: ReadonlyArray<Change>
}

/** Why a watch ended. It is the error of the stream. */
export type WatchError =
  | Compacted
  /** Its reader was paused while `maxBehind` revisions passed. Resume from `nextRevision`, or read the current state. */
  | { readonly _tag: 'TooSlow'; readonly maxBehind: number; readonly nextRevision: Revision }

export interface WatchOptions {
  readonly range: KeyRange
  /** The first revision to be told, past or to come. Default: the one after the present one. */
  readonly fromRevision?: Revision
  /** True stops the watch from reading on, false lets it: how a reader with a buffer of its own holds it back. Default: never paused. */
  readonly paused$?: Observable<boolean>
  /** Revisions that may pass while it is paused; one more ends it with `TooSlow`. Default 10,000. */
  readonly maxBehind?: number
}
