import { defaultTuning } from '../../server/options.js'
import type { NodeId } from '../../../src/raft/ids.js'
import type { Server } from '../../../src/raft/state/server.js'
import type { ClusterRecord } from './record.js'
import type { SeenCheckOf } from './seen.js'

/**
 * How soon after healing what must be.
 *
 * @example
 * const recovery: Recovery = { leaderMs: 5_000, appliedMs: 20_000, servedMs: null }
 * outside$.pipe(observed({ recovery })).subscribe(({ message }) => alarm(message))
 */
export interface Recovery {
  /** A leader that a majority follows. Default: ten of the longest election timeouts. */
  readonly leaderMs?: number
  /** Every server that runs has applied what was committed when all was healed. Default: forty of them. */
  readonly appliedMs?: number
  /** A client was answered that called after healing. Default: fifty of them; null where nobody asks for anything. */
  readonly servedMs?: number | null
}

interface Awaited {
  readonly what: string
  readonly until: number
}

const timeoutMs = defaultTuning.electionTimeoutMs.max

/**
 * I17: after `Healed` there is a leader, all servers reach its state, and the cluster serves. Each breach is told once,
 * by the first thing seen after its time. The check needs the steps of every server; each server makes some at every
 * heartbeat.
 *
 * @example
 * merge(outside$, ...servers.map((server) => seenOf<number, number>(server)))
 *   .pipe(observing([recovers({ leaderMs: 5_000 })]))
 *   .subscribe(({ message }) => alarm(message)) // 'there is no leader that a majority follows within 5000 ms'
 */
export const recovers = ({
  leaderMs = 10 * timeoutMs,
  appliedMs = 40 * timeoutMs,
  servedMs = 50 * timeoutMs,
}: Recovery = {}): SeenCheckOf => {
  return (record) => {
    const down = new Set<NodeId>()
    let healed = { at: 0, committed: 0 }
    let leader: Awaited | null = null
    let applied: Awaited | null = null
    let served: Awaited | null = null
    const running = (): ReadonlyArray<Server> => [...record.servers.values()].flatMap(({ now }) => (down.has(now.id) ? [] : [now]))

    return {
      name: 'after healing there is a leader, everyone comes to where it is, and it serves (liveness)',
      see: (seen, at) => {
        switch (seen._tag) {
          case 'Healed':
            healed = { at: seen.at, committed: record.committed.last }
            leader = { what: 'there is no leader that a majority follows', until: at + leaderMs }
            applied = { what: `not all servers have applied what was committed, up to ${healed.committed},`, until: at + appliedMs }
            served = servedMs === null ? null : { what: 'no operation is answered', until: at + servedMs }
            return null
          case 'Stopped':
            down.add(seen.id)
            return null
          case 'Acknowledged':
            if (seen.call >= healed.at) served = null
            break
          case 'Stepped':
            if (seen.step.event._tag === 'Started') down.delete(seen.step.after.id)
            if (leader !== null && hasLeader(running(), record)) leader = null
            if (applied !== null && running().every(({ lastApplied }) => lastApplied >= healed.committed)) applied = null
            break
          default:
        }
        const late = [leader, applied, served].find((awaited) => awaited !== null && awaited.until < at) ?? null
        if (late === null) return null
        if (late === leader) leader = null
        else if (late === applied) applied = null
        else served = null
        return `${late.what} within ${late.until - healed.at} ms`
      },
    }
  }
}

/** Whether most of all that were ever seen follow the one that leads in the newest term. */
const hasLeader = (running: ReadonlyArray<Server>, { servers }: ClusterRecord): boolean => {
  const leaders = running.filter(({ role }) => role._tag === 'Leader')
  const newest = leaders.reduce<Server | null>((a, b) => (a === null || b.currentTerm > a.currentTerm ? b : a), null)
  if (newest === null) return false
  const following = running.filter(({ id, role }) => id === newest.id || (role._tag === 'Follower' && role.leader === newest.id))
  return following.length * 2 > servers.size
}
