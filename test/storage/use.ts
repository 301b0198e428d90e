import { defaultIfEmpty, from, lastValueFrom, type ObservableInput } from 'rxjs'
import type { Persist, SnapshotPointer } from '../../src/raft/effect.js'
import { snapshotRef } from '../../src/raft/ids.js'
import type { OpenStorage } from '../../streams/storage/storage.js'
import { piecesOf } from './values.js'

/*
 * Uses a storage as a server does, each step as a promise. Free of jest.
 */

/** The `_tag` of what a stream or a promise failed with. */
export const tagOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && '_tag' in error ? String(error._tag) : `no refusal: ${String(error)}`

export const done = (source: ObservableInput<unknown>): Promise<unknown> => lastValueFrom(from(source).pipe(defaultIfEmpty(null)))

export interface Opened<Open extends OpenStorage> {
  readonly open: Open
  /** Abandons it, as a crash would. */
  readonly abandon: () => void
}

export const opened = <Open extends OpenStorage = OpenStorage>(storage: { open(): ObservableInput<Open> }): Promise<Opened<Open>> =>
  new Promise((resolve, reject) => {
    const subscription = from(storage.open()).subscribe({
      next: (open) => setImmediate(() => resolve({ open, abandon: () => subscription.unsubscribe() })),
      error: reject,
    })
  })

/** Stores it, as `streams/sinks/snapshotStore.ts` does: one piece after another. */
export const store = async ({ snapshots }: OpenStorage, pointer: SnapshotPointer, pieceBytes?: number): Promise<void> => {
  for (const piece of piecesOf(pointer, pieceBytes)) await done(snapshots.store(piece))
}

/**
 * Does what a server does for one batch: the snapshots in it are stored before, and those they take the place of
 * discarded after.
 */
export const perform = async (open: OpenStorage, batch: ReadonlyArray<Persist>): Promise<void> => {
  const pointers = batch.flatMap(({ write: { snapshot } }) => (snapshot === null ? [] : [snapshot]))
  for (const pointer of pointers) await store(open, pointer, 1 + ((pointer.ref * 97) % 700) + (pointer.size >> 4))
  await done(open.write(batch))
  const last = pointers.at(-1)?.ref
  if (last !== undefined) await done(open.snapshots.discard(Array.from({ length: last - 1 }, (_, i) => snapshotRef(i + 1))))
}

/** The bytes of a stored snapshot. */
export const bytesOf = async ({ snapshots }: OpenStorage, ref: number, size: number, offset = 0): Promise<Buffer> =>
  Buffer.from(await lastValueFrom(from(snapshots.read(snapshotRef(ref), offset, size))))
