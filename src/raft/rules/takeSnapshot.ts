import type { Decisions } from '../decision.js'
import type { LogIndex, SnapshotRef } from '../ids.js'
import type { ServerDraft } from '../state/server.js'
import type { StoredSnapshot } from '../state/snapshots.js'
import { applied } from './allServers.js'
import { snapshotInstalled } from './installSnapshot.js'

/**
 * §7, log compaction: "each server takes snapshots independently, covering just the committed entries in its log." A
 * snapshot goes to the disk first. Once all of it is there, the log forgets the entries that it replaces.
 */

/** `data` is the state machine's state after `index`. Only a newer one is stored, and one at a time. */
export const snapshotTaken = (server: ServerDraft, index: LogIndex, data: Uint8Array): Decisions => {
  const { log, snapshots, applyingIndex } = server
  const term = log.termAt(index)
  const isNewer = index > log.base.index && index <= applyingIndex
  if (!isNewer || snapshots.taking !== null || snapshots.restoring !== null || term === null) return []
  const ref = snapshots.nextRef
  const base = { index, term, configuration: log.configurationAt(index) }
  server.snapshots = snapshots.with({ taking: { ref, base }, lastRef: ref })
  return [{ _tag: 'StoreSnapshot', from: null, ref, base, offset: 0, data, last: true }]
}

/** All of a snapshot is on the disk: the own one, or a leader's. */
export const snapshotStored = (server: ServerDraft, ref: SnapshotRef, size: number): Decisions => {
  const { taking, receiving } = server.snapshots
  if (taking?.ref === ref) return compact(server, { ref, size }, taking.base.index)
  return receiving?.ref === ref ? snapshotInstalled(server, receiving, size) : []
}

const compact = (server: ServerDraft, stored: StoredSnapshot, index: LogIndex): Decisions => {
  server.snapshots = server.snapshots.with({ taking: null, current: stored })
  server.log = server.log.compactTo(index)
  // A state machine that gives its state after `index` has answered for all entries up to there.
  return applied(server, index)
}
