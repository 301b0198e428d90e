import { BehaviorSubject, filter, interval, map, merge, Observable, startWith } from 'rxjs'
import { maxTerm, NodeId } from '../../../src/raft/ids.js'
import type { AppendEntries, Message } from '../../../src/raft/messages.js'
import { maxEntriesPerMessage, messageByteLength } from '../../wire/message.js'
import type { Network, NetworkError, NetworkEvent } from '../network.js'
import { unknownUser } from '../unknownUser.js'
import { calling } from './caller.js'
import { Counts } from './counts.js'
import { listening } from './listener.js'
import type { TcpMetrics } from './metrics.js'
import { type Address, tcpSettings, type TcpNetworkOptions } from './options.js'
import { Outbox } from './outbox.js'
import { TcpSession } from './session.js'

export interface TcpNetwork extends Network {
  /** Where it listens, from when it does; replays. */
  readonly listening$: Observable<Address>
  /** At once, when a connection comes or goes, when something is rejected, and every `metricsMs` (cold). Never completes. */
  readonly metrics$: Observable<TcpMetrics>
}

/**
 * Servers that talk over TCP, in frames of bytes (docs/network.md). Throws `InvalidOption`.
 *
 * Each server calls each of its peers and sends over the connection it made: two connections for a
 * pair, each with one direction. So nobody has to agree on who calls, each end vouches for
 * itself, and a server that comes back calls everyone at once instead of waiting to be called.
 *
 * Errors: `AddressInUse` where the port is taken, `NetworkFailed` where it cannot listen or where a
 * message is longer than a frame may be. Everything else is told by events: `Unreachable` when
 * messages may be lost, and one `Rejected` for a connection on which something is wrong.
 * Unsubscribing closes every connection and frees the port.
 *
 * @example
 * const network = tcpNetwork({
 *   id: 'n1', clusterId: 'shop', incarnation: '0123456789abcdef0123456789abcdef',
 *   listen: { host: '127.0.0.1', port: 7501 },
 *   peers: { n2: { host: '127.0.0.1', port: 7502 }, n3: { host: '127.0.0.1', port: 7503 } },
 *   constants: { electionTimeoutMinMs: 300 },
 * })
 */
export const tcpNetwork = (options: TcpNetworkOptions): TcpNetwork => {
  const settings = tcpSettings(options)
  const { id, peers, scheduler, maxFrameBytes } = settings
  const counts = new Counts()
  const outboxes = new Map(
    Object.keys(peers)
      .filter(NodeId.is)
      .filter((peer) => peer !== id)
      .map((peer) => [peer, new Outbox(settings)] as const),
  )
  for (const peer of outboxes.keys()) counts.of(peer)
  const address$ = new BehaviorSubject<Address | null>(null)

  const network: Network = (message$, user = unknownUser) =>
    new Observable<NetworkEvent>((subscriber) => {
      const run = new TcpSession(settings, counts)
      const unreachable = new Set<NodeId>()

      const tellUnreachable = (peer: NodeId): void => {
        unreachable.add(peer)
        if (unreachable.size > 1) return
        subscriber.add(
          scheduler.schedule(() => {
            const peers = [...unreachable]
            unreachable.clear()
            for (const peer of peers) subscriber.next({ _tag: 'Unreachable', peer })
          }),
        )
      }

      const send = (message: Message): void => {
        const length = 1 + messageByteLength(message)
        if (length > maxFrameBytes) return subscriber.error(tooLong(message.to, length, maxFrameBytes))
        if (message.term > maxTerm) return subscriber.error(absurd(message))
        if (message._tag === 'AppendEntries' && message.entries.length > maxEntriesPerMessage) return subscriber.error(tooMany(message))
        const outbox = outboxes.get(message.to)
        if (outbox?.offer(message) === true) return
        counts.of(message.to).dropped++
        tellUnreachable(message.to)
      }

      subscriber.add(() => {
        run.end()
        address$.next(null)
        for (const outbox of outboxes.values()) outbox.clear()
      })
      subscriber.add(message$.subscribe({ next: send, error: (error: unknown) => subscriber.error(error) }))
      const links = [...outboxes].map(([peer, outbox]) => calling(peer, outbox, run))
      subscriber.add(
        merge(
          run.follow(user),
          listening(run, (address) => address$.next(address)),
          ...links,
        ).subscribe(subscriber),
      )
    })

  return Object.assign(network, {
    listening$: address$.pipe(filter((address) => address !== null)),
    metrics$: merge(counts.changed$, interval(settings.metricsMs, scheduler)).pipe(
      startWith(null),
      map(() => counts.snapshot(outboxes)),
    ),
  })
}

const tooLong = (peer: NodeId, length: number, maxFrameBytes: number): NetworkError => ({
  _tag: 'NetworkFailed',
  peer,
  message: `A frame of ${length} bytes to ${peer} is longer than maxFrameBytes (${maxFrameBytes}): raise that on every server, or lower maxCommandBytes and maxBytesPerMessage.`,
})

const tooMany = ({ to, entries }: AppendEntries): NetworkError => ({
  _tag: 'NetworkFailed',
  peer: to,
  message: `A message of ${entries.length} entries to ${to} would be refused there, where ${maxEntriesPerMessage} are allowed: lower maxEntriesPerMessage.`,
})

const absurd = ({ to, term }: Message): NetworkError => ({
  _tag: 'NetworkFailed',
  peer: to,
  message: `Term ${term} is beyond what a frame can hold. No server stands in such a term: please report it.`,
})
