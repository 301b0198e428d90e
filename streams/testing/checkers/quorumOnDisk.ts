import { type Configuration, incarnationOf, voterSets } from '../../../src/raft/state/configuration.js'
import type { LogIndex, NodeId, Term } from '../../../src/raft/ids.js'
import { isQuorum } from '../../../src/raft/quorum.js'
import type { Server } from '../../../src/raft/state/server.js'
import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'

const holdsOnDisk = ({ log, writeProgress }: Server, index: LogIndex, term: Term): boolean =>
  index <= log.base.index || (writeProgress.index >= index && log.termAt(index) === term)

/**
 * I7 and I12: when a leader advances its commitIndex, a quorum of its configuration (of each half, when joint) has the
 * entry, and has it on disk: in the state in which it is, or in which it crashed.
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(quorumOnDisk)).subscribe(({ message }) => alarm(message))
 * // n1 commits 5/2 in term 2; on disk it is at n1
 */
export const quorumOnDisk: CheckOf = (record) => {
  let configuration: Configuration | null = null
  let voters: ReadonlyArray<ReadonlyArray<NodeId>> = []
  return {
    name: 'what a leader commits is on the disks of a quorum at that moment (§5.3)',
    moved: Moved.commitIndex,
    see: ({ before, after: { id, role, log, commitIndex, currentTerm } }) => {
      if (role._tag !== 'Leader' || before.role._tag !== 'Leader') return null
      if (log.configuration !== configuration) {
        configuration = log.configuration
        voters = voterSets(configuration)
      }
      const term = log.termAt(commitIndex)!
      const has = (voter: NodeId): boolean => {
        // A disk that was lost since had it when it said so.
        const server = record.named(voter, incarnationOf(log.configuration, voter))
        // One that was never seen cannot be judged: a watch may see a part of the cluster.
        return server === undefined || holdsOnDisk(server.now, commitIndex, term)
      }
      if (isQuorum(voters, has)) return null
      const holders = [...new Set(voters.flat())].filter(has)
      return `${id} commits ${commitIndex}/${term} in term ${currentTerm}; on disk it is at ${holders.join(' ') || 'no server'}`
    },
  }
}
