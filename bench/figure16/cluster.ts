import { filter } from 'rxjs'
import { createRaft, type Message, memoryNetwork, memoryStorage, type Raft, type Server, VirtualScheduler } from '../../streams/index.js'
import { leaderOf } from '../../streams/core.js'

/** How long a message is on its way, both ends included. */
export interface DelayMs {
  readonly min: number
  readonly max: number
}

/** There and back it is 15 ms on average: the paper's "broadcast time of roughly 15 ms". */
export const lan: DelayMs = { min: 5, max: 10 }

export interface ClusterOptions {
  /** Every server's. */
  readonly electionTimeoutMs: { readonly min: number; readonly max: number }
  readonly delayMs: DelayMs
  /** All dice of the cluster. */
  readonly random: () => number
}

/** A leader and the others, all of whom follow it, at rest but for its heartbeats. */
export interface Elected {
  readonly scheduler: VirtualScheduler
  readonly heartbeatMs: number
  readonly leader: Raft
  /** Each has one entry more than the next; the first has as many as the leader. */
  readonly followers: ReadonlyArray<Raft>
}

const ids = ['n1', 'n2', 'n3', 'n4', 'n5']

const maxRests = 10_000

/**
 * Five servers of the real streams in virtual time, with a leader, and with a log of another length on each follower.
 * Their logs part as they do in life: what the leader sent last did not reach everyone.
 */
export const elected = ({ electionTimeoutMs, delayMs, random }: ClusterOptions): Elected => {
  const scheduler = new VirtualScheduler()
  const network = memoryNetwork({ scheduler, random, delayMs })
  const heartbeatMs = Math.floor(electionTimeoutMs.min / 2) // "half of the minimum election timeout for all tests"
  /** Enough for an answer to an answer. */
  const restMs = 4 * delayMs.max + 1
  const run = (ms: number): void => scheduler.runUntil(scheduler.now() + ms)

  /** From which index on entries do not get through, and to whom. Heartbeats and answers do. */
  const firstLost = new Map<string, number>()
  const isLost = (message: Message): boolean =>
    message._tag === 'AppendEntries' &&
    message.entries.length > 0 &&
    message.prevLogIndex + message.entries.length >= (firstLost.get(message.to) ?? Number.POSITIVE_INFINITY)

  const states = new Map<string, Server>()
  const servers = ids.map((id): Raft => {
    const server = createRaft<Uint8Array, unknown>({
      id,
      network: (message$) => network.join(id)(message$.pipe(filter((message) => !isLost(message)))),
      storage: memoryStorage(ids),
      scheduler,
      random,
      electionTimeoutMs,
      heartbeatMs,
      leaderNoop: false, // the elections until one leads leave nothing in the logs
    })
    server.state$.subscribe((state) => states.set(id, state))
    server.start()
    // Started together, servers without randomness would never elect a first leader: so each request is there before the next timeout.
    run(delayMs.max + 1)
    return server
  })

  /** The one whom everyone follows in its term. */
  const leaderOfAll = (): Raft | undefined =>
    servers.find(({ id }) =>
      servers.every((server) => {
        const { currentTerm } = states.get(server.id)!
        return leaderOf(states.get(server.id)!) === id && currentTerm === states.get(id)!.currentTerm
      }),
    )

  let leader: Raft | undefined
  // Twice in the same term: no candidate of a later one is on its way.
  for (let rests = 0, term = -1; leader === undefined || states.get(leader.id)!.currentTerm !== term; rests++) {
    if (rests === maxRests) throw new Error(`no leader within ${maxRests * restMs} ms`)
    term = leader === undefined ? -1 : states.get(leader.id)!.currentTerm
    run(restMs)
    leader = leaderOfAll()
  }
  const { lastIndex } = states.get(leader.id)!.log
  const followers = shuffled(
    servers.filter((server) => server !== leader),
    random,
  )
  followers.forEach(({ id }, i) => firstLost.set(id, lastIndex + followers.length - i))
  for (let entry = 1; entry < followers.length; entry++) {
    leader.propose(new Uint8Array([entry]))
    run(restMs)
  }
  const lengths = [leader, ...followers].map(({ id }) => states.get(id)!.log.lastIndex - lastIndex)
  if (leaderOfAll() !== leader || lengths.join() !== '3,3,2,1,0') throw new Error(`not the cluster that was wanted: logs ${lengths.join()}`)
  return { scheduler, heartbeatMs, leader, followers }
}

/** Each order equally likely (Fisher and Yates). */
const shuffled = <T>(values: ReadonlyArray<T>, random: () => number): ReadonlyArray<T> => {
  const result = [...values]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const moved = result[i]!
    result[i] = result[j]!
    result[j] = moved
  }
  return result
}
