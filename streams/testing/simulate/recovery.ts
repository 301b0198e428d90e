import { isSame } from '../checkers/logMatching.js'
import { defaultTuning } from '../../server/options.js'
import { logIndex } from '../../../src/raft/ids.js'
import type { SimulatedCluster } from './simulatedCluster.js'

/** I17, in election timeouts, the longest of them: a leader, everyone where it is, an operation answered. */
const deadlines = { leader: 10, converged: 30, served: 10 }
const lookEveryMs = 50

const name = 'after healing there is a leader, everyone comes to where it is, and it serves (liveness)'

/** Everything works again: the cluster must recover in time. Notes a violation where it does not. */
export const recover = (world: SimulatedCluster): void => {
  settleDown(world)
  const before = world.operations
  world.clientsCall = true
  if (world.serves) within(world, deadlines.served * longestMs(world), 'no operation is answered', ({ operations }) => operations > before)
}

/** Clients finish what they have begun and begin nothing new; then everyone must come to the same state. */
export const settleDown = (world: SimulatedCluster): void => {
  world.clientsCall = false
  within(world, deadlines.leader * longestMs(world), 'no leader that a majority follows', hasLeader)
  within(world, deadlines.converged * longestMs(world), 'the servers are not in the same state', hasConverged)
  // A server that lost its disk is not waited for, and may still owe an answer: whether it gives it is asked at the end (offers.ts).
  const until = world.now + deadlines.served * longestMs(world)
  while (world.violation === null && world.offers.open > 0 && world.now < until) world.runUntil(world.now + lookEveryMs)
}

const longestMs = ({ tuning }: SimulatedCluster): number => (tuning.electionTimeoutMs ?? defaultTuning.electionTimeoutMs).max

const within = (world: SimulatedCluster, forMs: number, otherwise: string, holds: (world: SimulatedCluster) => boolean): void => {
  const until = world.now + forMs
  while (world.violation === null && !holds(world)) {
    if (world.now >= until) return world.fail(name, `${otherwise} within ${forMs} ms`)
    world.runUntil(world.now + lookEveryMs)
  }
}

const hasLeader = (world: SimulatedCluster): boolean => {
  const running = world.running().filter(world.isMember)
  const leader = world.leader()?.id
  const following = running.filter(({ id, role }) => id === leader || (role._tag === 'Follower' && role.leader === leader))
  return leader !== undefined && following.length * 2 > world.homes.length
}

const hasConverged = (world: SimulatedCluster): boolean => {
  const running = world.running().filter(world.isMember)
  const id = world.leader()?.id
  const leader = running.find((server) => server.id === id)
  if (leader === undefined || running.length < world.homes.filter(world.isMember).length || !world.clientsAreIdle) return false
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

/** Durability, looked at from the beginning: every log holds every entry that was ever committed, and nothing else up to there. */
export const fullScan = (world: SimulatedCluster): void => {
  const { committed, servers } = world.checks.record
  for (const { now } of servers.values()) {
    const { id, log, commitIndex } = now
    if (!world.isMember(now)) continue
    for (let index = Math.max(committed.lowest, log.base.index + 1); index <= committed.last; index++) {
      const right = committed.at(index)?.entry
      const entry = log.at(logIndex(index))
      if (right === undefined || (entry !== undefined && isSame(right, entry))) continue
      return world.fail(
        'everything that was committed is still there (durability)',
        `${id} has ${entry === undefined ? 'no entry' : `another entry`} at ${index}; its commitIndex is ${commitIndex}`,
      )
    }
  }
}
