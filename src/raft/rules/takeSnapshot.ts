import type { Effect } from '../effect.js'
import type { LogIndex, SnapshotRef } from '../ids.js'
import type { ServerDraft } from '../state/server.js'
import type { StoredSnapshot } from '../state/snapshots.js'
import { applied } from './allServers.js'
import { snapshotInstalled } from './installSnapshot.js'

/**
 * §7, log compaction: "each server takes snapshots independently, covering just the committed entries in its log." A snapshot goes to
 * the disk first; once all of it is there, the log forgets what it replaces.
 */

/** The state machine's state after `index`. Only ever newer ones, one at a time. */
export const snapshotTaken = (server: ServerDraft, index: LogIndex, data: Uint8Array): ReadonlyArray<Effect> => {
  const { log, snapshots, applyingIndex } = server
  const term = log.termAt(index)
  const isNewer = index > log.base.index && index <= applyingIndex
  if (!isNewer || snapshots.taking !== null || snapshots.restoring !== null || term === null) return []
  const ref = snapshots.nextRef
  const base = { index, term, configuration: log.configurationAt(index) }
  server.snapshots = snapshots.with({ taking: { ref, base }, lastRef: ref })
  return [{ _tag: 'StoreSnapshot', from: null, ref, base, offset: 0, data, last: true }]
}

/** All of a snapshot is on the disk: of the own one, or of a leader's. */
export const snapshotStored = (server: ServerDraft, ref: SnapshotRef, size: number): ReadonlyArray<Effect> => {
  const { taking, receiving } = server.snapshots
  if (taking?.ref === ref) return compact(server, { ref, size }, taking.base.index)
  return receiving?.ref === ref ? snapshotInstalled(server, receiving, size) : []
}

const compact = (server: ServerDraft, stored: StoredSnapshot, index: LogIndex): ReadonlyArray<Effect> => {
  server.snapshots = server.snapshots.with({ taking: null, current: stored })
  server.log = server.log.compactTo(index)
  // Whoever gives its state after `index` has answered for all up to there.
  return applied(server, index)
}
