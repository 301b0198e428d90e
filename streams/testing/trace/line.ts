import { either } from 'fp-ts'
import * as t from 'io-ts'

/*
 * One step of one server as a line of a trace: plain numbers and strings, so that it can be stored as JSON and read by
 * a program that knows nothing of this library (docs/traces.md has the table of its fields). The types are on purpose
 * not those of src/raft: what checks a trace (figure2/) shares nothing with what made it.
 */

const index = t.refinement(t.number, (n) => Number.isSafeInteger(n) && n >= 0, 'a whole number')
const time = t.refinement(t.number, (n) => Number.isFinite(n) && n >= 0, 'a number from 0 on')
const name = t.refinement(t.string, (s) => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(s), 'the name of a server')
const bytes = t.refinement(t.string, (s) => s.length % 2 === 0 && /^[0-9a-f]*$/.test(s), 'bytes in hexadecimal digits')
const incarnation = t.refinement(t.string, (s) => /^[0-9a-f]{32}$/.test(s), 'the name of a data directory')
const orNull = <A>(codec: t.Type<A>) => t.union([codec, t.null])
const list = <A>(codec: t.Type<A>) => t.readonlyArray(codec)

const kind = t.union([t.keyof({ command: null, noop: null, configuration: null }), index])
const TraceEntry = t.type({ term: index, kind, command: bytes })
/**
 * An entry of a log; `command` in hexadecimal digits. A kind that is not known is its number.
 *
 * @example
 * const entry: TraceEntry = { term: 1, kind: 'command', command: '6869' } // the bytes of 'hi'
 */
export type TraceEntry = t.TypeOf<typeof TraceEntry>

const TraceMember = t.intersection([t.type({ id: name }), t.partial({ incarnation: orNull(incarnation) })])
/** A member: its name, and that of its data directory if one is known. */
export type TraceMember = t.TypeOf<typeof TraceMember>
const Half = t.type({ _tag: t.literal('Simple'), voters: list(TraceMember), learners: list(TraceMember) })
const TraceConfiguration = t.union([Half, t.type({ _tag: t.literal('Joint'), old: Half, new: Half })])
/**
 * Who takes part (§6).
 *
 * @example
 * const two: TraceConfiguration = { _tag: 'Simple', voters: [{ id: 'n1' }, { id: 'n2' }], learners: [] }
 */
export type TraceConfiguration = t.TypeOf<typeof TraceConfiguration>

const request = { from: name, to: name, seq: index, term: index }
const reply = { from: name, to: name, re: index, term: index }
const TraceMessage = t.union([
  t.type({ _tag: t.literal('RequestVote'), ...request, candidateId: name, lastLogIndex: index, lastLogTerm: index }),
  t.type({ _tag: t.literal('RequestVoteReply'), ...reply, voteGranted: t.boolean }),
  t.type({
    _tag: t.literal('AppendEntries'),
    ...request,
    leaderId: name,
    prevLogIndex: index,
    prevLogTerm: index,
    entries: list(TraceEntry),
    leaderCommit: index,
  }),
  t.type({
    _tag: t.literal('AppendEntriesReply'),
    ...reply,
    success: t.boolean,
    matchIndex: index,
    conflict: orNull(t.type({ term: orNull(index), index })),
  }),
  t.type({
    _tag: t.literal('InstallSnapshot'),
    ...request,
    leaderId: name,
    lastIncludedIndex: index,
    lastIncludedTerm: index,
    configuration: TraceConfiguration,
    offset: index,
    data: bytes,
    done: t.boolean,
  }),
  t.type({ _tag: t.literal('InstallSnapshotReply'), ...reply, offset: index, matchIndex: index }),
])
/**
 * A message, with the fields of the paper's boxes.
 *
 * @example
 * const messages: ReadonlyArray<TraceMessage> = lines.flatMap(({ send }) => send.map(({ message }) => message))
 */
export type TraceMessage = t.TypeOf<typeof TraceMessage>
/**
 * The message of one kind.
 *
 * @example
 * const granted: TraceMessageOf<'RequestVoteReply'> = { _tag: 'RequestVoteReply', from: 'n2', to: 'n1', re: 1, term: 1, voteGranted: true }
 */
export type TraceMessageOf<Tag extends TraceMessage['_tag']> = Extract<TraceMessage, { readonly _tag: Tag }>

const TraceRecovered = t.intersection([
  t.type({
    currentTerm: index,
    votedFor: orNull(name),
    commitIndex: index,
    base: t.type({ index, term: index, configuration: TraceConfiguration }),
    snapshot: orNull(t.type({ ref: index, size: index })),
    entries: list(TraceEntry),
  }),
  t.partial({ incarnation }),
])
/**
 * What a server found on its disk when it started, which is named by `incarnation` if it has a name.
 *
 * @example
 * const found: ReadonlyArray<TraceRecovered> = lines.flatMap(({ event }) => (event._tag === 'Started' ? [event.recovered] : []))
 */
export type TraceRecovered = t.TypeOf<typeof TraceRecovered>

