import type { KvRequest } from '../../../src/kv/command.js'

/** A request that only the leader can answer. `Original` is what the client sent, in the protocol of the client. */
export interface GatewayRequest<Original> {
  /** The caller and the command: the session, the revision of a read and the condition of a write are part of them. */
  readonly request: KvRequest
  /** The request as it came, for the transport that forwards it. */
  readonly original: Original
  /**
   * Another server forwarded it. It is forwarded once, so that two servers that each take the other for the leader
   * cannot pass it round.
   */
  readonly isForwarded: boolean
  /** How long it may take in all. */
  readonly timeoutMs: number
}
