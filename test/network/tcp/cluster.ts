import { connect, type Socket } from 'node:net'
import { filter, firstValueFrom, from, ignoreElements, map, of, ReplaySubject, Subject, type Subscription } from 'rxjs'
import type { Configuration } from '../../../src/raft/state/configuration.js'
import { type Incarnation, messageSeq, nodeId, term } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import type { NetworkEvent, NetworkUser } from '../../../streams/network/network.js'
import { FrameReader, frameOf, frameType } from '../../../streams/network/tcp/frame.js'
import { type Greeting, protocolVersions } from '../../../streams/network/tcp/greeting.js'
import type { TcpMetrics } from '../../../streams/network/tcp/metrics.js'
import type { Address } from '../../../src/raft/state/address.js'
import type { TcpNetworkOptions } from '../../../streams/network/tcp/options.js'
import { tcpNetwork, type TcpNetwork } from '../../../streams/network/tcp/tcpNetwork.js'
import { encodeMessage } from '../../../streams/wire/message.js'

export const host = '127.0.0.1'
/** Nobody listens there. */
export const nowhere: Address = { host, port: 1 }

const maxEvents = 10_000

export const incarnationOf = (digit: string): string => digit.repeat(32)

/** A small message that tells itself from others by `re`. */
export const vote = (sender: string, to: string, re: number): Message => ({
  _tag: 'RequestVoteReply',
  from: nodeId(sender),
  to: nodeId(to),
  re: messageSeq(re),
  term: term(1),
  voteGranted: true,
})

export interface Peer {
  readonly network: TcpNetwork
  readonly address: Address
  readonly events: NetworkEvent[]
  send(message: Message): void
  /** The first event that is so, from the start on. */
  event<Tag extends NetworkEvent['_tag']>(
    tag: Tag,
    which?: (event: Extract<NetworkEvent, { readonly _tag: Tag }>) => boolean,
  ): Promise<Extract<NetworkEvent, { readonly _tag: Tag }>>
  /** `count` messages, as the `re` of each. */
  received(count: number): Promise<ReadonlyArray<number>>
  /** The figures, as soon as they are so. */
  metrics(so?: (metrics: TcpMetrics) => boolean): Promise<TcpMetrics>
  stop(): void
}

const running: Subscription[] = []
const sockets: Socket[] = []

/** For `afterEach`: whatever a test opened is closed. */
export const closeAll = (): void => {
  for (const run of running.splice(0)) run.unsubscribe()
  for (const socket of sockets.splice(0)) socket.destroy()
}

/** The configuration in which each of these has the data directory that is named by this digit. */
export const named = (digits: Readonly<Record<string, string>>): Configuration => ({
  _tag: 'Simple',
  version: 1,
  voters: Object.entries(digits).map(([id, digit]) => ({ id: nodeId(id), incarnation: incarnationOf(digit) as Incarnation })),
  learners: [],
})

/** Of a cluster that had a leader, who named the data directories of all. */
const formed: NetworkUser = { incarnation: null, configuration$: of(named({ n1: 'a', n2: 'a', n3: 'a' })) }

