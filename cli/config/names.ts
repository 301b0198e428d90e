/*
 * What can be configured, by name and without the codecs: `rxraft --help` needs no more than this.
 */

/** What stands for the value of a setting, and what it is for. */
interface Described {
  readonly value: string
  readonly help: string
}

export const described = {
  id: { value: 'NAME', help: 'this server, one of --peers' },
  cluster: { value: 'NAME', help: 'the cluster that a data directory belongs to (default: from --peers)' },
  peers: { value: 'LIST', help: 'all servers of the cluster: n1=HOST:PEER-PORT/HTTP-PORT,n2=…' },
  data: { value: 'DIR', help: 'where the data is' },
  listen: { value: 'HOST', help: 'where to listen (default: the own HOST in --peers)' },
  hostNames: { value: 'LIST', help: 'names under which clients reach this server, besides those in --peers' },
  endpoints: { value: 'LIST', help: 'servers to ask, HOST:PORT,… (default: those of --peers, or of `npm start`)' },
  portBase: { value: 'PORT', help: 'HTTP on PORT + 1 to 3, peers on PORT + 101 to 103 (default: 7400)' },
  timeoutMs: { value: 'MS', help: 'how long a request may take in all' },
  heartbeatMs: { value: 'MS', help: 'between two heartbeats of a leader (default: 100)' },
  electionTimeoutMs: { value: 'MIN-MAX', help: 'from where election timeouts are drawn (default: 300-600)' },
  snapshotEntries: { value: 'N', help: 'a snapshot after so many log entries (default: 100000)' },
  snapshotBytes: { value: 'BYTES', help: 'or so many bytes of commands in the log (default: 64 MiB)' },
} as const satisfies Record<string, Described>

export type SettingName = keyof typeof described

export const settingNames = Object.keys(described) as ReadonlyArray<SettingName>

/** `portBase` is `RXRAFT_PORT_BASE` in the environment … */
export const variableOf = (name: SettingName): string => `RXRAFT_${name.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`
/** … and `--port-base` on the command line. */
export const flagOf = (name: SettingName): string => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`
