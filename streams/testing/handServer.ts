import type { Apply, DiscardSnapshots, ReadChunk, Restore, Send, StoreSnapshot } from '../../src/raft/effect.js'
import type { NodeId, SnapshotRef } from '../../src/raft/ids.js'
import type { Recovered, Server } from '../../src/raft/state/server.js'
import type { DiskRecord } from './disk.js'

/**
 * A server of a cluster by hand, with its disk, state machine and timers.
 *
 * @example
 * const cluster = new ClusterByHand({ size: 3 })
 * const n1: HandServer = cluster.at(nodeId('n1'))
 * n1.slowDisk = true // from now on it waits for `persist`
 */
export interface HandServer {
  readonly id: NodeId
  /** Null while it is down. */
  server: Server | null
  /** What is on its disk for certain. */
  disk: Recovered
  /** Written and not acknowledged. */
  unsynced: ReadonlyArray<DiskRecord>
  /** Effects that wait for a write. */
  waiting: ReadonlyArray<Send | DiscardSnapshots>
  /** Snapshots on its disk, also those that are there in part. */
  snapshots: ReadonlyMap<SnapshotRef, Uint8Array>
  /** What its disk still has to do about snapshots, in order; see `store`. */
  snapshotWork: ReadonlyArray<StoreSnapshot | ReadChunk>
  /** Commands and snapshots that the state machine was given and has not answered. */
  applying: ReadonlyArray<Apply | Restore>
  flushDue: boolean
  /** Its disk does nothing without `persist`, also where everything else happens by itself (settle.ts). */
  slowDisk: boolean
  electionTimer: number
  heartbeatTimer: number
}

/** A server that is down, with what its disk holds. */
export const down = (id: NodeId, disk: Recovered, snapshots: HandServer['snapshots'] = new Map()): HandServer => ({
  id,
  disk,
  server: null,
  unsynced: [],
  waiting: [],
  snapshots,
  snapshotWork: [],
  applying: [],
  flushDue: false,
  slowDisk: false,
  electionTimer: 0,
  heartbeatTimer: 0,
})

/** Removes snapshots that are no longer needed, and the work that was still to be done about them. */
export const discard = (server: HandServer, { refs }: DiscardSnapshots): void => {
  server.snapshots = new Map([...server.snapshots].filter(([ref]) => !refs.includes(ref)))
  server.snapshotWork = server.snapshotWork.filter(({ ref }) => !refs.includes(ref))
}
