/**
 * Where a lab's Raft keeps what must survive it (Figure 2, "persistent state"), and beside it the
 * service's snapshot. All of it is synchronous: when `save` returns, both are stored, as one.
 *
 * @example
 * const bytesOf = (persister: Persister) => persister.raftStateSize() + persister.readSnapshot().length
 */
export interface Persister {
  /** What was saved last, as it was then; empty if nothing was. */
  readRaftState(): Uint8Array
  /** The snapshot that was saved last. */
  readSnapshot(): Uint8Array
  /** The length of what `readRaftState` gives, in bytes. */
  raftStateSize(): number
  /**
   * Takes both, each in the place of the former. `raftState` stands as it is until the next call, which may hand over
   * the same memory with other bytes in it: what is kept for longer, and what is read, is to be a copy. A snapshot is
   * never written to.
   */
  save(raftState: Uint8Array, snapshot: Uint8Array): void
}

/**
 * A `Persister` in memory.
 *
 * @example
 * const former: MemoryPersister = memoryPersister(Uint8Array.of(1))
 * const later = former.copy()
 * former.save(Uint8Array.of(1, 2), new Uint8Array(0))
 * console.log(later.raftStateSize()) // 1
 */
export interface MemoryPersister extends Persister {
  /**
   * Another one that holds the same: what a server finds after a crash, while its former life may still save to this
   * one.
   */
  copy(): MemoryPersister
}

const nothing = new Uint8Array(0)

/**
 * A persister in memory, empty at first.
 *
 * @example
 * const persister = memoryPersister()
 * persister.save(Uint8Array.of(1, 2), new Uint8Array(0))
 * console.log(persister.raftStateSize()) // 2
 */
export const memoryPersister = (raftState: Uint8Array = nothing, snapshot: Uint8Array = nothing): MemoryPersister => {
  let saved = { raftState, snapshot }
  return {
    readRaftState: () => saved.raftState.slice(),
    readSnapshot: () => saved.snapshot,
    raftStateSize: () => saved.raftState.length,
    save: (raftState, snapshot) => {
      saved = { raftState, snapshot }
    },
    copy: () => memoryPersister(saved.raftState.slice(), saved.snapshot),
  }
}
