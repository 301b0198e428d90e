import { distinctUntilChanged, EMPTY, filter, interval, map, type Observable, scan, type SchedulerLike, switchMap } from 'rxjs'
import type { KvCommand } from '../../../src/kv/command.js'
import { revision } from '../../../src/kv/ids.js'
import type { Store } from '../../../src/kv/store.js'
import type { Role } from '../../../src/raft/state/role.js'

/** How often in a time to live the leader looks: a session lives at most an eighth longer than it is told. */
const looksPerLife = 8

/** Sessions, and idempotency keys, that one command ends, so that none takes long: what is left is for the next. */
const maxExpired = 1024

export interface HousekeepingOptions {
  readonly role$: Observable<Role['_tag']>
  readonly store: () => Store
  readonly scheduler: SchedulerLike
}

const whileLeading = <T>(role$: Observable<Role['_tag']>, work$: Observable<T>): Observable<T> =>
  role$.pipe(
    map((role) => role === 'Leader'),
    distinctUntilChanged(),
    switchMap((leads) => (leads ? work$ : EMPTY)),
  )

/**
 * The commands with which a leader ends what clients do not use any more. No time enters the log (see `Expire`): it notes which index
 * comes next when, on its own monotonic clock, and names the one that lies a time to live back. A new leader starts noting anew,
 * so that a change of leader lengthens lives and never shortens them.
 */
export const expiry = ({ role$, store, scheduler, ttlMs }: HousekeepingOptions & { readonly ttlMs: number }): Observable<KvCommand> =>
  whileLeading(
    role$,
    interval(Math.max(1, Math.ceil(ttlMs / looksPerLife)), scheduler).pipe(
      scan((noted: ReadonlyArray<number>) => [...noted, store().appliedIndex + 1].slice(-looksPerLife - 1), []),
      filter((noted) => noted.length > looksPerLife),
      map((noted) => noted[0]!),
      filter((unusedSince) => hasUnused(store(), unusedSince)),
      map((unusedSince): KvCommand => ({ _tag: 'Expire', unusedSince, limit: maxExpired })),
    ),
  )

const hasUnused = ({ clients: { sessions, idempotencyKeys } }: Store, unusedSince: number): boolean =>
  [sessions.oldest(), idempotencyKeys.oldest()].some((oldest) => oldest !== null && oldest.usedAt < unusedSince)

export interface CompactionPolicy {
  /** Revisions before the present one that stay readable and watchable. */
  readonly keepRevisions: number
  /** How often the leader looks. */
  readonly everyMs: number
}

/** The commands with which a leader forgets old revisions. */
export const compaction = ({
  role$,
  store,
  scheduler,
  keepRevisions,
  everyMs,
}: HousekeepingOptions & CompactionPolicy): Observable<KvCommand> =>
  whileLeading(
    role$,
    interval(everyMs, scheduler).pipe(
      map(() => store().revision - keepRevisions),
      filter((oldest) => oldest > store().compactRevision),
      map((oldest): KvCommand => ({ _tag: 'Compact', revision: revision(oldest) })),
    ),
  )
