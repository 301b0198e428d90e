import {
  distinctUntilChanged,
  EMPTY,
  filter,
  interval,
  map,
  merge,
  mergeMap,
  type Observable,
  scan,
  type SchedulerLike,
  switchMap,
} from 'rxjs'
import { anonymous, type KvCommand } from '../../../src/kv/command.js'
import { revision } from '../../../src/kv/ids.js'
import { encodeRequest } from '../../../src/kv/requestCodec.js'
import type { KvResult } from '../../../src/kv/result.js'
import type { Store } from '../../../src/kv/store.js'
import type { Role } from '../../../src/raft/state/role.js'
import type { Proposal, ProposalEvent } from '../../sinks/proposal.js'

/** How often in a time to live the leader looks: a session lives at most an eighth longer than it is told. */
const looksPerLife = 8

/** Sessions, and idempotency keys, that one command ends, so that none takes long: what is left is for the next. */
const maxExpired = 1024

/** Both kinds of housekeeping need these. */
export interface LeaderWork {
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
 * The commands with which a leader ends sessions and idempotency keys that clients do not use any more. No time enters
 * the log (see `Expire`): the leader notes on its own monotonic clock which index comes next, and names the index of a
 * time to live ago. A new leader starts with no notes, so a change of leader lengthens lives and never shortens them.
 */
export const expiry = ({ role$, store, scheduler, ttlMs }: LeaderWork & { readonly ttlMs: number }): Observable<KvCommand> =>
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

/**
 * How much of the history stays.
 *
 * @example
 * createKvServer({ id: 'n1', network, storage, compaction: { keepRevisions: 10_000, everyMs: 60_000 } })
 */
export interface CompactionPolicy {
  /** Revisions before the present one that stay readable and watchable. */
  readonly keepRevisions: number
  /** How often the leader looks. */
  readonly everyMs: number
}

/** The commands with which a leader forgets old revisions. */
export const compaction = ({ role$, store, scheduler, keepRevisions, everyMs }: LeaderWork & CompactionPolicy): Observable<KvCommand> =>
  whileLeading(
    role$,
    interval(everyMs, scheduler).pipe(
      map(() => store().revision - keepRevisions),
      filter((oldest) => oldest > store().compactRevision),
      map((oldest): KvCommand => ({ _tag: 'Compact', revision: revision(oldest) })),
    ),
  )

export interface HousekeepingOptions extends LeaderWork {
  readonly propose: (command: Uint8Array) => Proposal<KvResult>
  readonly sessionTtlMs: number
  readonly compaction: CompactionPolicy | null
}

/** Has the leader end and forget what is not used any more. Emits nothing. */
export const housekeeping = ({ propose, sessionTtlMs, compaction: policy, ...work }: HousekeepingOptions): Observable<never> => {
  /** An `Expire` that reached its limit is proposed again: there may be more to end. */
  const carryOut = (command: KvCommand): Observable<never> =>
    propose(encodeRequest({ caller: anonymous, command })).pipe(
      filter((event) => reachedLimit(command, event)),
      mergeMap(() => carryOut(command)),
    )
  return merge(expiry({ ...work, ttlMs: sessionTtlMs }), policy === null ? EMPTY : compaction({ ...work, ...policy })).pipe(
    mergeMap(carryOut),
  )
}

const reachedLimit = (command: KvCommand, event: ProposalEvent<KvResult>): boolean => {
  if (command._tag !== 'Expire' || event._tag !== 'Applied' || event.result._tag !== 'Expired') return false
  const { sessions, idempotencyKeys } = event.result
  return Math.max(sessions, idempotencyKeys) === command.limit
}
