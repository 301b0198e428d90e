import { either } from 'fp-ts'
import * as t from 'io-ts'
import { NodeId } from '../../src/raft/ids.js'
import type { SettingName } from './names.js'
import { peer, peerNotation } from './peer.js'

/*
 * What can be configured, each once: a codec whose name ends the sentence "… is X, not …". Files hold
 * these values as JSON; environment and flags hold texts, which `fromText` brings into the same shape,
 * so that one codec judges all three.
 */

const whole = (name: string, min: number, max: number): t.Type<number> =>
  t.refinement(t.number, (n) => Number.isSafeInteger(n) && n >= min && n <= max, name)

const duration = whole('a whole number of milliseconds from 1 to 3,600,000', 1, 3_600_000)

const parsed = <A>(name: string, parse: (text: string) => A | null): t.Type<A> =>
  new t.Type<A>(
    name,
    (_u): _u is A => false,
    (u, context) => {
      const value = typeof u === 'string' ? parse(u) : null
      return value === null ? t.failure(u, context) : t.success(value)
    },
    t.identity,
  )

const id = parsed('a name of a-z, 0-9, ".", "_" and "-", at most 64', (text) =>
  either.getOrElse<unknown, NodeId | null>(() => null)(NodeId.decode(text)),
)

const path = parsed('the path of a directory', (text) => (text === '' ? null : text))

const host = parsed('a host name or an address', (text) => (/^[^\s/]+$/.test(text) ? text : null))

const url = (text: string): string | null => {
  const full = (text.startsWith('http://') ? text : `http://${text}`).replace(/\/$/, '')
  return /^http:\/\/[^/\s]+:\d{1,5}$/.test(full) && URL.canParse(full) ? full : null
}

const peers = t.refinement(
  t.readonlyArray(parsed(peerNotation, peer)),
  (list) => list.length > 0 && new Set(list.map((one) => one.id)).size === list.length,
  'a list of servers in which each has a name of its own',
)

const hostNames = t.readonlyArray(
  parsed('a host name without scheme and port', (text) => (/^[a-z0-9_-][a-z0-9._-]*$/i.test(text) ? text : null)),
)

const endpoints = t.refinement(
  t.readonlyArray(parsed('HOST:PORT or http://HOST:PORT', url)),
  (list) => list.length > 0,
  'a list of at least one endpoint',
)

const electionTimeoutMs = t.refinement(
  t.readonly(t.strict({ min: duration, max: duration })),
  ({ min, max }) => min <= max,
  'MIN-MAX in milliseconds, with MIN not above MAX',
)

/** The settings by name, as they stand in the file. */
export const codecs = {
  id,
  cluster: id,
  peers,
  data: path,
  listen: host,
  hostNames,
  endpoints,
  portBase: whole('a port from 1 to 65,000', 1, 65_000),
  timeoutMs: duration,
  heartbeatMs: duration,
  electionTimeoutMs,
  snapshotEntries: whole('a whole number of log entries from 1 to 1,000,000,000', 1, 1e9),
  snapshotBytes: whole('a whole number of bytes from 1 to 1,000,000,000', 1, 1e9),
}

export type Settings = { readonly [Name in SettingName]?: t.TypeOf<(typeof codecs)[Name]> }

const list = (text: string): unknown => text.split(',').map((item) => item.trim())
/** What is no number stays a text, so that the message can quote it. */
const number = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text)
const range = (text: string): unknown => {
  const found = /^(\d+)-(\d+)$/.exec(text)
  return found === null ? text : { min: Number(found[1]), max: Number(found[2]) }
}

const shapes: Partial<Record<SettingName, (text: string) => unknown>> = {
  peers: list,
  hostNames: list,
  endpoints: list,
  portBase: number,
  timeoutMs: number,
  heartbeatMs: number,
  electionTimeoutMs: range,
  snapshotEntries: number,
  snapshotBytes: number,
}

/** The JSON that a text from the environment or a flag stands for. */
export const fromText = (name: SettingName, text: string): unknown => shapes[name]?.(text) ?? text
