import type { Socket } from 'node:net'
import type { NodeId } from '../../../src/raft/ids.js'
import type { TcpSession } from './session.js'

interface Accepted {
  readonly socket: Socket
  readonly address: string
  readonly evict: () => void
}

/**
 * The connections that were accepted and are open. The unauthenticated have not said hello yet, or are on their way
 * out.
 */
export class Connections {
  private readonly unauthenticated = new Map<Socket, Accepted>()
  private readonly admitted = new Map<NodeId, Accepted>()
  private readonly ofAddress = new Map<string, number>()

  constructor(private readonly session: TcpSession) {}

  /**
   * Null, or why there is no room, as a sentence. At a bound the oldest unauthenticated connection has to make room,
   * and then the oldest of a server that is neither a member nor among the peers. So no stranger can keep members out
   * by waiting, or under names that it makes up. `evict` ends a connection. A connection that found no room is
   * unauthenticated until it has gone.
   */
  enter(socket: Socket, evict: () => void): string | null {
    const { counts, settings } = this.session
    const { id, maxConnections, maxConnectionsPerAddress } = settings
    const address = socket.remoteAddress ?? ''
    const sharing = this.ofAddress.get(address) ?? 0
    const isFull = this.unauthenticated.size + this.admitted.size >= maxConnections
    const isCrowded = sharing >= maxConnectionsPerAddress
    const hasRoom = (!isFull && !isCrowded) || this.evictOldest(isCrowded ? address : null)

    this.unauthenticated.set(socket, { socket, address, evict })
    this.ofAddress.set(address, sharing + 1)
    counts.connected(1)
    socket.once('close', () => {
      counts.connected(-1)
      this.unauthenticated.delete(socket)
      const left = this.ofAddress.get(address)! - 1
      if (left > 0) this.ofAddress.set(address, left)
      else this.ofAddress.delete(address)
    })
    if (hasRoom) return null
    return isCrowded
      ? `all ${maxConnectionsPerAddress} connections that ${id} takes from ${address} are in use: raise maxConnectionsPerAddress`
      : `all ${maxConnections} connections of ${id} are in use by servers: raise maxConnections`
  }

  /** A peer has one connection: its last. It makes a new one when the old one died unnoticed. */
  admit(socket: Socket, peer: NodeId): void {
    const accepted = this.unauthenticated.get(socket)!
    this.admitted.get(peer)?.socket.destroy()
    this.unauthenticated.delete(socket)
    this.admitted.delete(peer) // so that it stands last
    this.admitted.set(peer, accepted)
    this.seen(peer, true)
    socket.once('close', () => {
      if (this.admitted.get(peer) !== accepted) return
      this.admitted.delete(peer)
      this.seen(peer, false)
      if (this.session.addressOf(peer) === null) this.session.counts.forget(peer)
    })
  }

  /** Of that address, or of any where it is null; false where there is none. */
  private evictOldest(from: string | null): boolean {
    const isThere = ({ address }: Accepted): boolean => from === null || address === from
    for (const [socket, accepted] of this.unauthenticated) {
      if (!isThere(accepted)) continue
      this.unauthenticated.delete(socket)
      accepted.evict()
      return true
    }
    for (const [peer, accepted] of this.admitted) {
      if (!isThere(accepted) || this.session.isListed(peer)) continue
      accepted.evict()
      return true
    }
    return false
  }

  private seen(peer: NodeId, receiving: boolean): void {
    this.session.counts.of(peer).receiving = receiving
    this.session.counts.changed$.next()
  }
}
