import { function as F } from 'fp-ts'
import {
  catchError,
  concat,
  defer,
  from,
  ignoreElements,
  map,
  mergeMap,
  Observable,
  type ObservableInput,
  of,
  type OperatorFunction,
} from 'rxjs'
import type { DiscardSnapshots, ReadChunk, StoreSnapshot } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Snapshot } from './stateMachine.js'
import type { SnapshotStorage } from '../storage/storage.js'

/**
 * What is asked of a storage about snapshots.
 *
 * @example
 * const bytesIn = (effect: SnapshotEffect) => (effect._tag === 'StoreSnapshot' ? effect.data.length : 0)
 * server.inspect$.pipe(mergeMap(({ effects }) => effects), ofTag('StoreSnapshot', 'ReadChunk', 'DiscardSnapshots'), map(bytesIn))
 */
export type SnapshotEffect = StoreSnapshot | ReadChunk | DiscardSnapshots

/**
 * Completes for a snapshot that the state machine can begin with; fails for any other.
 *
 * @example
 * const check: SnapshotCheck = ({ data }) => (data[0] === 1 ? EMPTY : throwError(() => new Error('not of version 1')))
 * createRaft({ id: 'n1', network, storage, snapshots: { check } })
 */
export type SnapshotCheck = (snapshot: Snapshot) => ObservableInput<unknown>

/**
 * Snapshots on their way to the disk and from it (§7), one call at a time, in order, beside the log's writes.
 *
 *   effects  --s--r----l---    s: a piece to store, l: the last one, r: a chunk to read
 *   disk     --^--!
 *            -----^--!
 *            ----------^---!
 *   events   -----c--d-----t   c: ChunkStored, d: ChunkRead, t: SnapshotStored
 *
 * Bounded by the core: one own snapshot, one from a leader, one chunk for each follower. An error of the disk is final.
 * With `check`, a leader's snapshot that is stored whole is read once: one that `check` fails for is told as
 * `SnapshotRefused`.
 *
 * @example
 * const stored = (effect$: Observable<StoreSnapshot | ReadChunk | DiscardSnapshots>, snapshots: SnapshotStorage) =>
 *   effect$.pipe(snapshotStore(snapshots)) // ChunkStored, SnapshotStored, ChunkRead
 */
export const snapshotStore =
  (storage: SnapshotStorage, check: SnapshotCheck | null = null): OperatorFunction<SnapshotEffect, RaftEvent> =>
  (effect$) =>
    new Observable<RaftEvent>((subscriber) => {
      const queue: SnapshotEffect[] = []
      let busy = false

      // A loop, not a recursion, as in `durably`: a storage may answer at once.
      const work = (): void => {
        while (queue.length > 0 && !busy && !subscriber.closed) {
          busy = true
          let returned = false
          const effect = queue.shift()!
          const done = (): void => {
            busy = false
            if (returned) work()
          }
          subscriber.add(
            defer(() => ask(storage, effect, check)).subscribe({
              next: (event) => subscriber.next(event),
              error: (error: unknown) => subscriber.error(error),
              complete: done,
            }),
          )
          returned = true
        }
      }

      subscriber.add(
        effect$.subscribe({
          next: (effect) => {
            queue.push(effect)
            if (!busy) work()
          },
          error: (error: unknown) => subscriber.error(error),
        }),
      )
    })

/** What is told of it, when it is done. */
const ask = (storage: SnapshotStorage, effect: SnapshotEffect, check: SnapshotCheck | null): Observable<RaftEvent> => {
  switch (effect._tag) {
    case 'StoreSnapshot':
      return concat(
        from(storage.store(effect)).pipe(ignoreElements()),
        defer(() => stored(storage, effect, check)),
      )
    case 'ReadChunk': {
      const { peer, ref, offset, maxBytes } = effect
      return from(storage.read(ref, offset, maxBytes)).pipe(map((data): RaftEvent => ({ _tag: 'ChunkRead', peer, ref, offset, data })))
    }
    case 'DiscardSnapshots':
      return from(storage.discard(effect.refs)).pipe(ignoreElements())
    default:
      return F.absurd(effect)
  }
}

const stored = (
  storage: SnapshotStorage,
  { from: leader, ref, base, offset, data, last }: StoreSnapshot,
  check: SnapshotCheck | null,
): Observable<RaftEvent> => {
  const end = offset + data.length
  if (!last) return of({ _tag: 'ChunkStored', ref, offset: end })
  const isWhole: RaftEvent = { _tag: 'SnapshotStored', ref, size: end }
  if (leader === null || check === null) return of(isWhole)
  return from(storage.read(ref, 0, end)).pipe(
    mergeMap((whole) =>
      concat(defer(() => check({ index: base.index, data: whole })).pipe(ignoreElements()), of(isWhole)).pipe(
        catchError(() => of<RaftEvent>({ _tag: 'SnapshotRefused', ref })),
      ),
    ),
  )
}
