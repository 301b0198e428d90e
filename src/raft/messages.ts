import { either } from 'fp-ts'
import * as t from 'io-ts'
import { Configuration } from './state/configuration.js'
import { configurationOf, type Entry, isEntryKind } from './state/entry.js'
import { LogIndex, maxIncludedIndex, MessageSeq, NodeId, Term } from './ids.js'

/*
 * The RPCs of Figure 2, as one-way messages. Fields stand in the order of the paper's boxes.
 * `from` and `to` are the envelope; a request carries a `seq`, which its one reply echoes as
 * `re`, refusals too: without it an answer to an old request cannot be told from a new one.
 */

const isEntry = (u: unknown): u is Entry => {
  const e = u as Partial<Entry> | null
  return (
    typeof e === 'object' &&
    e !== null &&
    Term.is(e.term) &&
    isEntryKind(e.kind) &&
    e.command instanceof Uint8Array &&
    e.size === e.command.length &&
    (e.kind !== 'configuration' || either.isRight(configurationOf(e.command)))
  )
}

/** A codec with a loop of its own, because `t.array(t.strict(…))` costs forty times as much. */
const Entries = new t.Type<ReadonlyArray<Entry>, ReadonlyArray<Entry>>(
  'Entries',
  (u): u is ReadonlyArray<Entry> => Array.isArray(u) && u.every(isEntry),
  (u, context) => (Array.isArray(u) && u.every(isEntry) ? t.success(u as ReadonlyArray<Entry>) : t.failure(u, context)),
  t.identity,
)

const request = { from: NodeId, to: NodeId, seq: MessageSeq }
const reply = { from: NodeId, to: NodeId, re: MessageSeq }

/**
 * "Invoked by candidates to gather votes (§5.2)."
 *
 * @example
 * const request: RequestVote = {
 *   _tag: 'RequestVote', from: nodeId('n2'), to: nodeId('n1'), seq: messageSeq(1),
 *   term: term(1), candidateId: nodeId('n2'), lastLogIndex: logIndex(0), lastLogTerm: term(0),
 * }
 * printMessage(request) // 'n2→n1 RequestVote T1 last 0/0'
 */
export const RequestVote = t.readonly(
  t.type({
    _tag: t.literal('RequestVote'),
    ...request,
    term: Term,
    candidateId: NodeId,
    lastLogIndex: LogIndex,
    lastLogTerm: Term,
  }),
  'RequestVote',
)
/** A message that `RequestVote` has checked. */
export interface RequestVote extends t.TypeOf<typeof RequestVote> {}

/**
 * A vote, or none.
 *
 * @example
 * const reply: RequestVoteReply = {
 *   _tag: 'RequestVoteReply', from: nodeId('n1'), to: nodeId('n2'), re: messageSeq(1), term: term(1), voteGranted: true,
 * }
 * printMessage(reply) // 'n1→n2 granted T1'
 */
export const RequestVoteReply = t.readonly(
  t.type({
    _tag: t.literal('RequestVoteReply'),
    ...reply,
    term: Term,
    voteGranted: t.boolean,
  }),
  'RequestVoteReply',
)
/** A message that `RequestVoteReply` has checked. */
export interface RequestVoteReply extends t.TypeOf<typeof RequestVoteReply> {}

/**
 * "Invoked by leader to replicate log entries (§5.3); also used as heartbeat (§5.2)."
 *
 * @example
 * const heartbeat: AppendEntries = {
 *   _tag: 'AppendEntries', from: nodeId('n1'), to: nodeId('n2'), seq: messageSeq(1), term: term(1), leaderId: nodeId('n1'),
 *   prevLogIndex: logIndex(0), prevLogTerm: term(0), entries: [], leaderCommit: logIndex(0),
 * }
 * printMessage(heartbeat) // 'n1→n2 AppendEntries T1 prev 0/0 commit 0'
 */
