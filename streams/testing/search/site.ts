import type { Send } from '../../../src/raft/effect.js'
import { byCodeUnit, logIndex, messageSeq, type NodeId, type WriteSeq, writeSeq } from '../../../src/raft/ids.js'
import type { Log } from '../../../src/raft/state/log.js'
import { WriteProgress } from '../../../src/raft/state/writeProgress.js'
import { Counters } from '../../../src/raft/state/counters.js'
import { Progress } from '../../../src/raft/state/progress.js'
import { Candidate, Follower, Leader, type Role } from '../../../src/raft/state/role.js'
import type { Recovered, Server } from '../../../src/raft/state/server.js'
import type { DiskRecord } from '../disk.js'
import { keyOfEntry, keyOfMessage, renamedMessage, type Renaming, withSeq } from './messages.js'

/**
 * One server and its disk, as a value: the part of a cluster's state that belongs to one server. Compare `HandServer`,
 * which changes.
 */
export interface Site {
  readonly server: Server
  /** What is on its disk for certain. */
  readonly disk: Recovered
  /** Written and not acknowledged. */
  readonly unsynced: ReadonlyArray<DiskRecord>
  /** Sends that wait for a write. */
  readonly waiting: ReadonlyArray<Send>
  readonly flushDue: boolean
}

/**
 * The same, in the one form that all have which will behave alike. What is left out or made relative,
 * and why nothing depends on it:
 *
 *  - generations of timers become 0: a timeout is only ever tried with the present one, since a stale one changes
 *    nothing;
 *  - numbers of writes count from the last acknowledged one: they are compared with each other only;
 *  - numbers of requests become places among the unanswered ones (`placeOfSeq`): a leader looks for an answer's
 *    number there, and where it does not find it, it does not matter which number it was;
 *  - the order in which votes were counted, and in which what waits for one write will leave, is by name: nothing looks
 *    at it;
 *  - whom a follower takes for its leader is left out: clients are told it, and no rule asks;
 *  - when a request was sent becomes 0: no rule of the search asks how long an answer took;
 *  - heartbeats without an answer are counted to `silences`: see `silencesOf`.
 */
export const canonical = ({ server, disk, unsynced, waiting, flushDue }: Site, silences: number): Site => {
  const { acknowledged, index, pending } = server.writeProgress
  const relative = (seq: WriteSeq): WriteSeq => writeSeq(Math.max(0, seq - acknowledged))
  const role = canonicalRole(server.role, relative, silences)
  const writeProgress = new WriteProgress(
    index,
    relative(server.writeProgress.written),
    writeSeq(0),
    pending.map(({ seq, lastIndex }) => ({ seq: relative(seq), lastIndex })),
  )
  const requests = role._tag === 'Leader' ? Math.max(0, ...role.followers.map(({ inflight }) => inflight.length)) : 0
  return {
    server: { ...server, role, writeProgress, counters: Counters.start().with({ messages: messageSeq(requests) }) },
    disk,
    unsynced: unsynced.map((record) => ({ ...record, seq: relative(record.seq) })),
    waiting: waiting
      .map((send) => ({ ...send, after: send.after === null ? null : relative(send.after) }))
      .sort((a, b) => byCodeUnit(keyOfSend(a), keyOfSend(b))),
    flushDue,
  }
}

const follower = new Follower(null)

/** From three heartbeats without an answer on they mean the same (replication.ts). */
const allSilences = 3

/**
 * How many heartbeats without an answer are told apart: none where no leader comes to a fourth, for which alone they
 * are counted.
 */
export const silencesOf = ({ heartbeats }: { readonly heartbeats: number }): number => (heartbeats > allSilences ? allSilences : 0)

const canonicalRole = (role: Role, relative: (seq: WriteSeq) => WriteSeq, silences: number): Role => {
  switch (role._tag) {
    case 'Follower':
      return role.disbelieved === undefined ? follower : role
    case 'Candidate':
      return new Candidate(
        relative(role.ownVote),
        [...role.votes].sort((a, b) => byCodeUnit(a.id, b.id)),
      )
    case 'Leader':
      return new Leader(role.followers.map((it) => canonicalProgress(it, silences)))
  }
}

const canonicalProgress = (progress: Progress, silences: number): Progress =>
  progress.with({
    inflight: progress.inflight.map((request, i) => ({ ...request, seq: messageSeq(i + 1), sentAt: 0 })),
    silentHeartbeats: Math.min(progress.silentHeartbeats, silences),
  })

