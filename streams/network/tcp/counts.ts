import { Subject } from 'rxjs'
import { byCodeUnit, type NodeId } from '../../../src/raft/ids.js'
import type { Rejected } from '../network.js'
import type { PeerMetrics, TcpMetrics } from './metrics.js'
import type { Outboxes } from './outboxes.js'

type Writable<T> = { -readonly [K in keyof T]: T[K] }
export type PeerCounts = Writable<Omit<PeerMetrics, 'queuedMessages' | 'queuedBytes'>>

const nothing = {
  sending: false,
  receiving: false,
  attempts: 0,
  trouble: 'not connected yet',
  framesOut: 0,
  bytesOut: 0,
  framesIn: 0,
  bytesIn: 0,
  dropped: 0,
  unauthenticated: 0,
  version: null,
}

/** The figures behind `metrics$`: plain fields, so that counting costs nothing. */
export class Counts {
  /** Emits when a connection comes or goes and when something is rejected. */
  readonly changed$ = new Subject<void>()
  readonly rejected: Record<Rejected['kind'], number> = { frame: 0, message: 0, handshake: 0, limit: 0 }
  private connections = 0
  private readonly peers = new Map<NodeId, PeerCounts>()

  of(peer: NodeId): PeerCounts {
    let counts = this.peers.get(peer)
    if (counts === undefined) this.peers.set(peer, (counts = { peer, ...nothing }))
    return counts
  }

  /** A peer that is neither called nor connected: its figures are kept no longer. */
  forget(peer: NodeId): void {
    this.peers.delete(peer)
  }

  /** A message that could not be sent. Only peers that have figures are counted: names come from outside. */
  dropped(peer: NodeId): void {
    const counts = this.peers.get(peer)
    if (counts !== undefined) counts.dropped++
  }

  connected(more: number): void {
    this.connections += more
    this.changed$.next()
  }

  reject(kind: Rejected['kind']): void {
    this.rejected[kind]++
    this.changed$.next()
  }

  snapshot(outboxes: Outboxes): TcpMetrics {
    const peers = [...this.peers.values()]
      .sort((a, b) => byCodeUnit(a.peer, b.peer))
      .map((counts): PeerMetrics => {
        const outbox = outboxes.to(counts.peer)
        return { ...counts, queuedMessages: outbox?.size ?? 0, queuedBytes: outbox?.bytes ?? 0 }
      })
    return { connections: this.connections, rejected: { ...this.rejected }, peers }
  }
}