export const AppendEntries = t.readonly(
  t.type({
    _tag: t.literal('AppendEntries'),
    ...request,
    term: Term,
    leaderId: NodeId,
    prevLogIndex: LogIndex,
    prevLogTerm: Term,
    entries: Entries,
    leaderCommit: LogIndex,
  }),
  'AppendEntries',
)
/** A message that `AppendEntries` has checked. */
export interface AppendEntries extends t.TypeOf<typeof AppendEntries> {}

/**
 * Where the logs part, so that the leader can skip a term in one round trip (§5.3: "the follower can
 * include the term of the conflicting entry and the first index it stores for that term").
 * `term` is null where the follower's log is too short; `index` is then its first free index.
 *
 * @example
 * // The follower's log ends at 3:
 * const conflict: Conflict = { term: null, index: logIndex(4) }
 */
export const Conflict = t.readonly(t.type({ term: t.union([Term, t.null]), index: LogIndex }), 'Conflict')
/** Where a follower’s log departs from its leader’s (§5.3). */
export interface Conflict extends t.TypeOf<typeof Conflict> {}

/**
 * On success the follower's disk holds the log up to `matchIndex`, which is known to match. On refusal it is 0, and
 * `conflict` says where to go on.
 *
 * @example
 * const refusal: AppendEntriesReply = {
 *   _tag: 'AppendEntriesReply', from: nodeId('n2'), to: nodeId('n1'), re: messageSeq(1), term: term(1),
 *   success: false, matchIndex: logIndex(0), conflict: { term: null, index: logIndex(4) },
 * }
 * printMessage(refusal) // 'n2→n1 refused T1 conflict 4/-'
 */
export const AppendEntriesReply = t.readonly(
  t.type({
    _tag: t.literal('AppendEntriesReply'),
    ...reply,
    term: Term,
    success: t.boolean,
    matchIndex: LogIndex,
    conflict: t.union([Conflict, t.null]),
  }),
  'AppendEntriesReply',
)
/** A message that `AppendEntriesReply` has checked. */
export interface AppendEntriesReply extends t.TypeOf<typeof AppendEntriesReply> {}

/** A name of its own, so that declarations say `Uint8Array` and not what the newest compiler infers of it. */
interface BytesC extends t.Type<Uint8Array> {}

const Bytes: BytesC = new t.Type<Uint8Array>(
  'Bytes',
  (u): u is Uint8Array => u instanceof Uint8Array,
  (u, context) => (u instanceof Uint8Array ? t.success(u) : t.failure(u, context)),
  t.identity,
)

/** A place in a snapshot's bytes. */
const Offset = new t.Type<number, number>(
  'Offset',
  (u): u is number => typeof u === 'number' && Number.isSafeInteger(u) && u >= 0,
  (u, context) => (typeof u === 'number' && Number.isSafeInteger(u) && u >= 0 ? t.success(u) : t.failure(u, context)),
  t.identity,
)

/**
 * "Invoked by leader to send chunks of a snapshot to a follower. Leaders always send chunks in order." (Figure 13)
 *
 * @example
 * const chunk: InstallSnapshot = {
 *   _tag: 'InstallSnapshot', from: nodeId('n1'), to: nodeId('n2'), seq: messageSeq(1), term: term(1), leaderId: nodeId('n1'),
 *   lastIncludedIndex: logIndex(9), lastIncludedTerm: term(1), configuration: votersOnly([nodeId('n1'), nodeId('n2')]),
 *   offset: 0, data: new Uint8Array(3), done: true,
 * }
 */
export const InstallSnapshot = t.readonly(
  t.type({
    _tag: t.literal('InstallSnapshot'),
    ...request,
    term: Term,
    leaderId: NodeId,
    lastIncludedIndex: LogIndex,
    lastIncludedTerm: Term,
    /** The latest configuration as of lastIncludedIndex (§7). */
    configuration: Configuration,
    offset: Offset,
    data: Bytes,
    done: t.boolean,
  }),
  'InstallSnapshot',
)
/** A message that `InstallSnapshot` has checked. */
export interface InstallSnapshot extends t.TypeOf<typeof InstallSnapshot> {}

