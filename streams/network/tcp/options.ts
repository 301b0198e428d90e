import { either } from 'fp-ts'
import type { SchedulerLike } from 'rxjs'
import { Incarnation, NodeId } from '../../../src/raft/ids.js'
import { realClock } from '../../time/clock.js'
import { check, fn, record, scheduler, span, text, whole } from '../../options/checks.js'
import { withDefaults } from '../../options/given.js'
import type { Address } from '../../../src/raft/state/address.js'
import { InvalidOption } from '../../options/invalidOption.js'

/**
 * What must be the same on every server of a cluster, by name.
 *
 * @example
 * const constants: Constants = { electionTimeoutMinMs: 300, codec: 'json' }
 */
export type Constants = Readonly<Record<string, number | string | boolean>>

/**
 * The options of `tcpNetwork`.
 *
 * @example
 * const options: TcpNetworkOptions = {
 *   id: 'n1', clusterId: 'shop', incarnation, constants: { electionTimeoutMinMs: 300 },
 *   listen: { host: '127.0.0.1', port: 7501 }, peers: { n2: { host: '127.0.0.1', port: 7502 } },
 *   maxFrameBytes: 8 << 20, maxQueueMessages: 1_024, maxQueueBytes: 16 << 20, maxConnections: 32, maxConnectionsPerAddress: 8,
 *   connectTimeoutMs: 500, handshakeTimeoutMs: 1_000, idleTimeoutMs: 900, backoffMs: { min: 20, max: 500 },
 *   metricsMs: 500, random, scheduler,
 * }
 * tcpNetwork(options)
 */
export interface TcpNetworkOptions {
  /** This server. */
  readonly id: string
  /** Servers of another cluster are refused. At most 128 characters. */
  readonly clusterId: string
  /** The name of this server's data directory: 32 hexadecimal digits. */
  readonly incarnation: string
  /** Port 0 is any free port; `listening$` tells which. */
  readonly listen: Address
  /**
   * Where other servers are called. A member that is not listed is called at the address that the configuration has for
   * it, if any; a listed one is called here. Read anew at each attempt, so that an address may change. An entry for
   * `id` itself is ignored. The list shuts no server out.
   */
  readonly peers: Readonly<Record<string, Address>>
  /** Compared in the handshake, with `maxFrameBytes`. Default none. */
  readonly constants?: Constants
  /**
   * The longest frame that is sent or received, not counting the four bytes that say how long it is. A longer one that
   * arrives closes its connection; one to be sent is a `NetworkError`. Default 16 MiB.
   */
  readonly maxFrameBytes?: number
  /**
   * Messages that wait for one peer, in number (default 4,096) and bytes (default 32 MiB, one message excepted): one
   * more is dropped and told as `Unreachable`.
   */
  readonly maxQueueMessages?: number
  readonly maxQueueBytes?: number
  /**
   * Connections accepted at a time. One more takes the place of the oldest that has not said hello; if all have, it is
   * refused. Default 64.
   */
  readonly maxConnections?: number
  /**
   * The same for those from one address: one more takes the place of the oldest of that address that has not said
   * hello. Default 32.
   */
  readonly maxConnectionsPerAddress?: number
  /** Until a connection stands. Default 1,000. */
  readonly connectTimeoutMs?: number
  /** From then until both have said who they are. Default 2,000. */
  readonly handshakeTimeoutMs?: number
  /**
   * A connection on which nothing arrives for so long is dead. Both ends say three times as often that they are there.
   * Default 1,500.
   */
  readonly idleTimeoutMs?: number
  /**
   * Between two attempts to connect: doubled from `min` to `max`, of which a random half is taken off. Default 50 to
   * 1,000.
   */
  readonly backoffMs?: { readonly min: number; readonly max: number }
  /** Between two values of `metrics$` when nothing happens. Default 1,000. */
  readonly metricsMs?: number
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number
  /** Default `realClock`. */
  readonly scheduler?: SchedulerLike
}

export interface TcpSettings extends Required<TcpNetworkOptions> {
  readonly id: NodeId
  readonly incarnation: Incarnation
}

const defaults = {
  constants: {},
  maxFrameBytes: 16 << 20,
  maxQueueMessages: 4_096,
  maxQueueBytes: 32 << 20,
  maxConnections: 64,
  maxConnectionsPerAddress: 32,
  connectTimeoutMs: 1_000,
  handshakeTimeoutMs: 2_000,
  idleTimeoutMs: 1_500,
  backoffMs: { min: 50, max: 1_000 },
  metricsMs: 1_000,
  random: Math.random,
  scheduler: realClock,
}

/** The options with their defaults; one that is given as `undefined` is left out. Throws `InvalidOption`. */
export const tcpSettings = (options: TcpNetworkOptions): TcpSettings => {
  const id = NodeId.decode(options.id)
  if (either.isLeft(id)) throw new InvalidOption('id', `must match [a-z0-9][a-z0-9._-]{0,63}, not ${JSON.stringify(options.id)}`)
  const incarnation = Incarnation.decode(options.incarnation)
  if (either.isLeft(incarnation))
    throw new InvalidOption('incarnation', `must be 32 hexadecimal digits, not ${JSON.stringify(options.incarnation)}`)
  const settings = { ...withDefaults(defaults, options), id: id.right, incarnation: incarnation.right }
  check<TcpNetworkOptions>(settings, checks)
  const { length } = settings.clusterId
  if (length === 0 || length > 128) throw new InvalidOption('clusterId', `must have 1 to 128 characters, not ${length}`)
  for (const [peer, address] of Object.entries(settings.peers)) {
    if (!NodeId.is(peer))
      throw new InvalidOption('peers', `has a name that does not match [a-z0-9][a-z0-9._-]{0,63}: ${JSON.stringify(peer)}`)
    checkAddress('peers', `${peer} must be at`, address)
  }
  checkAddress('listen', 'must be', settings.listen)
  return settings
}

const checks = {
  id: text,
  clusterId: text,
  incarnation: text,
  listen: record,
  peers: record,
  constants: record,
  maxFrameBytes: whole(),
  maxQueueMessages: whole(),
  maxQueueBytes: whole(),
  maxConnections: whole(),
  maxConnectionsPerAddress: whole(),
  connectTimeoutMs: whole(),
  handshakeTimeoutMs: whole(),
  idleTimeoutMs: whole(),
  backoffMs: span(),
  metricsMs: whole(),
  random: fn,
  scheduler,
}

const checkAddress = (option: string, must: string, address: Address): void => {
  const { host, port } = { ...address }
  if (typeof host !== 'string' || host === '' || host.length > 253 || !Number.isInteger(port) || port < 0 || port >= 65_536)
    throw new InvalidOption(option, `${must} a host of 1 to 253 characters and a port from 0 to 65535, not ${host} and ${String(port)}`)
}