/** `peers` is kept and read at each attempt: put addresses there as they become known. */
export const start = async (
  id: string,
  peers: Record<string, Address>,
  options: Partial<TcpNetworkOptions> = {},
  user: NetworkUser = formed,
): Promise<Peer> => {
  const network = tcpNetwork({
    id,
    peers,
    clusterId: 'test',
    incarnation: incarnationOf('a'),
    listen: { host, port: 0 },
    backoffMs: { min: 1, max: 20 },
    ...options,
  })
  const message$ = new Subject<Message>()
  const event$ = new ReplaySubject<NetworkEvent>(maxEvents)
  const events: NetworkEvent[] = []
  event$.subscribe({ next: (event) => events.push(event), error: () => undefined })
  const run = from(network(message$, user)).subscribe(event$)
  running.push(run)
  const address = await Promise.race([firstValueFrom(network.listening$), firstValueFrom<never>(event$.pipe(ignoreElements()))])

  return {
    network,
    address,
    events,
    send: (message) => message$.next(message),
    event: (tag, which = () => true) =>
      firstValueFrom(
        event$.pipe(
          filter((event): event is Extract<NetworkEvent, { readonly _tag: typeof tag }> => event._tag === tag),
          filter(which),
        ),
      ),
    received: (count) => {
      const numbers: number[] = []
      return firstValueFrom(
        event$.pipe(
          filter((event) => event._tag === 'Received'),
          map(({ message }) => numbers.push('re' in message ? message.re : message.seq)),
          filter((n) => n === count),
          map(() => numbers),
        ),
      )
    },
    metrics: async (so = () => true) => {
      for (;;) {
        const metrics = await firstValueFrom(network.metrics$)
        if (so(metrics)) return metrics
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
    stop: () => run.unsubscribe(),
  }
}

/** Two servers that know each other and are connected both ways. */
export const pair = async (options: Partial<TcpNetworkOptions> = {}): Promise<readonly [Peer, Peer]> => {
  const peersOfN1: Record<string, Address> = { n2: nowhere }
  const n1 = await start('n1', peersOfN1, options)
  const n2 = await start('n2', { n1: n1.address }, options)
  peersOfN1['n2'] = n2.address
  await Promise.all([n1, n2].map((peer) => connected(peer)))
  return [n1, n2]
}

export const connected = (peer: Peer): Promise<unknown> =>
  peer.metrics(({ peers }) => peers.every(({ sending, receiving }) => sending && receiving))

/** A connection without a server behind it, which says what it is told to. */
export interface Raw {
  readonly socket: Socket
  readonly frames: ReadonlyArray<{ readonly type: number; readonly payload: Uint8Array }>
  write(bytes: Uint8Array): void
  /** The JSON of the first frame of this type. */
  json(type: number): Promise<unknown>
  readonly closed: Promise<void>
}

export const raw = (socket: Socket): Raw => {
  sockets.push(socket)
  const frames: { readonly type: number; readonly payload: Uint8Array }[] = []
  const frame$ = new ReplaySubject<{ readonly type: number; readonly payload: Uint8Array }>(maxEvents)
  const reader = new FrameReader(1 << 20)
  socket.on('error', () => undefined)
  socket.on('data', (chunk) =>
    reader.push(chunk, (type, payload) => {
      frames.push({ type, payload })
      frame$.next({ type, payload })
      return true
    }),
  )
  return {
    socket,
    frames,
    write: (bytes) => socket.write(bytes),
    json: (type) =>
      firstValueFrom(
        frame$.pipe(
          filter((frame) => frame.type === type),
          map(({ payload }) => JSON.parse(Buffer.from(payload).toString()) as unknown),
        ),
      ),
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
  }
}

export const call = ({ port }: Address, localAddress = host): Raw => raw(connect({ host, port, localAddress }))

/** What n2 says of itself to n1, where nothing is wrong. */
export const greeting: Greeting = {
  rxraft: protocolVersions.max,
  oldest: protocolVersions.min,
  clusterId: 'test',
  from: nodeId('n2'),
  incarnation: incarnationOf('a') as Greeting['incarnation'],
  to: 'n1',
  constants: { maxFrameBytes: 16 << 20 },
}

export const jsonFrame = (type: number, json: unknown): Uint8Array => frameOf(type, Buffer.from(JSON.stringify(json)))
/** A message frame, for a group. */
export const messageFrame = (message: Message, group = 0): Uint8Array => {
  const payload = Buffer.concat([Buffer.alloc(4), encodeMessage(message)])
  payload.writeUInt32LE(group)
  return frameOf(frameType.message, payload)
}
export const hello = (json: unknown = greeting): Uint8Array => jsonFrame(frameType.hello, json)