/** The same where nobody crashes any more: only a server that starts reads how much its disk knows to be committed. */
export const inItsLastLife = (site: Site): Site => ({
  ...site,
  disk: { ...site.disk, commitIndex: logIndex(0) },
  unsynced: site.unsynced.filter(({ _tag }) => _tag !== 'CommitIndex'),
})

/** The answers that wait here for `leader`, numbered anew: it has answered, given up or numbered requests since. */
export const renumbered = (site: Site, leader: NodeId, numberOf: (seq: number) => number): Site => {
  const waiting = site.waiting.map((send) => {
    const { message } = send
    if (message._tag !== 'AppendEntriesReply' || message.to !== leader) return send
    return { ...send, message: withSeq(message, numberOf(message.re)) }
  })
  return canonical({ ...site, waiting }, allSilences)
}

/** Equal for equal canonical sites, and for no others. */
export const keyOfSite = ({ server, disk, unsynced, waiting, flushDue }: Site): string => {
  const { id, currentTerm, votedFor, log, commitIndex, lastApplied, applyingIndex, role, writeProgress } = server
  return [
    `${id}${flushDue ? '!' : ''} T${currentTerm} ${votedFor} ${keyOfLog(log)} ${commitIndex} ${applyingIndex} ${lastApplied}`,
    keyOfRole(role),
    `${writeProgress.index} ${writeProgress.pending.map(({ lastIndex }) => lastIndex).join()}`,
    `T${disk.currentTerm} ${disk.votedFor} ${keyOfLog(disk.log)} ${disk.commitIndex}`,
    unsynced.map(keyOfRecord).join(),
    waiting.map(keyOfSend).join(),
  ].join('|')
}

export const keyOfLog = (log: Log): string => [...log].map(keyOfEntry).join()

const keyOfSend = ({ after, message }: Send): string => `${after}:${keyOfMessage(message)}`

const keyOfRole = (role: Role): string => {
  switch (role._tag) {
    case 'Follower':
      return 'F'
    case 'Candidate':
      return `C${role.ownVote} ${role.votes.map(({ id }) => id).join()}`
    case 'Leader':
      return `L${role.followers.map(keyOfProgress).join()}`
  }
}

const keyOfProgress = ({ id, nextIndex, matchIndex, sentCommit, flow, inflight, silentHeartbeats }: Progress): string =>
  `${id} ${flow[0]} ${nextIndex} ${matchIndex} ${sentCommit} ${silentHeartbeats} ${inflight.map((it) => `${it.prevLogIndex}-${it.lastIndex}b${it.bytes}`).join('+')}`

const keyOfRecord = (record: DiskRecord): string => {
  const { seq } = record
  switch (record._tag) {
    case 'HardState':
      return `${seq}T${record.hardState.currentTerm} ${record.hardState.votedFor}`
    case 'Truncate':
      return `${seq}<${record.from}`
    case 'Entry':
      return `${seq}=${record.index} ${keyOfEntry(record.entry)}`
    case 'CommitIndex':
      return `${seq}c${record.commitIndex}`
    case 'Snapshot':
      throw new Error('the search takes no snapshots')
  }
}

/** With other names. The configuration stays as it is: all vote. */
export const renamedSite = ({ server, disk, unsynced, waiting, flushDue }: Site, to: Renaming): Site => {
  const orNull = (id: NodeId | null): NodeId | null => (id === null ? null : to(id))
  return canonical(
    {
      server: { ...server, id: to(server.id), votedFor: orNull(server.votedFor), role: renamedRole(server.role, to) },
      disk: { ...disk, votedFor: orNull(disk.votedFor) },
      unsynced: unsynced.map((record) =>
        record._tag === 'HardState'
          ? { ...record, hardState: { ...record.hardState, votedFor: orNull(record.hardState.votedFor) } }
          : record,
      ),
      waiting: waiting.map((send) => ({ ...send, message: renamedMessage(send.message, to) })),
      flushDue,
    },
    allSilences,
  )
}

const renamedRole = (role: Role, to: Renaming): Role => {
  switch (role._tag) {
    case 'Follower':
      return role
    case 'Candidate':
      return new Candidate(
        role.ownVote,
        role.votes.map(({ id, incarnation }) => ({ id: to(id), incarnation })),
      )
    case 'Leader':
      return new Leader(
        role.followers
          .map((progress) => Progress.of(to(progress.id), progress.nextIndex).with(progress))
          .sort((a, b) => byCodeUnit(a.id, b.id)),
      )
  }
}
