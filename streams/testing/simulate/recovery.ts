import { logIndex } from '../../../src/raft/ids.js'
import { defaultTuning } from '../../server/options.js'
import { isSame } from '../checkers/logMatching.js'
import type { SimulatedCluster } from './simulatedCluster.js'

/** Times for a leader, for equal states and for an answer, in election timeouts, of which the longest counts (I17). */
const deadlines = { leader: 10, converged: 30, served: 10 }
const lookEveryMs = 50

const name = 'after healing there is a leader, all servers reach its state, and it serves (liveness)'

/** Nothing is wrong any more: the cluster must recover in time. Otherwise this notes a violation. */
export const recover = (cluster: SimulatedCluster): void => {
  const { clients, observer } = cluster
  settleDown(cluster)
  const before = observer.operations
  clients.areCalling = true
  if (clients.count > 0)
    within(cluster, deadlines.served * longestMs(cluster), 'no operation is answered', () => observer.operations > before)
}

/** Clients finish their operations and begin none; then all servers must reach the same state. */
export const settleDown = (cluster: SimulatedCluster): void => {
  const { clients, observer } = cluster
  clients.areCalling = false
  within(cluster, deadlines.leader * longestMs(cluster), 'no leader that a majority follows', hasLeader)
  within(cluster, deadlines.converged * longestMs(cluster), 'the servers are not in the same state', hasConverged)
  // A server that lost its disk is not waited for, and may still owe an answer. The last scan asks whether it came
  // (offers.ts).
  const until = cluster.now + deadlines.served * longestMs(cluster)
  while (observer.violation === null && clients.offers.open > 0 && cluster.now < until) cluster.runUntil(cluster.now + lookEveryMs)
}

const longestMs = ({ conditions: { tuning } }: SimulatedCluster): number =>
  (tuning.electionTimeoutMs ?? defaultTuning.electionTimeoutMs).max

const within = (cluster: SimulatedCluster, forMs: number, otherwise: string, holds: (cluster: SimulatedCluster) => boolean): void => {
  const { observer } = cluster
  const until = cluster.now + forMs
  while (observer.violation === null && !holds(cluster)) {
    if (cluster.now >= until) return observer.fail(name, `${otherwise} within ${forMs} ms`)
    cluster.runUntil(cluster.now + lookEveryMs)
  }
}

const hasLeader = (cluster: SimulatedCluster): boolean => {
  const running = cluster.running().filter(cluster.isMember)
  const leader = cluster.leader()?.id
  const following = running.filter(({ id, role }) => id === leader || (role._tag === 'Follower' && role.leader === leader))
  return leader !== undefined && following.length * 2 > cluster.servers.length
}

const hasConverged = (cluster: SimulatedCluster): boolean => {
  const running = cluster.running().filter(cluster.isMember)
  const id = cluster.leader()?.id
  const leader = running.find((server) => server.id === id)
  if (leader === undefined || running.length < cluster.servers.filter(cluster.isMember).length || !cluster.clients.areIdle) return false
  const { currentTerm, log } = leader
  return running.every(
    (server) =>
      server.currentTerm === currentTerm &&
      server.log.lastIndex === log.lastIndex &&
      server.commitIndex === log.lastIndex &&
      server.lastApplied === log.lastIndex &&
      server.writeProgress.index === log.lastIndex,
  )
}

/**
 * Durability, over the whole log: every log holds every entry that was ever committed, and no other entry up to there.
 */
export const fullScan = (cluster: SimulatedCluster): void => {
  const { checks } = cluster.observer
  const { committed, servers } = checks.record
  for (const { now } of servers.values()) {
    const { id, log, commitIndex } = now
    if (!cluster.isMember(now)) continue
    for (let index = Math.max(committed.lowest, log.base.index + 1); index <= committed.last; index++) {
      const right = committed.at(index)?.entry
      const entry = log.at(logIndex(index))
      if (right === undefined || (entry !== undefined && isSame(right, entry))) continue
      return cluster.observer.fail(
        'everything that was committed is still there (durability)',
        `${id} has ${entry === undefined ? 'no entry' : `another entry`} at ${index}; its commitIndex is ${commitIndex}`,
      )
    }
  }
}
