import { BehaviorSubject, filter, interval, map, merge, Observable, startWith } from 'rxjs'
import type { Address } from '../../../src/raft/state/address.js'
import { maxTerm, type NodeId } from '../../../src/raft/ids.js'
import type { AppendEntries, Message } from '../../../src/raft/messages.js'
import { maxEntriesPerMessage, messageByteLength } from '../../wire/message.js'
import { type Network, type NetworkError, type NetworkEvent, unknownUser } from '../network.js'
import { addressBook } from '../addressBook.js'
import { callingAll } from './caller.js'
import { Counts } from './counts.js'
import { messageFrameLength } from './frame.js'
import { listening } from './listener.js'
import type { TcpMetrics } from './metrics.js'
import { tcpSettings, type TcpNetworkOptions, type TcpSettings } from './options.js'
import { Outboxes } from './outboxes.js'
import { TcpSession } from './session.js'

/**
 * A network over TCP, which also tells where it listens and how its links are.
 *
 * @example
 * const listen = { host: '127.0.0.1', port: 0 }
 * const network: TcpNetwork = tcpNetwork({ id: 'n1', clusterId: 'shop', incarnation, listen, peers: {} })
 * network.listening$.subscribe(({ port }) => console.log(`other servers call at port ${port}`))
 * network.metrics$.subscribe(({ connections }) => console.log(`${connections} connections`))
 */
export interface TcpNetwork extends Network {
  /** Where it listens, from when it does; replays. */
  readonly listening$: Observable<Address>
  /**
   * At once, when a connection comes or goes, when something is rejected, and every `metricsMs` (cold). Never
   * completes.
   */
  readonly metrics$: Observable<TcpMetrics>
}

/**
 * Servers that talk over TCP, in frames of bytes (docs/network.md). Throws `InvalidOption`.
 *
 * Each server calls each server that has an address, and sends over the connection it made: two connections for a
 * pair. So two servers need not agree on which of them calls, each end vouches for itself, and a server that comes back
 * calls all others at once instead of waiting to be called.
 *
 * Addresses come from `peers`, and for members that are not listed there from the configuration; the network follows
 * both. A server without an address is heard all the same, and is answered over the connection by which it called: one
 * that was removed, or one that is to be added.
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
  const { id, peers, scheduler } = settings
  const counts = new Counts()
  const outboxes = new Outboxes(settings)
  for (const peer of addressBook(id, peers, null).keys()) counts.of(peer)
  const address$ = new BehaviorSubject<Address | null>(null)

  const network: Network = (message$, user = unknownUser) =>
    new Observable<NetworkEvent>((subscriber) => {
      const session = new TcpSession(settings, counts, outboxes)

      const send = (message: Message): void => {
        const wrong = unsendable(message, settings)
        if (wrong !== null) return subscriber.error(wrong)
        if (outboxes.to(message.to)?.offer(message) === true) return
        counts.dropped(message.to)
        session.tellUnreachable(message.to)
      }

      subscriber.add(() => {
        session.end()
        address$.next(null)
        outboxes.clear()
      })
      subscriber.add(session.follow(user).subscribe())
      subscriber.add(message$.subscribe({ next: send, error: (error: unknown) => subscriber.error(error) }))
      const listening$ = listening(session, (address) => address$.next(address))
      subscriber.add(merge(session.unreachable$, listening$, callingAll(session)).subscribe(subscriber))
    })

  return Object.assign(network, {
    listening$: address$.pipe(filter((address) => address !== null)),
    metrics$: merge(counts.changed$, interval(settings.metricsMs, scheduler)).pipe(
      startWith(null),
      map(() => counts.snapshot(outboxes)),
    ),
  })
}

/** Why `message` cannot be sent, which ends the network; null for one that can. */
const unsendable = (message: Message, { maxFrameBytes }: TcpSettings): NetworkError | null => {
  const length = messageFrameLength(messageByteLength(message))
  if (length > maxFrameBytes) return tooLong(message.to, length, maxFrameBytes)
  if (message.term > maxTerm) return absurd(message)
  return message._tag === 'AppendEntries' && message.entries.length > maxEntriesPerMessage ? tooMany(message) : null
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
