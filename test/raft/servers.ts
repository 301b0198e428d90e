import { votersOnly } from '../../src/raft/state/configuration.js'
import type { Effect, Persist, Write } from '../../src/raft/effect.js'
import { commandEntry, type Entry } from '../../src/raft/state/entry.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, type NodeId, nodeId, snapshotRef, term, type WriteSeq, writeSeq } from '../../src/raft/ids.js'
import { checkedStep } from '../../src/raft/invariants.js'
import { logFrom } from '../../src/raft/state/log.js'
import type {
  AppendEntries,
  AppendEntriesReply,
  InstallSnapshot,
  InstallSnapshotReply,
  Message,
  RequestVote,
  RequestVoteReply,
} from '../../src/raft/messages.js'
import type { Progress } from '../../src/raft/state/progress.js'
import { restart, type Server } from '../../src/raft/state/server.js'
import { defaultSettings, type Settings } from '../../src/raft/settings.js'
import type { Step } from '../../src/raft/step.js'

/*
 * Servers as the paper draws them: n1 is the one under test, a log is the terms of its entries. Every
 * state below is reached by events, as in a real run.
 */

export const [n1, n2, n3, n4, n5] = ['n1', 'n2', 'n3', 'n4', 'n5'].map(nodeId) as [NodeId, NodeId, NodeId, NodeId, NodeId]

export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))

/** An entry of that term; equal terms at equal indexes make equal entries (Log Matching). */
export const entry = (T: number, text = ''): Entry => commandEntry(term(T), ascii(text))
export const entries = (...terms: ReadonlyArray<number>): ReadonlyArray<Entry> => terms.map((T) => entry(T))
export const termsOf = (server: Pick<Server, 'log'>): ReadonlyArray<number> => [...server.log].map((it) => it.term)

export interface Given {
  readonly id?: NodeId
  /** Servers n1, n2 …, all of whom vote; 3 unless told otherwise. */
  readonly of?: number
  readonly T?: number
  readonly votedFor?: NodeId | null
  readonly log?: ReadonlyArray<number>
  readonly commit?: number
  /** No-ops are off unless asked for, so that logs are what is written. */
  readonly settings?: Partial<Settings>
}

/** n1 as a follower that has just started: it has armed its election timer, generation 1, and knows no leader. */
export const follower = ({
  id = n1,
  of = 3,
  log = [],
  T = log.at(-1) ?? 0,
  votedFor = null,
  commit = 0,
  settings = {},
}: Given = {}): Server => {
  const configuration = votersOnly(Array.from({ length: of }, (_, i) => nodeId(`n${i + 1}`)))
  const recovered = {
    currentTerm: term(T),
    votedFor,
    commitIndex: logIndex(commit),
    log: logFrom({ index: logIndex(0), term: term(0), configuration }, entries(...log)),
    snapshot: null,
  }
  return after(restart(id, { ...defaultSettings, leaderNoop: false, ...settings }, recovered), { _tag: 'Started' })
}

/** n1 standing in term T; its own vote is on disk (write 1) and counted. */
export const candidate = ({ T = 1, ...given }: Given = {}): Server => after(follower({ ...given, T: T - 1 }), timeout(1), persisted(1))

/**
 * n1 leading in term T: elected by as many as it takes, in their order. All it has written is on disk, and each
 * follower was sent one heartbeat.
 */
export const leader = (given: Given = {}): Server => {
  const { T = (given.log?.at(-1) ?? 0) + 1, of = 3 } = given
  const votes = [n2, n3, n4, n5].slice(0, Math.floor(of / 2))
  const elected = after(
    candidate({ ...given, T }),
    ...votes.map((from) => received(requestVoteReply({ from, re: 1, term: T, voteGranted: true }))),
  )
  return after(elected, persisted(elected.writeProgress.written))
}

/** The step that the last of these events makes, after all the others. Every invariant is checked after each. */
export const on = (server: Server, ...events: ReadonlyArray<RaftEvent>): Step =>
  events.reduce<Step>((stepped, event) => checkedStep(stepped.server, event, 0), { server, effects: [] })
export const after = (server: Server, ...events: ReadonlyArray<RaftEvent>): Server => on(server, ...events).server

/** What a leader knows of a follower. */
export const progress = ({ role }: Server, id: NodeId): Progress => {
  const known = role._tag === 'Leader' ? role.follower(id) : undefined
  if (known === undefined) throw new Error(`nobody leads ${id}`)
  return known
}

/* Events */