const TraceEvent = t.union([
  t.type({ _tag: t.literal('Started'), recovered: TraceRecovered, settings: t.record(t.string, t.union([t.number, t.boolean])) }),
  t.type({ _tag: t.literal('ElectionTimedOut'), generation: t.number }),
  t.type({ _tag: t.literal('HeartbeatDue'), generation: t.number }),
  t.intersection([t.type({ _tag: t.literal('Received'), message: TraceMessage }), t.partial({ incarnation })]),
  t.type({ _tag: t.literal('Proposed'), request: t.number, commands: list(bytes) }),
  t.type({ _tag: t.literal('Flush') }),
  t.type({ _tag: t.literal('Persisted'), seq: index }),
  t.type({ _tag: t.literal('Applied'), index }),
  t.type({ _tag: t.literal('SnapshotTaken'), index, data: bytes }),
  t.type({ _tag: t.literal('ChunkStored'), ref: index, offset: index }),
  t.type({ _tag: t.literal('SnapshotStored'), ref: index, size: index }),
  t.type({ _tag: t.literal('SnapshotRefused'), ref: index }),
  t.type({ _tag: t.literal('ChunkRead'), peer: name, ref: index, offset: index, data: bytes }),
  t.type({ _tag: t.literal('Unreachable'), peer: name }),
])
/**
 * What happened: the events of the core, `Started` with what was recovered.
 *
 * @example
 * const event: TraceEvent = { _tag: 'ElectionTimedOut', generation: 1 }
 */
export type TraceEvent = t.TypeOf<typeof TraceEvent>
/**
 * The event of one kind.
 *
 * @example
 * const isStart = (event: TraceEvent): event is TraceEventOf<'Started'> => event._tag === 'Started'
 * const starts = lines.map(({ event }) => event).filter(isStart)
 */
export type TraceEventOf<Tag extends TraceEvent['_tag']> = Extract<TraceEvent, { readonly _tag: Tag }>

const place = t.type({ index, term: index })
const TraceState = t.type({
  currentTerm: index,
  votedFor: orNull(name),
  role: t.keyof({ Follower: null, Candidate: null, Leader: null }),
  commitIndex: index,
  applyingIndex: index,
  lastApplied: index,
  durable: index,
  base: place,
  last: place,
  followers: t.record(name, t.type({ nextIndex: index, matchIndex: index })),
})
/**
 * The state after the step, in short: of the log only where it begins and ends, of `followers` what a leader knows of
 * them.
 *
 * @example
 * const last: TraceState | undefined = lines.at(-1)?.after
 * last?.commitIndex
 */
export type TraceState = t.TypeOf<typeof TraceState>

const TraceSnapshot = t.type({ ref: index, index, term: index, offset: index, data: bytes, last: t.boolean })
/**
 * A piece of a snapshot on its way to the disk: of which (`ref`), what that one stands for (`index`, `term`), and where
 * in it.
 *
 * @example
 * const pieces: ReadonlyArray<TraceSnapshot> = lines.flatMap(({ store }) => store)
 */
export type TraceSnapshot = t.TypeOf<typeof TraceSnapshot>

const TraceLine = t.type(
  {
    id: name,
    at: time,
    event: TraceEvent,
    actions: list(t.string),
    write: orNull(index),
    send: list(t.type({ message: TraceMessage, after: orNull(index) })),
    store: list(TraceSnapshot),
    restore: orNull(place),
    apply: list(t.type({ firstIndex: index, count: index })),
    after: TraceState,
  },
  'TraceLine',
)
/**
 * A step: whose (`id`), when (`at`, milliseconds of that server's clock), what happened (`event`), what it is in the
 * words of raft.tla (`actions`), which write it asked for (`write`), what it sends and which write that waits for
 * (`send`), the pieces of snapshots it stores (`store`), what it hands to the state machine (the snapshot `restore`,
 * then the commands `apply`) and the state it led to (`after`).
 */
export type TraceLine = t.TypeOf<typeof TraceLine>

/**
 * Why a text is no trace.
 *
 * @example
 * import { either } from 'fp-ts'
 *
 * const told = ({ line, why }: NoTrace): string => `line ${line}: ${why}`
 * either.mapLeft(told)(fromNdjson('{')) // left('line 1: not JSON')
 */
export interface NoTrace {
  readonly _tag: 'NoTrace'
  /** From 1. */
  readonly line: number
  readonly why: string
}

/**
 * Lines as NDJSON: one JSON object a line, each with its end of line.
 *
 * @example
 * toNdjson(lines).split('\n').length // one more than there are lines: each has its end of line
 */
export const toNdjson = (lines: Iterable<TraceLine>): string => Array.from(lines, (line) => `${JSON.stringify(line)}\n`).join('')

/**
 * What `toNdjson` wrote; Left with the first line that is no line of a trace, and where in it.
 *
 * @example
 * import { either } from 'fp-ts'
 *
 * either.map((read: ReadonlyArray<TraceLine>) => read.length)(fromNdjson(toNdjson(lines))) // right(lines.length)
 */
export const fromNdjson = (text: string): either.Either<NoTrace, ReadonlyArray<TraceLine>> => {
  const lines: TraceLine[] = []
  for (const [i, json] of text.split('\n').entries()) {
    if (json.trim() === '') continue
    const read = either.tryCatch(
      () => JSON.parse(json) as unknown,
      () => 'not JSON',
    )
    const decoded = either.chain((value: unknown) => either.mapLeft(firstReason)(TraceLine.decode(value)))(read)
    if (either.isLeft(decoded)) return either.left({ _tag: 'NoTrace', line: i + 1, why: decoded.left })
    lines.push(decoded.right)
  }
  return either.right(lines)
}

/** The deepest complaint: of a union that of the member which came furthest. */
const firstReason = (errors: t.Errors): string => {
  const [deepest] = [...errors].sort((a, b) => b.context.length - a.context.length)
  if (deepest === undefined) return 'no line of a trace'
  const path = deepest.context
    .map(({ key }) => key)
    .filter((key) => key !== '' && !/^\d+$/.test(key))
    .join('.')
  return `${path || 'the line'} cannot be ${JSON.stringify(deepest.value) ?? 'missing'}`
}
