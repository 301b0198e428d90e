import type { NodeId } from '../../../src/raft/ids.js'
import { Outbox, type OutboxLimits } from './outbox.js'

/**
 * The ways to other servers: one outbox for each that is called, and one for each connection of a server that has no
 * address. There are at most as many as entries in the address book and accepted connections (`maxConnections`).
 */
export class Outboxes {
  private readonly called = new Map<NodeId, Outbox>()
  private readonly answered = new Map<NodeId, Outbox>()

  constructor(private readonly limits: OutboxLimits) {}

  /**
   * By which way a message leaves: over our call where there is an address, else over the connection by which the peer
   * called.
   */
  to(peer: NodeId): Outbox | undefined {
    return this.called.get(peer) ?? this.answered.get(peer)
  }

  /** For a peer that is called from now on. */
  call(peer: NodeId): Outbox {
    const outbox = new Outbox(this.limits)
    this.called.set(peer, outbox)
    return outbox
  }

  /** It is called no longer. Answers how many messages were dropped. */
  hangUp(peer: NodeId): number {
    const outbox = this.called.get(peer)
    this.called.delete(peer)
    return outbox?.clear() ?? 0
  }

  /** For answers to a peer that has called. */
  answer(peer: NodeId): Outbox {
    const outbox = new Outbox(this.limits)
    this.answered.set(peer, outbox)
    return outbox
  }

  /** The connection for these answers is gone. Answers how many messages were dropped. */
  forget(peer: NodeId, outbox: Outbox): number {
    if (this.answered.get(peer) === outbox) this.answered.delete(peer)
    return outbox.clear()
  }

  clear(): void {
    for (const outbox of [...this.called.values(), ...this.answered.values()]) outbox.clear()
  }
}
