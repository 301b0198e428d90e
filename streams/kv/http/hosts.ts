import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { type HttpAnswer, problem } from './answer.js'
import { originOf } from './exchange.js'

/*
 * DNS rebinding: a page at a name of its own lets that name become an address of ours, and is then, to its browser, a
 * page of this server. The name that the browser was told stands in `Host`, so a server answers only to names that it
 * knows. An address needs no name service, so it cannot be rebound.
 */

export interface HostOptions {
  /** Where this server listens. */
  readonly host: string
  readonly peers: Readonly<Record<string, string>>
  readonly hostNames: ReadonlyArray<string>
}

const badHost = (): HttpAnswer =>
  problem(400, 'BadHost', 'The header host is one HOST or HOST:PORT, an IPv6 address in brackets: send it so.')

const unknownHost = (name: string): HttpAnswer =>
  problem(
    403,
    'UnknownHost',
    `This server does not know itself as ${name}: ask it by its address, or start it with --host-names ${name} (option hostNames).`,
  )

const foreign = (): HttpAnswer =>
  problem(
    403,
    'ForeignOrigin',
    'A page of another origin can neither read nor write here: ask from a program, or serve the page from here.',
  )

/** The refusal of a request for the host that it names, or for the page that makes it; null where there is none. */
export const refusedBySender = (req: IncomingMessage, options: HostOptions): HttpAnswer | null => {
  const { origin } = req.headers
  const host = hostIn(req)
  // HTTP/1.0 may leave it out, which no browser does.
  if (host === null) return origin === undefined ? null : foreign()
  if (host === 'Malformed') return badHost()
  if (!isKnown(host.name, req, options)) return unknownHost(host.name)
  return origin === undefined || isOwnOrigin(origin, host.authority) ? null : foreign()
}

interface Host {
  /** Small letters, without brackets and the dot of the root. */
  readonly name: string
  /** With its port, as it was sent. */
  readonly authority: string
}

const notation = /^(\[[0-9a-f:.]+\]|[a-z0-9_-][a-z0-9._-]*)(?::\d{1,5})?$/i

const hostIn = ({ rawHeaders, headers: { host } }: IncomingMessage): Host | 'Malformed' | null => {
  if (host === undefined) return null
  const names = rawHeaders.filter((name, i) => i % 2 === 0 && name.length === 4 && name.toLowerCase() === 'host')
  const name = names.length > 1 ? undefined : notation.exec(host)?.[1]?.toLowerCase()
  if (name === undefined || !URL.canParse(`http://${host}`)) return 'Malformed'
  return { name: plain(name), authority: host }
}

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')

const isLoopback = (address: string | undefined): boolean => address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address)

const isKnown = (name: string, req: IncomingMessage, { host, peers, hostNames }: HostOptions): boolean =>
  isIP(name) !== 0 ||
  (name === 'localhost' && isLoopback(req.socket.localAddress)) ||
  name === plain(host) ||
  hostNames.some((known) => name === plain(known)) ||
  Object.values(peers).some((url) => name === plain(originOf(url).host))

/**
 * Tells whether a page comes from this very server: the same host and port. The scheme may differ, because a proxy may
 * add TLS.
 */
const isOwnOrigin = (origin: string, authority: string): boolean => {
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin)) return false
  const { protocol, host } = new URL(origin)
  return host === new URL(`${protocol}//${authority}`).host
}
