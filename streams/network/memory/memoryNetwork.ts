import { Observable } from 'rxjs'
import { type Network, type NetworkError, type NetworkEvent, unknownUser } from '../network.js'
import type { Faults } from './faults.js'
import { type MemoryNetworkOptions, tunedMemoryNetwork } from './options.js'
import { Ports } from './ports.js'
import { type MemoryNetworkStats, noStats } from './stats.js'
import { Transit } from './transit.js'

export type { Faults } from './faults.js'
export type { MemoryNetworkOptions } from './options.js'
export type { MemoryNetworkStats } from './stats.js'

/**
 * A network within one process, whose links can be cut, slowed and reset.
 *
 * @example
 * const inMemory: MemoryNetwork = memoryNetwork()
 * inMemory.cut('n1', 'n2')
 * inMemory.heal()
 * console.log(inMemory.stats.cut)
 */
export interface MemoryNetwork {
  /**
   * The network as the server `id` sees it; it is there for as long as it is subscribed to. Joining twice at a time is
   * `AddressInUse`.
   */
  join(id: string): Network
  /** Nothing passes between `a` and `b` any more, not even what is under way. */
  cut(a: string, b: string): void
  /** Nothing passes from `from` to `to`; the other way is as it was. */
  cutOneWay(from: string, to: string): void
  /** Takes back a cut of this direction, and nothing else. */
  mend(from: string, to: string): void
  /** Nothing passes to or from `id`. */
  isolate(id: string): void
  /** Takes back `isolate(id)`, and nothing else. */
  rejoin(id: string): void
  /** Takes back every cut and isolation, and makes no link slow. */
  heal(): void
  /** All messages from `from` to `to` take so much longer, until `null` is given; the other way is as it was. */
  slow(from: string, to: string, moreMs: Faults['delayMs'] | null): void
  /**
   * What is under way between `a` and `b` is lost, and both are told so: `Unreachable`. What they send from now on
   * passes.
   */
  reset(a: string, b: string): void
  /** What arrives for `id` waits, as in the sockets of a process that is stopped. */
  hold(id: string): void
  /** What waits for `id` arrives, in its order. */
  release(id: string): void
  /** Other faults from now on; those not named stay. */
  setFaults(faults: Partial<Faults>): void
  readonly stats: MemoryNetworkStats
}

/**
 * A network within one process, for tests, simulations and browsers. Messages pass as the objects they
 * are, in the scheduler's next turn at the earliest: all of one turn in one action, in the order in
 * which they were sent. Between two servers order is kept unless `reordering` is asked for. The same
 * `random` and the same calls give the same run.
 *
 * A message to a server that is not there is told as `Unreachable`, as a refused connection would be;
 * a cut or a loss is told to no server. A message may arrive in its receiver's next life.
 *
 * @example
 * const network = memoryNetwork({ delayMs: { min: 1, max: 5 }, loss: 0.1 })
 * const n1 = createRaft({ id: 'n1', network: network.join('n1'), storage: memoryStorage(['n1', 'n2', 'n3']) })
 * network.isolate('n1')
 */
export const memoryNetwork = (options: MemoryNetworkOptions = {}): MemoryNetwork => {
  const { scheduler, random, maxInFlight, ...faults } = tunedMemoryNetwork(options)
  const ports = new Ports()
  const stats = noStats()
  const transit = new Transit(ports, stats, { scheduler, random, maxInFlight })
  transit.setFaults(faults)
  const bothWays = (a: string, b: string) => [ports.link(a, b), ports.link(b, a)]

  return {
    join: (id) => joined(id, ports, transit),
    cut: (a, b) => {
      for (const link of bothWays(a, b)) link.cut = true
    },
    cutOneWay: (from, to) => {
      ports.link(from, to).cut = true
    },
    mend: (from, to) => {
      ports.link(from, to).cut = false
    },
    isolate: (id) => {
      ports.port(id).isolated = true
    },
    rejoin: (id) => {
      ports.port(id).isolated = false
    },
    heal: () => ports.heal(),
    slow: (from, to, moreMs) => {
      ports.link(from, to).slowMs = moreMs
    },
    reset: (a, b) => {
      for (const link of bothWays(a, b)) transit.reset(link)
    },
    hold: (id) => {
      ports.port(id).held ??= []
    },
    release: (id) => transit.release(ports.port(id)),
    setFaults: (faults) => transit.setFaults(faults),
    stats,
  }
}

/** The network as `id` sees it. It needs no addresses: a name is enough. */
const joined =
  (id: string, ports: Ports, transit: Transit): Network =>
  (message$, user = unknownUser) =>
    new Observable<NetworkEvent>((subscriber) => {
      const here = ports.port(id)
      if (here.events !== null) return subscriber.error(taken(id))
      here.events = subscriber
      here.incarnation = user.incarnation
      subscriber.add(() => {
        here.events = null
      })
      subscriber.add(
        message$.subscribe({ next: (message) => transit.send(here, message), error: (error: unknown) => subscriber.error(error) }),
      )
    })

const taken = (id: string): NetworkError => ({
  _tag: 'AddressInUse',
  message: `${id} is in this network already: stop the one that runs, or give this server another id.`,
})
