import { EMPTY, interval, Observable, type SchedulerLike, type Subscription } from 'rxjs'
import { changesAt } from '../../../src/kv/history.js'
import { nextRevision, type Revision, revision } from '../../../src/kv/ids.js'
import { contains, type KeyRange } from '../../../src/kv/key.js'
import type { Change } from '../../../src/kv/keyValue.js'
import { type Compacted, refusalMessage } from '../../../src/kv/result.js'
import type { Store } from '../../../src/kv/store.js'
import { check, having, optional, record, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'

/**
 * All that one revision changed within the range of a watch.
 *
 * @example
 * kvServer.watch({ range: kv.everything }).subscribe(({ revision, changes }: Changes) => console.log(revision, changes.length))
 */
export interface Changes {
  /** Nothing up to and including this revision is still to come. */
  readonly revision: Revision
  /** None where `progressMs` passed. */
  readonly changes: ReadonlyArray<Change>
}

/**
 * Why a watch ended.
 *
 * @example
 * const resumeFrom = (end: WatchEnd) => (end._tag === 'TooSlow' ? end.nextRevision : null)
 */
export type WatchEnd =
  /** The store forgot revisions that the watch had not read yet: read the current state, and watch from there. */
  | Compacted
  /** Its reader was paused while `maxBehind` revisions passed: resume from `nextRevision`. */
  | { readonly _tag: 'TooSlow'; readonly maxBehind: number; readonly nextRevision: Revision }
  /** The connection to the server ended, or the server: resume elsewhere. */
  | { readonly _tag: 'Disconnected'; readonly message: string }

/**
 * The error of a stream of changes; `reason` says what to do.
 *
 * @example
 * const tell = (error: unknown) => error instanceof WatchError && alarm(`${error.reason._tag}: ${error.message}`)
 * kvServer.watch({ range: kv.everything, fromRevision: kv.revision(2) }).subscribe({ error: tell })
 */
export class WatchError extends Error {
  override readonly name = 'WatchError'
  constructor(readonly reason: WatchEnd) {
    super(sentence(reason))
  }
}

const sentence = (reason: WatchEnd): string => {
  switch (reason._tag) {
    case 'Compacted':
      return refusalMessage(reason)
    case 'TooSlow':
      return `The reader of this watch fell ${reason.maxBehind} revisions behind: resume from revision ${reason.nextRevision}, and read faster.`
    case 'Disconnected':
      return reason.message
  }
}

/**
 * What a watch tells, and how far it may stay behind.
 *
 * @example
 * const paused$ = new BehaviorSubject(false)
 * const range = kv.withPrefix(kv.key('users/'))
 * kvServer.watch({ range, fromRevision: kv.revision(2), paused$, maxBehind: 1_000, progressMs: 5_000 })
 * paused$.next(true) // it reads on after paused$.next(false)
 */
export interface WatchOptions {
  readonly range: KeyRange
  /** The first revision to be told, past or to come. Default: the one after the present one. */
  readonly fromRevision?: Revision
  /**
   * True stops the watch from reading on, false lets it: how a reader with a buffer of its own holds it back. Default:
   * never paused.
   */
  readonly paused$?: Observable<boolean>
  /** Revisions that may pass while it is paused; one more ends it with `TooSlow`. Default 10,000. */
  readonly maxBehind?: number
  /** Tell how far it is, without changes: at once, and every so often unless it is paused. Default: never. */
  readonly progressMs?: number
}

const checks = {
  range: record,
  fromRevision: optional(whole(0)),
  paused$: having('subscribe'),
  maxBehind: whole(),
  progressMs: optional(whole()),
}

/**
 * The changes of the store within a range, from a revision on: first the past, then the present. The history of the
 * store is its only buffer: a watch keeps nothing but the revision that it reads next. So there is no gap between past
 * and present, nothing is told twice, and nothing grows with a slow reader. A revision can be compacted away before the
 * watch has read it; then it fails with `Compacted`. Throws `InvalidOption`.
 *
 *   store$      4--5--6---8     4 and 6 changed other keys
 *   watch from  3 4 5: ---5-----(78)
 *
 * @example
 * const { store$ } = kvStateMachine({ scheduler })
 * watchStore(store$, scheduler, { range: kv.everything }).subscribe(({ revision }) => console.log(revision))
 */
export const watchStore = (store$: Observable<Store>, scheduler: SchedulerLike, options: WatchOptions): Observable<Changes> => {
  const tuned = withDefaults({ paused$: EMPTY, maxBehind: 10_000 }, options)
  check<WatchOptions>(tuned, checks)
  const { range, fromRevision, paused$, maxBehind, progressMs } = tuned
  return new Observable((subscriber) => {
    let store: Store | undefined
    let next = fromRevision
    let paused = false
    let turn: Subscription | undefined

    const read = (): void => {
      turn = undefined
      if (store === undefined || next === undefined) return
      const { revision: last, compactRevision, history } = store
      if (next < compactRevision) return subscriber.error(new WatchError({ _tag: 'Compacted', compactRevision }))
      if (paused && last - next >= maxBehind) return subscriber.error(new WatchError({ _tag: 'TooSlow', maxBehind, nextRevision: next }))
      for (let read = 0; next <= last && read < revisionsPerTurn && !paused && !subscriber.closed; read++) {
        const current = next
        next = nextRevision(next)
        const changes = within(range, changesAt(history, current))
        if (changes.length > 0) subscriber.next({ revision: current, changes })
      }
      if (next <= last && !paused) schedule()
    }
    const schedule = (): void => {
      if (!subscriber.closed) turn ??= scheduler.schedule(read)
    }
    const tellProgress = (): void => {
      if (next !== undefined && !paused) subscriber.next({ revision: revision(next - 1), changes: none })
    }

    subscriber.add(() => turn?.unsubscribe())
    subscriber.add(
      store$.subscribe({
        next: (present) => {
          store = present
          next ??= nextRevision(present.revision)
          schedule()
        },
        complete: () => subscriber.complete(),
      }),
    )
    subscriber.add(
      paused$.subscribe((isPaused) => {
        paused = isPaused
        schedule()
      }),
    )
    if (progressMs === undefined) return
    tellProgress()
    subscriber.add(interval(progressMs, scheduler).subscribe(tellProgress))
  })
}

/** At some ten million revisions a second: a fraction of a millisecond. */
const revisionsPerTurn = 1024

const none: ReadonlyArray<Change> = []

/** Most revisions change one key: nothing is copied for these. */
const within = (range: KeyRange, changes: ReadonlyArray<Change>): ReadonlyArray<Change> => {
  if (changes.length !== 1) return changes.filter(({ key }) => contains(range, key))
  return contains(range, changes[0]!.key) ? changes : none
}
