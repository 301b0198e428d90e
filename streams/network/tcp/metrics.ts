import type { NodeId } from '../../../src/raft/ids.js'
import type { Rejected } from '../network.js'

/**
 * What a server's links are doing. Counted since the network was made.
 *
 * @example
 * const troubles = ({ peers }: TcpMetrics) => peers.flatMap(({ peer, trouble }) => (trouble === null ? [] : [`${peer}: ${trouble}`]))
 */
export interface TcpMetrics {
  /** Connections accepted and open. */
  readonly connections: number
  readonly rejected: Readonly<Record<Rejected['kind'], number>>
  /** In the order of their names. */
  readonly peers: ReadonlyArray<PeerMetrics>
}

/**
 * What has passed between this server and one other.
 *
 * @example
 * const isCutOff = ({ sending, receiving }: PeerMetrics) => !sending && !receiving
 */
export interface PeerMetrics {
  readonly peer: NodeId
  /** Our connection to it stands: what we send arrives. */
  readonly sending: boolean
  /** Its connection to us stands. */
  readonly receiving: boolean
  /** How often we tried to connect, and why we are not connected, null if we are. */
  readonly attempts: number
  readonly trouble: string | null
  /** Messages, and the bytes of their frames. */
  readonly framesOut: number
  readonly bytesOut: number
  /** Messages, and all bytes over either connection. */
  readonly framesIn: number
  readonly bytesIn: number
  /** Waiting to be sent. */
  readonly queuedMessages: number
  readonly queuedBytes: number
  /** Messages that were never sent. */
  readonly dropped: number
  /**
   * Messages that were not let in: before the first leader, our own call must have reached the data directory that they
   * come from.
   */
  readonly unauthenticated: number
  /** The version of the protocol on our connection to it; null while that does not stand. */
  readonly version: number | null
}
