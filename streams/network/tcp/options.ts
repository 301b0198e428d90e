import { either } from 'fp-ts'
import type { SchedulerLike } from 'rxjs'
import { Incarnation, NodeId } from '../../../src/raft/ids.js'
import { realClock } from '../../time/clock.js'
import type { Address } from '../../../src/raft/state/address.js'
import { InvalidOption } from '../../options/invalidOption.js'

/** What must be the same on every server of a cluster, by name. */
export type Constants = Readonly<Record<string, number | string | boolean>>

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
  const { clusterId, peers, listen } = options
  const id = NodeId.decode(options.id)
  if (either.isLeft(id)) throw new InvalidOption('id', `must match [a-z0-9][a-z0-9._-]{0,63}, not ${JSON.stringify(options.id)}`)
  const incarnation = Incarnation.decode(options.incarnation)
  if (either.isLeft(incarnation))
    throw new InvalidOption('incarnation', `must be 32 hexadecimal digits, not ${JSON.stringify(options.incarnation)}`)
  if (typeof clusterId !== 'string' || clusterId.length === 0 || clusterId.length > 128)
    throw new InvalidOption('clusterId', `must have 1 to 128 characters, not ${JSON.stringify(clusterId)}`)
  if (typeof peers !== 'object' || (peers as unknown) === null)
    throw new InvalidOption('peers', 'must say where other servers are called: { n2: { host, port } }')
  for (const [peer, address] of Object.entries(peers)) {
    if (!NodeId.is(peer))
      throw new InvalidOption('peers', `has a name that does not match [a-z0-9][a-z0-9._-]{0,63}: ${JSON.stringify(peer)}`)
    mustBeAddress('peers', address, ` for ${peer}`)
  }
  mustBeAddress('listen', listen, '')
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as TcpNetworkOptions
  const settings = { ...defaults, ...given, id: id.right, incarnation: incarnation.right }
  for (const [name, usual] of Object.entries(defaults)) {
    const value: unknown = settings[name as keyof typeof defaults]
    if (typeof usual === 'number') mustBeWhole(name, value)
  }
  mustBeWhole('backoffMs.min', settings.backoffMs.min)
  mustBeWhole('backoffMs.max', settings.backoffMs.max)
  return settings
}

const mustBeWhole = (option: string, value: unknown): void => {
  if (!(Number.isSafeInteger(value) && Number(value) > 0))
    throw new InvalidOption(option, `must be a whole number above 0, not ${JSON.stringify(value)}`)
}

/** Port 0 is any free port, to listen on, and a port at which nothing is reached, to call. */
const mustBeAddress = (option: string, address: Partial<Address> | undefined, whose: string): void => {
  const { host, port } = address ?? {}
  if (typeof host !== 'string' || host === '' || host.length > 253)
    throw new InvalidOption(option, `has a host${whose} that is none: ${JSON.stringify(host)}`)
  if (!isPort(port)) throw new InvalidOption(option, `has a port${whose} that is none: ${JSON.stringify(port)}`)
}

const isPort = (port: unknown): boolean => Number.isInteger(port) && Number(port) >= 0 && Number(port) < 65_536