/**
 * `matchIndex` is the snapshot's last included index, once all up to there is on the follower's disk. Until then it is
 * 0, and `offset` is the byte that the follower wants next.
 *
 * @example
 * const installed: InstallSnapshotReply = {
 *   _tag: 'InstallSnapshotReply', from: nodeId('n2'), to: nodeId('n1'), re: messageSeq(1),
 *   term: term(1), offset: 3, matchIndex: logIndex(9),
 * }
 * printMessage(installed) // 'n2→n1 installed T1 match 9'
 */
export const InstallSnapshotReply = t.readonly(
  t.type({
    _tag: t.literal('InstallSnapshotReply'),
    ...reply,
    term: Term,
    offset: Offset,
    matchIndex: LogIndex,
  }),
  'InstallSnapshotReply',
)
/** A message that `InstallSnapshotReply` has checked. */
export interface InstallSnapshotReply extends t.TypeOf<typeof InstallSnapshotReply> {}

const Shape = t.union([RequestVote, RequestVoteReply, AppendEntries, AppendEntriesReply, InstallSnapshot, InstallSnapshotReply], 'Message')
export type Message = RequestVote | RequestVoteReply | AppendEntries | AppendEntriesReply | InstallSnapshot | InstallSnapshotReply

/** Why no honest server sends `m`, though each of its fields is of the right kind; null for a plausible message. */
const implausible = (m: Message): string | null => {
  switch (m._tag) {
    case 'RequestVote':
      return m.candidateId !== m.from
        ? 'candidateId is not the sender'
        : m.lastLogTerm >= m.term
          ? 'lastLogTerm is not older than term'
          : null
    case 'AppendEntries': {
      if (m.leaderId !== m.from) return 'leaderId is not the sender'
      if (!Number.isSafeInteger(m.prevLogIndex + m.entries.length)) return 'the last index is no safe integer'
      let last: number = m.prevLogTerm
      for (const entry of m.entries) {
        if (entry.term < last) return 'the terms of entries decrease'
        last = entry.term
      }
      return last > m.term ? 'an entry is newer than term' : null
    }
    case 'InstallSnapshot':
      if (m.leaderId !== m.from) return 'leaderId is not the sender'
      if (m.lastIncludedIndex === 0) return 'a snapshot of nothing'
      if (m.lastIncludedIndex > maxIncludedIndex) return `lastIncludedIndex is above ${maxIncludedIndex}`
      if (m.lastIncludedTerm > m.term) return 'lastIncludedTerm is newer than term'
      if (!Number.isSafeInteger(m.offset + m.data.length)) return 'the end of the chunk is no safe integer'
      return m.data.length === 0 && !m.done ? 'a chunk of no bytes' : null
    case 'RequestVoteReply':
    case 'AppendEntriesReply':
    case 'InstallSnapshotReply':
      return null
  }
}

/**
 * Every message between servers. Decoding checks the fields and what they must be to each other
 * (the terms of a run of entries never decrease and none is newer than its message's), so that the
 * rules can take a message at its word. Used at the border only; see streams/sinks/inbound.ts.
 *
 * @example
 * import { either } from 'fp-ts'
 * import { Message } from 'rxraft/core'
 * either.isLeft(Message.decode({ _tag: 'RequestVote' })) // true: it names no sender
 */
export const Message = new t.Type<Message, Message>(
  'Message',
  (u): u is Message => Shape.is(u) && implausible(u) === null,
  (u, context) =>
    either.chain((m: Message): t.Validation<Message> => {
      const reason = implausible(m)
      return reason === null ? t.success(m) : t.failure(u, context, reason)
    })(Shape.validate(u, context)),
  t.identity,
)
