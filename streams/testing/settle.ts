import { voterSets } from '../../src/raft/state/configuration.js'
import { byCodeUnit, type NodeId } from '../../src/raft/ids.js'
import { isQuorum } from '../../src/raft/quorum.js'
import type { Server } from '../../src/raft/state/server.js'
import { type ClusterByHand, lastIndexOf } from './cluster.js'

const maxRounds = 64
const maxMovesPerRound = 100_000

/**
 * Does everything that needs no timer, until nothing is left to do. Slow disks stay behind.
 *
 * @example
 * const cluster = new ClusterByHand({ size: 3 })
 * cluster.happens(nodeId('n1'), { _tag: 'ElectionTimedOut', generation: 1 })
 * comeToRest(cluster)
 * cluster.server(nodeId('n1')).role._tag // 'Leader'
 */
export const comeToRest = (cluster: ClusterByHand): void => {
  for (let moves = 0; moves < maxMovesPerRound; moves++) {
    if (!cluster.ids.map((id) => moveOf(cluster, id)).some((moved) => moved)) return
  }
  throw new Error(`the cluster does not come to rest within ${maxMovesPerRound} moves`)
}

/** One server's disk, state machine and turn, and one message to it from each of the others. */
const moveOf = (cluster: ClusterByHand, id: NodeId): boolean => {
  const handServer = cluster.at(id)
  let moved = false
  if (handServer.unsynced.length > 0 && !handServer.slowDisk) {
    cluster.persist(id)
    moved = true
  }
  const { applying } = handServer
  if (applying.length > 0) {
    handServer.applying = []
    for (const effect of applying) cluster.happens(id, { _tag: 'Applied', index: lastIndexOf(effect) })
    moved = true
  }
  if (handServer.snapshotWork.length > 0) {
    cluster.store(id)
    moved = true
  }
  if (handServer.server !== null && isFull(handServer.server)) {
    cluster.takeSnapshot(id, handServer.server.applyingIndex)
    moved = true
  }
  if (handServer.flushDue) {
    handServer.flushDue = false
    cluster.happens(id, { _tag: 'Flush' })
    moved = true
  }
  for (const from of cluster.ids) {
    if (cluster.between(from, id).length === 0) continue
    const message = cluster.take(from, id)
    if (handServer.server !== null) cluster.happens(id, { _tag: 'Received', message })
    moved = true
  }
  return moved
}

/**
 * Lets a cluster go on without a new fault: everything under way arrives, and a heartbeat is due when nothing else is.
 * Where that leads nowhere, one server after the other times out. Returns the leader that all servers within its reach
 * follow, with the same log, which is committed and, as far as the disks go, applied. Throws if the cluster does not
 * reach this state, which is a failure of liveness. (A leader without a no-op and without a command in its term can
 * commit nothing, §5.4.2: then the logs alone agree.)
 *
 * @example
 * const cluster = new ClusterByHand({ size: 3 })
 * settle(cluster) // 'n1': it leads, and the others follow
 */
export const settle = (cluster: ClusterByHand): NodeId => {
  for (let round = 1; round <= maxRounds; round++) {
    comeToRest(cluster)
    const leader = newestLeader(cluster)
    if (leader !== undefined && isFollowed(cluster, leader)) return leader.id
    // A leader gets a few heartbeats before someone doubts it.
    if (leader !== undefined && round % 4 !== 0) {
      cluster.happens(leader.id, { _tag: 'HeartbeatDue', generation: cluster.at(leader.id).heartbeatTimer })
    } else {
      const inTurn = byUpToDate(runningIn(cluster).filter(({ role }) => role._tag !== 'Leader'))
      const next = inTurn[Math.floor(round / 4) % inTurn.length]
      if (next === undefined) break
      cluster.happens(next.id, { _tag: 'ElectionTimedOut', generation: cluster.at(next.id).electionTimer })
    }
  }
  throw new Error(`the cluster does not settle within ${maxRounds} rounds`)
}

/** A follower takes no more entries into a full log: its state machine makes room (§7), as far as it can. */
const isFull = ({ log, settings, applyingIndex, snapshots }: Server): boolean =>
  log.bytes > settings.maxLogBytes && applyingIndex > log.base.index && snapshots.taking === null

const runningIn = (cluster: ClusterByHand): ReadonlyArray<Server> => cluster.ids.flatMap((id) => cluster.at(id).server ?? [])

const newestLeader = (cluster: ClusterByHand): Server | undefined =>
  runningIn(cluster)
    .filter(({ role }) => role._tag === 'Leader')
    .sort((a, b) => b.currentTerm - a.currentTerm)[0]

const byUpToDate = (servers: ReadonlyArray<Server>): ReadonlyArray<Server> =>
  [...servers].sort((a, b) => b.log.lastTerm - a.log.lastTerm || b.log.lastIndex - a.log.lastIndex || byCodeUnit(a.id, b.id))

const isFollowed = (cluster: ClusterByHand, leader: Server): boolean => {
  const reached = runningIn(cluster).filter(({ id }) => !cluster.isCut(leader.id, id))
  const { currentTerm, log } = leader
  return (
    isQuorum(voterSets(log.configuration), (voter) => reached.some(({ id }) => id === voter)) &&
    reached.every(
      (it) =>
        it.currentTerm === currentTerm &&
        it.log.lastIndex === log.lastIndex &&
        it.log.lastTerm === log.lastTerm &&
        (log.lastTerm < currentTerm || it.commitIndex === log.lastIndex) &&
        it.lastApplied === Math.min(it.commitIndex, it.writeProgress.index),
    )
  )
}
