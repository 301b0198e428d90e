import { function as F } from 'fp-ts'
import { defer, Observable, type ObservableInput, type OperatorFunction } from 'rxjs'
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
          const effect = queue.shift()!
          const done = (): void => {
            const event = eventOf(effect)
            if (event !== null) subscriber.next(event)
            busy = false
            if (returned) work()
          }
          subscriber.add(
            defer(() => ask(storage, effect)).subscribe({
              next: (data) => {
                if (effect._tag !== 'ReadChunk') return
                const { peer, ref, offset } = effect
                subscriber.next({ _tag: 'ChunkRead', peer, ref, offset, data: data as Uint8Array })
              },
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

const ask = (storage: SnapshotStorage, effect: SnapshotEffect): ObservableInput<unknown> => {
  switch (effect._tag) {
    case 'StoreSnapshot':
      return storage.store(effect)
    case 'ReadChunk':
      return storage.read(effect.ref, effect.offset, effect.maxBytes)
    case 'DiscardSnapshots':
      return storage.discard(effect.refs)
    default:
      return F.absurd(effect)
  }
}

/** What is to be told when all of it is done. */
const eventOf = (effect: SnapshotEffect): RaftEvent | null => {
  if (effect._tag !== 'StoreSnapshot') return null
  const { ref, offset, data, last } = effect
  const end = offset + data.length
  return last ? { _tag: 'SnapshotStored', ref, size: end } : { _tag: 'ChunkStored', ref, offset: end }
}