export const timeout = (generation: number): RaftEvent => ({ _tag: 'ElectionTimedOut', generation })
export const heartbeatDue = (generation: number): RaftEvent => ({ _tag: 'HeartbeatDue', generation })
export const received = (message: Message): RaftEvent => ({ _tag: 'Received', message })
export const proposed = (request: number, ...commands: ReadonlyArray<string>): RaftEvent => ({
  _tag: 'Proposed',
  request,
  commands: commands.map(ascii),
})
export const flush: RaftEvent = { _tag: 'Flush' }
export const persisted = (seq: number): RaftEvent => ({ _tag: 'Persisted', seq: writeSeq(seq) })
export const applied = (index: number): RaftEvent => ({ _tag: 'Applied', index: logIndex(index) })
export const snapshotTaken = (index: number, text: string): RaftEvent => ({
  _tag: 'SnapshotTaken',
  index: logIndex(index),
  data: ascii(text),
})
export const snapshotStored = (ref: number, size: number): RaftEvent => ({ _tag: 'SnapshotStored', ref: snapshotRef(ref), size })
export const chunkStored = (ref: number, offset: number): RaftEvent => ({ _tag: 'ChunkStored', ref: snapshotRef(ref), offset })
export const chunkRead = (peer: NodeId, ref: number, offset: number, text: string): RaftEvent => ({
  _tag: 'ChunkRead',
  peer,
  ref: snapshotRef(ref),
  offset,
  data: ascii(text),
})
export const unreachable = (peer: NodeId): RaftEvent => ({ _tag: 'Unreachable', peer })

/* Messages: from n2 to n1 unless told otherwise; numbers need no kind. */

type Plain<A> = A extends number
  ? number
  : A extends ReadonlyArray<Entry>
    ? ReadonlyArray<Entry>
    : A extends string
      ? A
      : A extends object
        ? { readonly [K in keyof A]: Plain<A[K]> }
        : A
type Fields<M extends Message> = Partial<Plain<Omit<M, '_tag'>>>

export const requestVote = (fields: Fields<RequestVote>): RequestVote =>
  ({
    _tag: 'RequestVote',
    from: n2,
    to: n1,
    seq: 1,
    term: 1,
    candidateId: fields.from ?? n2,
    lastLogIndex: 0,
    lastLogTerm: 0,
    ...fields,
  }) as RequestVote

export const requestVoteReply = (fields: Fields<RequestVoteReply>): RequestVoteReply =>
  ({ _tag: 'RequestVoteReply', from: n2, to: n1, re: 1, term: 1, voteGranted: false, ...fields }) as RequestVoteReply

export const appendEntries = (fields: Fields<AppendEntries>): AppendEntries =>
  ({
    _tag: 'AppendEntries',
    from: n2,
    to: n1,
    seq: 1,
    term: 1,
    leaderId: fields.from ?? n2,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [],
    leaderCommit: 0,
    ...fields,
  }) as AppendEntries

export const appendEntriesReply = (fields: Fields<AppendEntriesReply>): AppendEntriesReply =>
  ({
    _tag: 'AppendEntriesReply',
    from: n2,
    to: n1,
    re: 1,
    term: 1,
    success: true,
    matchIndex: 0,
    conflict: null,
    ...fields,
  }) as AppendEntriesReply

/** The voters are n1, n2 and n3. */
export const installSnapshot = (fields: Omit<Fields<InstallSnapshot>, 'data'> & { readonly data?: string }): InstallSnapshot =>
  ({
    _tag: 'InstallSnapshot',
    from: n2,
    to: n1,
    seq: 1,
    term: 1,
    leaderId: fields.from ?? n2,
    lastIncludedIndex: 1,
    lastIncludedTerm: 1,
    configuration: votersOnly([n1, n2, n3]),
    offset: 0,
    done: true,
    ...fields,
    data: ascii(fields.data ?? ''),
  }) as InstallSnapshot

export const installSnapshotReply = (fields: Fields<InstallSnapshotReply>): InstallSnapshotReply =>
  ({ _tag: 'InstallSnapshotReply', from: n2, to: n1, re: 1, term: 1, offset: 0, matchIndex: 0, ...fields }) as InstallSnapshotReply

/** The same on its way out: from n1, to n2 unless told otherwise. */
export const out = { from: n1, to: n2 } as const

/* Effects */

export const armElectionTimer = (generation: number): Effect => ({ _tag: 'ArmElectionTimer', generation })
export const armHeartbeat = (generation: number): Effect => ({ _tag: 'ArmHeartbeat', generation })
export const scheduleFlush: Effect = { _tag: 'ScheduleFlush' }
/** With `seq`: not before that write is on disk. */
export const send = (message: Message, seq: number | null = null): Effect => ({ _tag: 'Send', message, after: seq as WriteSeq | null })
export const persist = (seq: number, write: Partial<Plain<Write>> & { readonly firstIndex: number }): Persist =>
  ({
    _tag: 'Persist',
    seq,
    write: { snapshot: null, hardState: null, truncateFrom: null, entries: [], commitIndex: 0, ...write },
  }) as Persist
export const apply = (firstIndex: number, ...them: ReadonlyArray<Entry>): Effect => ({
  _tag: 'Apply',
  firstIndex: logIndex(firstIndex),
  entries: them,
})
