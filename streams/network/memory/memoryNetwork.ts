import { Observable, type Subscriber } from 'rxjs'
import { type Incarnation, type NodeId, nodeId } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import { realClock } from '../../time/clock.js'
import type { Network, NetworkError, NetworkEvent } from '../network.js'
import { unknownUser } from '../unknownUser.js'
import type { Faults, MemoryNetworkOptions } from './options.js'

/** What became of the messages so far: a run in which a fault did not bite has not tested it. */
export interface MemoryNetworkStats {
  readonly sent: number
  readonly delivered: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  /** Swallowed by a cut. */
  readonly cut: number
  /** Dropped at `maxInFlight`. */
  readonly overflowed: number
  /** Addressed to a server that was not there. */
  readonly absent: number
  /** Delayed by `slow`. */
  readonly slowed: number
  /** On their way when their link was reset. */
  readonly reset: number
  /** Waited for `release`. */
  readonly held: number
}

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
  /** The network as the server `id` sees it; it is there for as long as it is subscribed to. Joining twice at a time is `AddressInUse`. */
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
  /** Whatever passes from `from` to `to` takes so much longer, until `null` is said; the other way is as it was. */
  slow(from: string, to: string, moreMs: Faults['delayMs'] | null): void
  /** What is under way between `a` and `b` is lost, and both are told so: `Unreachable`. What they send from now on passes. */
  reset(a: string, b: string): void
  /** What arrives for `id` waits, as in the sockets of a process that is stopped. */
  hold(id: string): void
  /** What waits for `id` arrives, in its order. */
  release(id: string): void
  /** Other faults from now on; those not named stay. */
  setFaults(faults: Partial<Faults>): void
  readonly stats: MemoryNetworkStats
}

/** A server's place in the network, whether it is there or not. */
interface Port {
  readonly id: NodeId
  readonly links: Map<string, Link>
  events: Subscriber<NetworkEvent> | null
  /** Of the server that is or was there last. */
  incarnation: Incarnation | null
  isolated: boolean
  /** What waits for it while it is held. */
  held: Parcel[] | null
}

/** One direction between two servers. */
interface Link {
  readonly from: Port
  readonly to: Port
  cut: boolean
  inFlight: number
  /** How many of those in flight have a due time, and the latest of these that keeps its place. */
  delayed: number
  lastDueMs: number
  /** An `Unreachable` is under way: one a turn is enough. */
  told: boolean
  slowMs: Faults['delayMs'] | null
  /** What was sent before the last reset does not arrive. */
  resets: number
}

/** On its way over `link`; without a message it is the `Unreachable` that goes back to the sender. */
interface Parcel {
  readonly link: Link
  readonly message: Message | null
  /** Of the sender, when it was sent. */
  readonly incarnation: Incarnation | null
  readonly delayed: boolean
  /** Of the link, when it was sent. */
  readonly resets: number
}

/**
 * A network within one process, for tests, simulations and browsers. Messages pass as the objects they
 * are, in the scheduler's next turn at the earliest: all of one turn in one action, in the order in
 * which they were sent. Between two servers order is kept unless `reordering` is asked for. The same
 * `random` and the same calls give the same run.
 *
 * A message to a server that is not there is told as `Unreachable`, as a refused connection would be;
 * a cut or a loss tells nobody. A message may arrive in its receiver's next life.
 *
 * @example
 * const network = memoryNetwork({ delayMs: { min: 1, max: 5 }, loss: 0.1 })
 * const n1 = createRaft({ id: 'n1', network: network.join('n1'), storage: memoryStorage(['n1', 'n2', 'n3']) })
 * network.isolate('n1')
 */
