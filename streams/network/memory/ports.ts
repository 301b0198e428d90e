import type { Subscriber } from 'rxjs'
import { type Incarnation, type NodeId, nodeId } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import type { NetworkEvent } from '../network.js'
import type { Faults } from './faults.js'

/** A server's place in the network. It stays when the server goes. */
export interface Port {
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
export interface Link {
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
export interface Parcel {
  readonly link: Link
  readonly message: Message | null
  /** Of the sender, when it was sent. */
  readonly incarnation: Incarnation | null
  readonly delayed: boolean
  /** Of the link, when it was sent. */
  readonly resets: number
}

export const passes = ({ cut, from, to }: Link): boolean => !cut && !from.isolated && !to.isolated

/** All ports, by name, each made when its name is first heard. */
export class Ports {
  private readonly ports = new Map<string, Port>()

  port(id: string): Port {
    let port = this.ports.get(id)
    if (port === undefined) {
      port = { id: nodeId(id), links: new Map(), events: null, incarnation: null, isolated: false, held: null }
      this.ports.set(id, port)
    }
    return port
  }

  link(from: string, to: string): Link {
    return this.linkFrom(this.port(from), to)
  }

  linkFrom(from: Port, to: string): Link {
    let link = from.links.get(to)
    if (link === undefined) {
      link = { from, to: this.port(to), cut: false, inFlight: 0, delayed: 0, lastDueMs: 0, told: false, slowMs: null, resets: 0 }
      from.links.set(to, link)
    }
    return link
  }

  heal(): void {
    for (const port of this.ports.values()) {
      port.isolated = false
      for (const link of port.links.values()) {
        link.cut = false
        link.slowMs = null
      }
    }
  }
}
