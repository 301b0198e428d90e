import type { SnapshotRef } from '../../../src/raft/ids.js'
import type { Server } from '../../../src/raft/state/server.js'
import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'

/**
 * Heartbeats are sent beside the requests under way, and a late answer lets the leader send a few more. A queue that
 * grows without end soon passes this bound.
 */
const heartbeatsBeside = 64

const sendingsOf = ({ role }: Server) => (role._tag === 'Leader' ? role.sendings : null)

const refsOf = (server: Server): ReadonlyArray<SnapshotRef> => [
  ...server.snapshots.refs,
  ...(sendingsOf(server) ?? []).map(({ snapshot }) => snapshot.ref),
]

/**
 * I18, its other half: every queue is bounded, and a snapshot that is named no more is given up.
 *
 * @example
 * server.inspect$.pipe(checking(bounded)).subscribe(({ message }) => alarm(message))
 * // n1 has 129 requests under way to n2; the bound is 64
 */
export const bounded: CheckOf = () => ({
  name: 'every queue is bounded',
  moved: Moved.log | Moved.commitIndex | Moved.applied | Moved.roleOrSnapshots,
  see: ({ event, before, after, effects }) => {
    const { id, settings, role, log, commitIndex, applyingIndex, lastApplied, snapshots } = after
    if (role._tag === 'Leader' && role !== before.role)
      for (const { id: follower, inflight } of role.followers)
        if (inflight.length > settings.maxInflightMessages + heartbeatsBeside)
          return `${id} has ${inflight.length} requests under way to ${follower}; the bound is ${settings.maxInflightMessages}`
    if (event._tag === 'Proposed' && log !== before.log) {
      if (log.lastIndex - commitIndex > settings.maxUncommittedEntries)
        return `${id} takes a proposal, and has ${log.lastIndex - commitIndex} entries that are not committed; the bound is ${settings.maxUncommittedEntries}`
      if (before.writeProgress.pending.length >= settings.maxPendingWrites)
        return `${id} takes a proposal with ${before.writeProgress.pending.length} writes under way; the bound is ${settings.maxPendingWrites}`
    }
    if (applyingIndex > before.applyingIndex && snapshots.restoring === null && applyingIndex - lastApplied > settings.maxApplying)
      return `${id} has handed over ${applyingIndex - lastApplied} entries that are not answered for; the bound is ${settings.maxApplying}`
    if (before.snapshots === snapshots && sendingsOf(before) === sendingsOf(after)) return null
    const named = refsOf(after)
    const discarded = effects.flatMap((effect) => (effect._tag === 'DiscardSnapshots' ? effect.refs : []))
    const kept = refsOf(before).find((ref) => !named.includes(ref) && !discarded.includes(ref))
    return kept === undefined ? null : `${id} names snapshot ${kept} no more, and keeps it`
  },
})
