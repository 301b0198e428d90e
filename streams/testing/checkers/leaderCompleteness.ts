import type { Server } from '../../../src/raft/state/server.js'
import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'
import type { ClusterRecord } from './record.js'
import { logIndex } from '../../../src/raft/ids.js'

/** The last entry that was committed in an older term than `server` leads in. Later commits are of later terms. */
const lastOfOlderTerms = ({ committed }: ClusterRecord, { currentTerm }: Server): number => {
  let index = committed.last
  // Of what lies between two logs that began late nothing is known: it stops there, and says nothing.
  while (index >= committed.lowest && index > 0 && (committed.at(index)?.inTerm ?? 0) >= currentTerm) index--
  return index
}

const lacks = (record: ClusterRecord, leader: Server): string | null => {
  const i = lastOfOlderTerms(record, leader)
  const { log, id, currentTerm } = leader
  const known = record.committed.at(i)
  // By Log Matching the last of them stands for all before it.
  if (known === undefined || i <= log.base.index || log.termAt(logIndex(i)) === known.term) return null
  return `${id} leads in term ${currentTerm} without entry ${i}/${known.term}, which was committed in term ${known.inTerm}`
}

/**
 * I4, Leader Completeness: "if a log entry is committed in a given term, then that entry will be present in the logs of
 * the leaders for all higher-numbered terms" (§5.4). Looked at when a leader is elected and, for those who lead
 * already, when an entry is committed.
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(leaderCompleteness)).subscribe(({ message }) => alarm(message))
 * // n2 leads in term 3 without entry 4/1, which was committed in term 2
 */
export const leaderCompleteness: CheckOf = (record) => ({
  name: 'Leader Completeness: if a log entry is committed in a given term, then that entry will be present in the logs of the leaders for all higher-numbered terms (§5.4)',
  moved: Moved.role | Moved.commitIndex,
  see: ({ before, after }) => {
    if (after.role._tag !== 'Leader') return null
    if (before.role._tag !== 'Leader') return lacks(record, after)
    for (const { now } of record.servers.values()) {
      if (now.role._tag !== 'Leader' || now.currentTerm <= after.currentTerm) continue
      const lacking = lacks(record, now)
      if (lacking !== null) return lacking
    }
    return null
  },
})
