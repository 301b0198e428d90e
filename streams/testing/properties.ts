import type { Apply, Restore } from '../../src/raft/effect.js'
import type { Entry } from '../../src/raft/state/entry.js'
import { InvariantViolation } from '../../src/raft/error.js'
import { after, type LogIndex, logIndex, minIndex, type NodeId, type Term } from '../../src/raft/ids.js'
import { voterSets } from '../../src/raft/state/configuration.js'
import type { Log } from '../../src/raft/state/log.js'
import { printServer } from '../../src/raft/print.js'
import { isQuorum } from '../../src/raft/quorum.js'
import type { Recovered, Server } from '../../src/raft/state/server.js'

/*
 * Figure 3: "Raft guarantees that each of these properties is true at all times", for a cluster that
 * is wholly in view. What one server can see by itself is in src/raft/invariants.ts.
 */

/** One server, seen from outside. */
export interface Watched {
  readonly id: NodeId
  /** Null while it is down. */
  readonly server: Server | null
  /** What it would find on its disk if it crashed now and lost everything that is not acknowledged. */
  readonly disk: Recovered
}

interface Committed {
  readonly entry: Entry
  /** The term in which it was seen to be committed first. */
  readonly inTerm: Term
}

/** What has been seen of a cluster so far. */
export interface ClusterHistory {
  readonly leaders: ReadonlyMap<Term, NodeId>
  readonly committed: ReadonlyMap<LogIndex, Committed>
}

/**
 * A property of a cluster and of what was seen of it before; `holds` sees the present before it becomes history.
 *
 * @example
 * const calm: ClusterProperty = {
 *   name: 'elections are rare',
 *   holds: (cluster: ReadonlyArray<Watched>, seen: ClusterHistory) => seen.leaders.size < 10,
 * }
 */
export interface ClusterProperty {
  readonly name: string
  /** Whether a history keeps it. */
  readonly holds: (cluster: ReadonlyArray<Watched>, seen: ClusterHistory) => boolean
}

const running = (cluster: ReadonlyArray<Watched>): ReadonlyArray<Server> => cluster.flatMap(({ server }) => server ?? [])
const leaders = (cluster: ReadonlyArray<Watched>): ReadonlyArray<Server> => running(cluster).filter(({ role }) => role._tag === 'Leader')
const logs = (cluster: ReadonlyArray<Watched>): ReadonlyArray<Log> => cluster.map(({ server, disk }) => (server ?? disk).log)

const isSame = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.term === b.term &&
    a.kind === b.kind &&
    a.size === b.size &&
    a.command.every((byte, i) => byte === b.command[i]))

/** From the last place where the terms agree down to the first: all must be the same. */
const match = (a: Log, b: Log): boolean => {
  let agreed = false
  for (let index = minIndex(a.lastIndex, b.lastIndex); index > a.base.index && index > b.base.index; index = after(index, -1)) {
    agreed ||= a.termAt(index) === b.termAt(index)
    if (agreed && !isSame(a.at(index), b.at(index))) return false
  }
  return true
}

const holdsOf = (disk: Recovered, index: LogIndex, entry: Entry): boolean =>
  index <= disk.log.base.index || isSame(disk.log.at(index), entry)

/**
 * What must hold of a cluster after every move, each looked at in full: the slow twins of `allChecks`.
 *
 * @example
 * const cluster = new ClusterByHand({ size: 3 })
 * const seen = { leaders: new Map(), committed: new Map() }
 * clusterProperties.every(({ holds }) => holds(cluster.ids.map((id) => cluster.at(id)), seen)) // true
 */
export const clusterProperties: ReadonlyArray<ClusterProperty> = [
  {
    name: 'Election Safety: at most one leader can be elected in a given term (§5.2)',
    holds: (cluster, seen) => {
      const elected = new Map(seen.leaders)
      return leaders(cluster).every(({ id, currentTerm }) => {
        const other = elected.get(currentTerm)
        elected.set(currentTerm, id)
        return other === undefined || other === id
      })
    },
  },
  {
    name: 'Log Matching: if two logs contain an entry with the same index and term, then the logs are identical in all entries up through the given index (§5.3)',
    holds: (cluster) => {
      const all = logs(cluster)
      return all.every((a, i) => all.slice(i + 1).every((b) => match(a, b)))
    },
  },
  {
    name: 'Leader Completeness: if a log entry is committed in a given term, then that entry will be present in the logs of the leaders for all higher-numbered terms (§5.4)',
    holds: (cluster, { committed }) =>
      leaders(cluster).every(({ log, currentTerm }) =>
        [...committed].every(
          ([index, { entry, inTerm }]) => inTerm >= currentTerm || index <= log.base.index || isSame(log.at(index), entry),
        ),
      ),
  },
  {
    name: 'what one server knows to be committed, no other server knows otherwise (§5.4)',
    holds: (cluster, { committed }) =>
      running(cluster).every(({ log, commitIndex }) =>
        [...committed].every(([index, { entry }]) => index > commitIndex || index <= log.base.index || isSame(log.at(index), entry)),
      ),
  },
  {
    name: 'what is committed is on the disks of a majority, from then on (§5.3)',
    holds: (cluster) =>
      running(cluster).every(({ log, commitIndex }) => {
        const entry = log.at(commitIndex)
        if (entry === undefined) return true
        const disks = new Map(cluster.map(({ id, disk }) => [id, disk]))
        return isQuorum(voterSets(log.configurationAt(commitIndex)), (id) => {
          const disk = disks.get(id)
          return disk !== undefined && holdsOf(disk, commitIndex, entry)
        })
      }),
  },
]

