import type { NodeId } from '../../../src/raft/ids.js'
import { logIndex } from '../../../src/raft/ids.js'
import { commonPrefix } from '../../../src/raft/state/log.js'
import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'

/**
 * I13: at most one configuration in a log is not committed (§6). What counts is what is committed in the cluster, not
 * what the server knows of it.
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(oneConfiguration)).subscribe(({ message }) => alarm(message))
 * // the log of n1 holds configurations at 4 and 6; committed is 3
 */
export const oneConfiguration: CheckOf = (record) => {
  /** Where each log holds configurations that were not committed when they were last looked at. */
  const uncommitted = new Map<NodeId, ReadonlyArray<number>>()
  return {
    name: 'at most one configuration is uncommitted (§6)',
    moved: Moved.log | Moved.started,
    see: ({ event, before, after: { id, log } }) => {
      const kept = event._tag === 'Started' ? log.base.index : commonPrefix(before.log, log)
      if (log.configurationIndex <= kept && (uncommitted.get(id)?.length ?? 0) === 0) return null
      const indexes = (event._tag === 'Started' ? [] : (uncommitted.get(id) ?? [])).filter((index) => index <= kept)
      for (let index = kept + 1; index <= log.lastIndex; index++) {
        if (log.at(logIndex(index))?.kind === 'configuration') indexes.push(index)
      }
      const still = indexes.filter((index) => index > record.committed.last)
      uncommitted.set(id, still)
      return still.length > 1
        ? `the log of ${id} holds configurations at ${still.join(' and ')}; committed is ${record.committed.last}`
        : null
    },
  }
}
