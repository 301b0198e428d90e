import type { TraceConfiguration, TraceEntry, TraceMessage } from '../line.js'
import type { Disk } from './disk.js'
import type { Change, ModelLog } from './log.js'

/*
 * Figure 2, "State", of all servers, and the facts that only a reader of the whole trace can know.
 */

export interface ModelServer {
  readonly id: string
  /** Names its disk; null where disks have no names. */
  readonly incarnation: string | null
  // "Persistent state on all servers", as it is in memory; what is on stable storage is in `disk`.
  currentTerm: number
  votedFor: string | null
  log: ModelLog
  // "Volatile state on all servers"
  commitIndex: number
  applyingIndex: number
  lastApplied: number
  role: 'Follower' | 'Candidate' | 'Leader'
  /** Of a candidate: the servers that granted it their vote, each with the name of its disk. */
  votes: ReadonlyMap<string, string | null>
  /** "Volatile state on leaders": "index of highest log entry known to be replicated on server". */
  matchIndex: ReadonlyMap<string, number>
  disk: Disk
  /** Snapshots on their way to the disk, by the number they have there. */
  storing: ReadonlyMap<number, Storing>
  /** Messages that wait for a write. */
  waiting: ReadonlyArray<{ readonly message: TraceMessage; readonly after: number }>
}

/** A snapshot of which `bytes` bytes were given to the disk: the own one, or that of the leader `from`. */
export interface Storing {
  readonly index: number
  readonly term: number
  readonly configuration: TraceConfiguration
  readonly from: string | null
  readonly bytes: number
}

export interface Model {
  readonly servers: Map<string, ModelServer>
  /** All messages that were ever sent. They may arrive in any order, again and again, or never. */
  readonly sent: Set<string>
  /** Who was elected in which term. */
  readonly elected: Map<number, string>
  /** Every entry that any log ever held, by index and term, with the term of the one before it (Log Matching). */
  readonly entries: Map<string, { readonly entry: TraceEntry; readonly prevTerm: number | null }>
  /** By index, what any server ever knew to be committed. */
  readonly committed: Map<number, TraceEntry>
}

export const newModel = (): Model => ({
  servers: new Map(),
  sent: new Set(),
  elected: new Map(),
  entries: new Map(),
  committed: new Map(),
})

/** What a rule did. */
export interface Done {
  /** In the words of raft.tla, as far as the rule itself goes. */
  readonly actions: ReadonlyArray<string>
  readonly change: Change | null
  /** What Figure 2 says is to be answered. */
  readonly reply: TraceMessage | null
}

export const done = (actions: ReadonlyArray<string> = [], change: Change | null = null, reply: TraceMessage | null = null): Done => ({
  actions,
  change,
  reply,
})

/** One text for one message, whatever the order of its fields. */
export const keyOf = (message: TraceMessage): string => JSON.stringify(Object.entries(message).sort(([a], [b]) => (a < b ? -1 : 1)))
