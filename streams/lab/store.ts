import { EMPTY } from 'rxjs'
import type { Persist } from '../../src/raft/effect.js'
import { type NodeId, snapshotRef } from '../../src/raft/ids.js'
import { votersOnly } from '../../src/raft/state/configuration.js'
import type { Recovered } from '../../src/raft/state/server.js'
import { MemorySnapshots } from '../storage/memory/memorySnapshots.js'
import type { SnapshotStorage } from '../storage/storage.js'
import type { Persister } from './persister.js'
import { RaftState } from './raftState.js'

/**
 * A persister as the storage of one life. A snapshot on its way stands in memory; the one that the log begins after is
 * saved to the persister, in the same call as the state that points to it, so that no crash comes between the two.
 */
export class LabStore {
  private readonly kept = new MemorySnapshots()
  readonly snapshots: SnapshotStorage = this.kept.open(() => EMPTY)
  private readonly raftState: RaftState
  /** The bytes of the snapshot that the log begins after; none where it begins with its first entry. */
  private snapshot: Uint8Array

  constructor(
    private readonly ids: ReadonlyArray<NodeId>,
    private readonly persister: Persister,
  ) {
    this.raftState = new RaftState(ids, persister.readRaftState())
    this.snapshot = persister.readSnapshot()
    this.kept.hold(snapshotRef(1), this.snapshot)
  }

  /** What the former life left. */
  recover(): Recovered {
    return this.raftState.recovered(votersOnly(this.ids), this.snapshot.length)
  }

  readonly write = (batch: ReadonlyArray<Persist>): typeof EMPTY => {
    for (const { write } of batch) {
      this.raftState.write(write)
      if (write.snapshot !== null) this.snapshot = this.kept.read(write.snapshot.ref, 0, write.snapshot.size)
    }
    this.persister.save(this.raftState.view(), this.snapshot)
    return EMPTY
  }
}
