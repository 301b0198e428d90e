import { EMPTY } from 'rxjs'
import type { SnapshotPointer } from '../../src/raft/effect.js'
import { snapshotRef } from '../../src/raft/ids.js'
import { MemorySnapshots } from '../storage/memory/memorySnapshots.js'
import type { SnapshotStorage } from '../storage/storage.js'
import type { Persister } from './persister.js'

/**
 * The snapshots of one life. What is on its way stands in memory; what the log begins after is saved to
 * the persister, in the same call as the state that points to it, so that no crash comes between the two.
 */
export class LabSnapshots {
  private readonly kept = new MemorySnapshots()
  readonly storage: SnapshotStorage = this.kept.open(() => EMPTY)
  /** The bytes of the one that the log begins after; none where it begins with its first entry. */
  current: Uint8Array

  constructor(persister: Persister) {
    this.current = persister.readSnapshot()
    this.kept.hold(snapshotRef(1), this.current)
  }

  pointTo({ ref, size }: SnapshotPointer): void {
    this.current = this.kept.read(ref, 0, size)
  }
}
