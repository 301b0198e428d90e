import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'
import { logIndex } from '../../../src/raft/ids.js'

/**
 * I8: what one server knows to be committed, no server knows otherwise, at any time (§5.4).
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(committedStays)).subscribe(({ message }) => alarm(message))
 * // n2 has an entry of term 3 committed at 5, where one of term 2 is committed
 */
export const committedStays: CheckOf = (record) => ({
  name: 'what is committed never changes (§5.4)',
  moved: Moved.commitIndex | Moved.started | Moved.log | Moved.roleOrSnapshots,
  see: ({ before, after: { id, role, log, commitIndex } }) => {
    // A server does not let a leader replace what is committed; in a cluster without strangers none ever tries.
    if (role._tag === 'Follower' && role.disbelieved !== undefined && before.role !== role)
      return `${role.disbelieved} leads, and would replace what ${id} knows to be committed, up to ${commitIndex}`
    const { conflict } = record
    if (conflict !== null)
      return `${id} has ${conflict.is === null ? 'no entry' : `an entry of term ${conflict.is}`} committed at ${conflict.index}, where one of term ${conflict.was} is committed`
    // Its own log, where it changed below what it knows to be committed.
    const own = before.log === log ? undefined : record.committed.at(commitIndex)
    if (own === undefined || commitIndex <= log.base.index || log.termAt(logIndex(commitIndex)) === own.term) return null
    return `${id} has an entry of term ${log.termAt(commitIndex) ?? '-'} at ${commitIndex}, where one of term ${own.term} is committed`
  },
})
