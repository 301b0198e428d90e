import { function as F } from 'fp-ts'
import { concat, defer, ignoreElements, map, Observable, of, type OperatorFunction } from 'rxjs'
import type { DiscardSnapshots, ReadChunk, StoreSnapshot } from '../src/raft/effect.js'
import type { RaftEvent } from '../src/raft/event.js'
import type { SnapshotStorage } from './storage/storage.js'

/** What is asked of a storage about snapshots. */
export type SnapshotEffect = StoreSnapshot | ReadChunk | DiscardSnapshots

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
 */
export const snapshots =
  (storage: SnapshotStorage): OperatorFunction<SnapshotEffect, RaftEvent> =>
  (effect$) =>
    new Observable<RaftEvent>((subscriber) => {
      const queue: SnapshotEffect[] = []
      let busy = false

      // A loop, not a recursion, as in `durably`: a storage may answer at once.
      const work = (): void => {
        while (queue.length > 0 && !busy && !subscriber.closed) {
          busy = true
          let returned = false
          subscriber.add(
            answer$(storage, queue.shift()!).subscribe({
              next: (event) => subscriber.next(event),
              error: (error: unknown) => subscriber.error(error),
              complete: () => {
                busy = false
                if (returned) work()
              },
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

const answer$ = (storage: SnapshotStorage, effect: SnapshotEffect): Observable<RaftEvent> => {
  switch (effect._tag) {
    case 'StoreSnapshot': {
      const { ref, offset, data, last } = effect
      const end = offset + data.length
      return concat(
        defer(() => storage.store(effect)).pipe(ignoreElements()),
        of<RaftEvent>(last ? { _tag: 'SnapshotStored', ref, size: end } : { _tag: 'ChunkStored', ref, offset: end }),
      )
    }
    case 'ReadChunk': {
      const { peer, ref, offset, maxBytes } = effect
      return defer(() => storage.read(ref, offset, maxBytes)).pipe(map((data) => ({ _tag: 'ChunkRead', peer, ref, offset, data })))
    }
    case 'DiscardSnapshots':
      return defer(() => storage.discard(effect.refs)).pipe(ignoreElements())
    default:
      return F.absurd(effect)
  }
}
