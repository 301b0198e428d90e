import { map, type Observable } from 'rxjs'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import type { ApplyMsg, StateMachine } from '../../streams/sinks/stateMachine.js'
import { utf8 } from '../../streams/wire/codec.js'
import { createRaft, type Raft } from '../../streams/server/createRaft.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import type { MemoryNetworkOptions } from '../../streams/network/memory/options.js'
import type { RaftOptions } from '../../streams/server/options.js'
import type { ProposalEvent } from '../../streams/sinks/proposal.js'
import { memoryStorage, type MemoryStorage, type MemoryStorageOptions } from '../../streams/storage/memory/memoryStorage.js'

export type Options = RaftOptions<string, string>
export type Server = Raft<string, string>

/** Answers each command with itself in capitals. */
export const shouting: StateMachine<string, string> = map(({ index, command }: ApplyMsg<string>) => ({
  index,
  result: command.toUpperCase(),
}))

/** The same seed, the same dice. */
export const dice = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

/** What a server of a test is made of. */
export interface Given {
  readonly scheduler: VirtualScheduler
  readonly disk: MemoryStorage
}

export interface ClusterOptions {
  readonly ids?: ReadonlyArray<string>
  readonly seed?: number
  readonly network?: MemoryNetworkOptions
  readonly storage?: MemoryStorageOptions
  /** What is different from a server of the tests; it may be made of its scheduler and its disk. */
  readonly server?: Partial<Options> | ((given: Given) => Partial<Options>)
}

/** Servers with their network and disks in memory and in virtual time, not started. */
export const cluster = ({ ids = ['n1', 'n2', 'n3'], seed = 1, network: faults, storage: disk, server: different }: ClusterOptions = {}) => {
  const scheduler = new VirtualScheduler()
  const random = dice(seed)
  const network = memoryNetwork({ scheduler, random, delayMs: { min: 1, max: 5 }, ...faults })
  const disks = new Map<string, MemoryStorage>(ids.map((id) => [id, memoryStorage(ids, { scheduler, random, ...disk })]))
  const create = (id: string): Server => {
    const disk = disks.get(id)!
    return createRaft<string, string>({
      id,
      network: network.join(id),
      storage: disk,
      stateMachine: shouting,
      codec: utf8,
      scheduler,
      random,
      ...(typeof different === 'function' ? different({ scheduler, disk }) : different),
    })
  }
  const servers = ids.map((id) => create(id))
  const run = (ms: number): void => scheduler.runUntil(scheduler.now() + ms)
  return {
    scheduler,
    network,
    disks,
    servers,
    create,
    run,
    /** Starts all, and runs until one of them leads. */
    elect: (): { readonly leader: Server; readonly followers: ReadonlyArray<Server> } => {
      for (const server of servers) server.start()
      run(2_000)
      const leader = leading(servers)
      return { leader, followers: servers.filter((server) => server !== leader) }
    },
  }
}

/** A cluster of one, which leads. */
export const alone = (options: Omit<ClusterOptions, 'ids'> = {}) => {
  const { servers, disks, ...rest } = cluster({ ...options, ids: ['n1'] })
  const server = servers[0]!
  return {
    ...rest,
    server,
    disk: disks.get('n1')!,
    lead: () => {
      server.start()
      rest.run(1_000)
      return server
    },
  }
}

/** What is the case now. */
export const now = <T>(stream$: Observable<T>): T | undefined => {
  let value: T | undefined
  stream$
    .subscribe((next) => {
      value = next
    })
    .unsubscribe()
  return value
}

/** The one of `servers` that leads in the latest term. */
export const leading = (servers: ReadonlyArray<Server>): Server => {
  const leaders = servers.filter(({ role$ }) => now(role$) === 'Leader')
  const [latest] = leaders.sort((a, b) => now(b.state$)!.currentTerm - now(a.state$)!.currentTerm)
  if (latest === undefined) throw new Error('nobody leads')
  return latest
}

/** All that a stream emits from now on, and `|` when it completes or `#` when it fails. */
export const seen = <T, S = T>(stream$: Observable<T>, print: (value: T) => S = (value) => value as unknown as S): (S | '|' | '#')[] => {
  const values: (S | '|' | '#')[] = []
  stream$.subscribe({ next: (value) => values.push(print(value)), error: () => values.push('#'), complete: () => values.push('|') })
  return values
}

export const story = (proposal$: Observable<ProposalEvent<string>>): string[] =>
  seen(proposal$, (event) => {
    switch (event._tag) {
      case 'Applied':
        return `Applied ${event.index} ${event.result}`
      case 'Appended':
      case 'Committed':
      case 'Indeterminate':
        return `${event._tag} ${event.index}`
      case 'NotLeader':
        return `NotLeader ${event.leader}`
      case 'Overloaded':
        return `Overloaded ${event.limit}`
    }
  })