export const memoryNetwork = (options: MemoryNetworkOptions = {}): MemoryNetwork => {
  const { scheduler = realClock, random = Math.random, maxInFlight = 16_384 } = options
  const ports = new Map<string, Port>()
  const stats = {
    sent: 0,
    delivered: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    cut: 0,
    overflowed: 0,
    absent: 0,
    slowed: 0,
    reset: 0,
    held: 0,
  }
  let faults: Faults = calm
  let faulty = false
  /** What the next turn delivers, and what later milliseconds do: one action of the scheduler for each list. */
  let turn: Parcel[] = []
  const later = new Map<number, Parcel[]>()

  const port = (id: string): Port => {
    let found = ports.get(id)
    if (found === undefined)
      ports.set(id, (found = { id: nodeId(id), links: new Map(), events: null, incarnation: null, isolated: false, held: null }))
    return found
  }

  const link = (from: Port, to: string): Link => {
    let found = from.links.get(to)
    if (found === undefined) {
      found = { from, to: port(to), cut: false, inFlight: 0, delayed: 0, lastDueMs: 0, told: false, slowMs: null, resets: 0 }
      from.links.set(to, found)
    }
    return found
  }

  const passes = ({ cut, from, to }: Link): boolean => !cut && !from.isolated && !to.isolated
  const chance = (probability: number): boolean => probability > 0 && random() < probability

  const nextTurn = (parcel: Parcel): void => {
    turn.push(parcel)
    if (turn.length > 1) return
    scheduler.schedule(deliverTurn)
  }

  const deliverTurn = (): void => {
    const parcels = turn
    turn = [] // what is sent meanwhile is for the turn after
    parcels.forEach(deliver)
  }

  const at = (dueMs: number, now: number, parcel: Parcel): void => {
    const parcels = later.get(dueMs)
    if (parcels !== undefined) return void parcels.push(parcel)
    later.set(dueMs, [parcel])
    scheduler.schedule(deliverOf, dueMs - now, dueMs)
  }

  const deliverOf = (dueMs?: number): void => {
    const parcels = later.get(dueMs!)!
    later.delete(dueMs!)
    parcels.forEach(deliver)
  }

  const deliver = (parcel: Parcel): void => {
    const { link, message, incarnation, delayed } = parcel
    const { from, to } = link
    const receiver = message === null ? from : to
    if (receiver.held !== null) {
      receiver.held.push(parcel)
      stats.held++
    } else if (message === null) {
      link.told = false
      from.events?.next({ _tag: 'Unreachable', peer: to.id })
    } else {
      link.inFlight--
      if (delayed) link.delayed--
      if (parcel.resets !== link.resets) stats.reset++
      else if (!passes(link)) stats.cut++
      else if (to.events === null) {
        stats.absent++
        tellSender(link)
      } else {
        stats.delivered++
        to.events.next(incarnation === null ? { _tag: 'Received', message } : { _tag: 'Received', message, incarnation })
      }
    }
  }

  const tellSender = (link: Link): void => {
    if (link.told) return
    link.told = true
    nextTurn({ link, message: null, incarnation: null, delayed: false, resets: 0 })
  }

  const send = (from: Port, message: Message): void => {
    const way = link(from, message.to)
    stats.sent++
    if (!passes(way)) stats.cut++
    else if (faulty || way.slowMs !== null) sendThroughFaults(way, message)
    else enter(way, message, 0, false)
  }

  const sendThroughFaults = (way: Link, message: Message): void => {
    if (chance(faults.loss)) return void stats.lost++
    const again = chance(faults.duplication)
    for (let copy = 0; copy <= Number(again); copy++) {
      const held = chance(faults.reordering)
      const slowMs = way.slowMs === null ? 0 : draw(way.slowMs)
      if (slowMs > 0) stats.slowed++
      const delayMs = slowMs + draw(faults.delayMs) + (held ? draw({ min: 1, max: Math.max(1, faults.delayMs.max) }) : 0)
      if (enter(way, message, delayMs, held)) {
        stats.duplicated += copy
        stats.reordered += Number(held)
      }
    }
  }

  const draw = ({ min, max }: Faults['delayMs']): number => (min === max ? min : min + Math.floor(random() * (max - min + 1)))

  const enter = (way: Link, message: Message, delayMs: number, overtaken: boolean): boolean => {
    if (way.inFlight >= maxInFlight) {
      stats.overflowed++
      tellSender(way)
      return false
    }
    way.inFlight++
    const { resets, from } = way
    const { incarnation } = from
    if (delayMs === 0 && way.delayed === 0) nextTurn({ link: way, message, incarnation, delayed: false, resets })
    else {
      const now = scheduler.now()
      const dueMs = Math.max(now + delayMs, way.lastDueMs)
      if (!overtaken) way.lastDueMs = dueMs
      way.delayed++
      at(dueMs, now, { link: way, message, incarnation, delayed: true, resets })
    }
    return true
  }

  const setFaults = (changed: Partial<Faults>): void => {
    faults = { ...faults, ...changed }
    faulty = faults.loss > 0 || faults.duplication > 0 || faults.reordering > 0 || faults.delayMs.max > 0
  }
  const { delayMs = calm.delayMs, loss = 0, duplication = 0, reordering = 0 } = options
  setFaults({ delayMs, loss, duplication, reordering })

  return {
    join:
      (id) =>
      (message$, user = unknownUser) =>
        new Observable<NetworkEvent>((subscriber) => {
          const here = port(id)
          if (here.events !== null) return subscriber.error(taken(id))
          here.events = subscriber
          here.incarnation = user.incarnation
          subscriber.add(() => {
            here.events = null
          })
          subscriber.add(message$.subscribe({ next: (message) => send(here, message), error: (error: unknown) => subscriber.error(error) }))
        }),
    cut: (a, b) => {
      link(port(a), b).cut = true
      link(port(b), a).cut = true
    },
    cutOneWay: (from, to) => {
      link(port(from), to).cut = true
    },
    mend: (from, to) => {
      link(port(from), to).cut = false
    },
    isolate: (id) => {
      port(id).isolated = true
    },
    rejoin: (id) => {
      port(id).isolated = false
    },
    heal: () => {
      for (const port of ports.values()) {
        port.isolated = false
        for (const link of port.links.values()) {
          link.cut = false
          link.slowMs = null
        }
      }
    },
    slow: (from, to, moreMs) => {
      link(port(from), to).slowMs = moreMs
    },
    reset: (a, b) => {
      for (const way of [link(port(a), b), link(port(b), a)]) {
        way.resets++
        tellSender(way)
      }
    },
    hold: (id) => {
      port(id).held ??= []
    },
    release: (id) => {
      const here = port(id)
      const parcels = here.held ?? []
      here.held = null
      parcels.forEach(deliver)
    },
    setFaults,
    stats,
  }
}

const calm: Faults = { delayMs: { min: 0, max: 0 }, loss: 0, duplication: 0, reordering: 0 }

const taken = (id: string): NetworkError => ({
  _tag: 'AddressInUse',
  message: `${id} is in this network already: stop the one that runs, or give this server another id.`,
})
