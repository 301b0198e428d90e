import { NodeId } from '../../src/raft/ids.js'
import { Host, Port } from '../../src/raft/state/address.js'

/** A server of the cluster and where it is reached. */
export interface Peer {
  readonly id: NodeId
  readonly host: string
  /** Other servers talk to it here, over TCP … */
  readonly peerPort: number
  /** … and clients here, over HTTP. */
  readonly httpPort: number
}

export const peerNotation = 'NAME=HOST:PEER-PORT/HTTP-PORT'

// An IPv6 address stands in brackets.
const notation = /^([^=]+)=(\[[0-9a-fA-F:.%]+\]|[^:/[\]\s]+):(\d{1,5})\/(\d{1,5})$/

/**
 * Reads `n1=10.0.0.1:7501/7401`; null where it is something else.
 *
 * @example
 * peer('n1=[::1]:7501/7401') // { id: 'n1', host: '::1', peerPort: 7501, httpPort: 7401 }
 */
export const peer = (text: string): Peer | null => {
  const [, id, bracketed, peerPort, httpPort] = notation.exec(text) ?? []
  if (id === undefined || bracketed === undefined || !NodeId.is(id)) return null
  const host = bracketed.replace(/^\[|\]$/g, '')
  const [raft, http] = [Number(peerPort), Number(httpPort)]
  return Host.is(host) && Port.is(raft) && Port.is(http) ? { id, host, peerPort: raft, httpPort: http } : null
}

/** Where a server takes requests. */
export const endpointOf = ({ host, httpPort }: Peer): string => `http://${inUrl(host)}:${httpPort}`

export const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** n1, n2 and n3 on this machine: HTTP on `portBase` + 1 …, each other on `portBase` + 101 …. */
export const localPeers = (portBase: number): ReadonlyArray<Peer> =>
  [1, 2, 3].map((n) => ({ id: `n${n}` as NodeId, host: '127.0.0.1', peerPort: portBase + 100 + n, httpPort: portBase + n }))