/** What the properties are checked with, as the cluster moves. */
export interface Watch {
  /** After each move: throws `InvariantViolation` where a property does not hold. `move` says what was done. */
  readonly check: (cluster: ReadonlyArray<Watched>, move: string) => void
  /**
   * Called when commands are handed to the state machine of a server with this log. Throws if another command was
   * handed over at this index before, or if it is not the next one.
   */
  readonly applying: (server: Pick<Server, 'id' | 'log'>, apply: Apply) => void
  /** All commands up to `index`, as bytes: what a snapshot of that index holds. */
  readonly stateAfter: (index: LogIndex) => Uint8Array
  /**
   * Called when a state machine is handed a snapshot. Throws if it would step back, or if the snapshot does not hold
   * what was applied up to its index.
   */
  readonly restoring: (id: NodeId, restore: Restore, stored: Uint8Array | undefined) => void
  /** When a state machine begins anew, with what its server's log begins after. */
  readonly restarted: (id: NodeId, base: LogIndex) => void
}

/**
 * Looks at a cluster after every move.
 *
 * @example
 * const cluster = new ClusterByHand({ size: 3 })
 * const { check }: Watch = watch()
 * check(cluster.ids.map((id) => cluster.at(id)), 'all start') // throws nothing: every property holds
 */
export const watch = (): Watch => {
  const elected = new Map<Term, NodeId>()
  const committed = new Map<LogIndex, Committed>()
  const applied = new Map<LogIndex, Entry>()
  const appliedBy = new Map<NodeId, LogIndex>()

  const stateAfter = (index: LogIndex): Uint8Array => {
    const bytes: number[] = []
    for (let i = 1; i <= index; i++) bytes.push(...(applied.get(logIndex(i))?.command ?? []))
    return Uint8Array.from(bytes)
  }

  const remember = ({ id, role, currentTerm, commitIndex, log }: Server): void => {
    if (role._tag === 'Leader') elected.set(currentTerm, id)
    for (let index = commitIndex; index > log.base.index && !committed.has(index); index = after(index, -1)) {
      committed.set(index, { entry: log.at(index)!, inTerm: currentTerm })
    }
  }

  return {
    check: (cluster, move) => {
      for (const { name, holds } of clusterProperties) {
        if (!holds(cluster, { leaders: elected, committed })) {
          throw new InvariantViolation(name, [move, ...running(cluster).map(printServer)].join('\n'))
        }
      }
      running(cluster).forEach(remember)
    },
    applying: ({ id, log }, { firstIndex, entries }) => {
      const next = after(appliedBy.get(id) ?? log.base.index)
      let skips = false
      // What a snapshot has replaced meanwhile is remembered here.
      for (let i = next; i < firstIndex; i = after(i)) skips ||= (log.at(i) ?? committed.get(i)?.entry)?.kind === 'command'
      if (firstIndex < next || skips) {
        throw new InvariantViolation(onceInOrder, `${id} applies ${firstIndex} where ${next} comes next`, firstIndex)
      }
      entries.forEach((entry, i) => {
        const index = after(firstIndex, i)
        const other = applied.get(index) ?? entry
        if (!isSame(other, entry)) throw new InvariantViolation(stateMachineSafety, `${id} applies another command at ${index}`, index)
        applied.set(index, other)
        appliedBy.set(id, index)
      })
    },
    stateAfter,
    restoring: (id, { base, snapshot }, stored) => {
      const has = appliedBy.get(id) ?? 0
      if (base.index <= has) throw new InvariantViolation(onlyForward, `${id} goes from ${has} back to ${base.index}`, base.index)
      const expected = stateAfter(base.index)
      if (stored?.length !== snapshot.size || stored.length !== expected.length || stored.some((byte, i) => byte !== expected[i]))
        throw new InvariantViolation(stateMachineSafety, `${id} is handed a snapshot of ${base.index} with another state`, base.index)
      appliedBy.set(id, base.index)
    },
    restarted: (id, base) => {
      appliedBy.set(id, base)
    },
  }
}

const stateMachineSafety =
  'State Machine Safety: if a server has applied a log entry at a given index to its state machine, no other server will ever apply a different log entry for the same index (§5.4.3)'
const onlyForward = 'a snapshot only ever advances a state machine (§7)'
const onceInOrder = 'commands are applied in the order of the log, each once per run (§5.3)'
