import { defer, EMPTY, type Observable, of } from 'rxjs'
import type { StoreSnapshot } from '../../../src/raft/effect.js'
import { InvariantViolation } from '../../../src/raft/error.js'
import type { SnapshotRef } from '../../../src/raft/ids.js'
import type { SnapshotStorage } from '../storage.js'

/** Snapshots in memory, as the pieces that came. */
export class MemorySnapshots {
  private readonly kept = new Map<SnapshotRef, { readonly pieces: Uint8Array[]; size: number }>()

  get sizeBytes(): number {
    let sum = 0
    for (const { size } of this.kept.values()) sum += size
    return sum
  }

  /** `settle` is what a piece has to go through before it counts as kept: a slow, failing or full disk. */
  open(settle: () => Observable<never>): SnapshotStorage {
    return {
      store: (piece) =>
        defer(() => {
          this.keep(piece)
          return settle()
        }),
      read: (ref, offset, maxBytes) => defer(() => of(this.read(ref, offset, maxBytes))),
      discard: (refs) =>
        defer(() => {
          for (const ref of refs) this.kept.delete(ref)
          return EMPTY
        }),
    }
  }

  /** All that is kept is `ref`. */
  keepOnly(ref: SnapshotRef | null): void {
    for (const other of this.kept.keys()) if (other !== ref) this.kept.delete(other)
  }

  /** Keeps a whole one. */
  hold(ref: SnapshotRef, data: Uint8Array): void {
    this.kept.set(ref, { pieces: [data], size: data.length })
  }

  read(ref: SnapshotRef, offset: number, maxBytes: number): Uint8Array {
    const snapshot = this.kept.get(ref)
    if (snapshot === undefined || offset > snapshot.size)
      throw new InvariantViolation('what is read of a snapshot is stored', `snapshot ${ref} from byte ${offset}`)
    const [only] = snapshot.pieces
    if (snapshot.pieces.length > 1 || only === undefined) snapshot.pieces.splice(0, snapshot.pieces.length, joined(snapshot))
    return snapshot.pieces[0]!.subarray(offset, offset + maxBytes)
  }

  private keep({ ref, offset, data }: StoreSnapshot): void {
    if (offset === 0) this.kept.set(ref, { pieces: [], size: 0 })
    const snapshot = this.kept.get(ref)
    if (snapshot?.size !== offset)
      throw new InvariantViolation('a piece of a snapshot continues the last one', `snapshot ${ref} at byte ${offset}`)
    snapshot.pieces.push(data)
    snapshot.size += data.length
  }
}

const joined = ({ pieces, size }: { readonly pieces: ReadonlyArray<Uint8Array>; readonly size: number }): Uint8Array => {
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
