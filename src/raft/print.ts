import type { Effect, Write } from './effect.js'
import type { Entry } from './state/entry.js'
import type { RaftEvent } from './event.js'
import type { LogBase } from './state/log.js'
import type { Message } from './messages.js'
import type { Role } from './state/role.js'
import type { Server } from './state/server.js'
import type { Step } from './step.js'

/** One line per thing, the same in traces, transcripts, failures and docs. */

/**
 * `n1 Follower  T3 vote n2 commit 0 log [1 1 2]` — the log by the terms of its entries.
 *
 * @example
 * const log = logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly([nodeId('n1')]) })
 * printServer(restart(nodeId('n1'), defaultSettings, fresh(log))) // 'n1 Follower  T0 vote - commit 0 log []'
 */
export const printServer = ({ id, role, currentTerm, votedFor, commitIndex, log, writeProgress }: Server): string => {
  const lag = writeProgress.index < log.lastIndex ? ` durable ${writeProgress.index}` : ''
  return `${id} ${printRole(role).padEnd(9)} T${currentTerm} vote ${votedFor ?? '-'} commit ${commitIndex} log ${printBase(log.base)}${printTerms([...log])}${lag}`
}

/**
 * A role in one word.
 *
 * @example
 * printRole(new Follower(null)) // 'Follower'
 */
export const printRole = (role: Role): string => role._tag

/** What a snapshot stands for, as index/term. */
const printBase = ({ index, term }: LogBase): string => (index === 0 ? '' : `${index}/${term} `)

const printTerms = (entries: ReadonlyArray<Entry>): string => {
  const shown = entries.slice(-12).map(({ term }) => term)
  return `[${entries.length > shown.length ? '… ' : ''}${shown.join(' ')}]`
}

/**
 * `n2→n3 RequestVote T1 last 0/0` — positions as index/term.
 *
 * @example
 * printMessage({
 *   _tag: 'RequestVoteReply', from: nodeId('n1'), to: nodeId('n2'), re: messageSeq(1), term: term(1), voteGranted: false,
 * }) // 'n1→n2 denied T1'
 */
export const printMessage = (m: Message): string => {
  const head = `${m.from}→${m.to}`
  switch (m._tag) {
    case 'RequestVote':
      return `${head} RequestVote T${m.term} last ${m.lastLogIndex}/${m.lastLogTerm}`
    case 'RequestVoteReply':
      return `${head} ${m.voteGranted ? 'granted' : 'denied'} T${m.term}`
    case 'AppendEntries': {
      const what = m.entries.length === 0 ? '' : ` entries ${printTerms(m.entries)}`
      return `${head} AppendEntries T${m.term} prev ${m.prevLogIndex}/${m.prevLogTerm}${what} commit ${m.leaderCommit}`
    }
    case 'AppendEntriesReply': {
      if (m.success) return `${head} appended T${m.term} match ${m.matchIndex}`
      return `${head} refused T${m.term}${m.conflict === null ? '' : ` conflict ${m.conflict.index}/${m.conflict.term ?? '-'}`}`
    }
    case 'InstallSnapshot':
      return `${head} InstallSnapshot T${m.term} last ${m.lastIncludedIndex}/${m.lastIncludedTerm} bytes ${m.offset}…${m.offset + m.data.length}${m.done ? ' done' : ''}`
    case 'InstallSnapshotReply':
      return `${head} ${m.matchIndex > 0 ? 'installed' : 'wants'} T${m.term} ${m.matchIndex > 0 ? `match ${m.matchIndex}` : `byte ${m.offset}`}`
  }
}

/**
 * A write in a few words.
 *
 * @example
 * const hardState = { currentTerm: term(1), votedFor: nodeId('n1') }
 * printWrite({ snapshot: null, hardState, truncateFrom: null, firstIndex: logIndex(1), entries: [], commitIndex: logIndex(0) })
 * // 'T1 vote n1'
 */
export const printWrite = ({ snapshot, hardState, truncateFrom, firstIndex, entries }: Write): string =>
  [
    ...(snapshot === null ? [] : [`log after snapshot ${snapshot.ref} of ${snapshot.base.index}/${snapshot.base.term}`]),
    ...(hardState === null ? [] : [`T${hardState.currentTerm} vote ${hardState.votedFor ?? '-'}`]),
    ...(truncateFrom === null ? [] : [`truncate from ${truncateFrom}`]),
    ...(entries.length === 0 ? [] : [`entries ${firstIndex}… ${printTerms(entries)}`]),
  ].join(', ')

/**
 * An effect in a few words.
 *
 * @example
 * printEffect({ _tag: 'ArmHeartbeat', generation: 1 }) // 'ArmHeartbeat 1'
 */
export const printEffect = (effect: Effect): string => {
  switch (effect._tag) {
    case 'Persist':
      return `persist #${effect.seq} ${printWrite(effect.write)}`
    case 'Send':
      return `send    ${printMessage(effect.message)}${effect.after === null ? '' : ` after #${effect.after}`}`
    case 'Apply':
      return `apply   ${effect.firstIndex}…${effect.firstIndex + effect.entries.length - 1}`
    case 'Restore':
      return `restore snapshot ${effect.snapshot.ref} of ${effect.base.index}/${effect.base.term}`
    case 'StoreSnapshot':
      return `store   snapshot ${effect.ref} of ${effect.base.index}/${effect.base.term} bytes ${effect.offset}…${effect.offset + effect.data.length}${effect.last ? ' last' : ''}`
    case 'ReadChunk':
      return `read    snapshot ${effect.ref} from byte ${effect.offset} for ${effect.peer}`
    case 'DiscardSnapshots':
      return `discard snapshots ${effect.refs.join(' ')}${effect.after === null ? '' : ` after #${effect.after}`}`
    case 'ArmElectionTimer':
    case 'ArmHeartbeat':
      return `${effect._tag} ${effect.generation}`
    case 'ScheduleFlush':
      return 'ScheduleFlush'
    case 'Ignored':
      return `ignored a message of ${effect.from}: ${effect.why}`
    case 'Appended':
      return `appended request ${effect.request} at ${effect.firstIndex} T${effect.term} ×${effect.count}`
    case 'Refused':
      return `refused request ${effect.request} after ${effect.appended}: ${effect.refusal._tag}${
        effect.refusal._tag === 'NotLeader' ? ` (leader ${effect.refusal.leader ?? 'unknown'})` : ` (${effect.refusal.limit})`
      }`
  }
}

/**
 * An event in a few words.
 *
 * @example
 * printEvent({ _tag: 'Persisted', seq: writeSeq(3) }) // '> Persisted #3'
 */
export const printEvent = (event: RaftEvent): string => {
  switch (event._tag) {
    case 'Received':
      return `> ${printMessage(event.message)}`
    case 'ElectionTimedOut':
    case 'HeartbeatDue':
      return `> ${event._tag} ${event.generation}`
    case 'Proposed':
      return `> Proposed request ${event.request} ×${event.commands.length}`
    case 'Persisted':
      return `> Persisted #${event.seq}`
    case 'Applied':
      return `> Applied ${event.index}`
    case 'SnapshotTaken':
      return `> SnapshotTaken ${event.index}, ${event.data.length} bytes`
    case 'ChunkStored':
      return `> ChunkStored snapshot ${event.ref} up to byte ${event.offset}`
    case 'SnapshotStored':
      return `> SnapshotStored ${event.ref}, ${event.size} bytes`
    case 'SnapshotRefused':
      return `> SnapshotRefused ${event.ref}`
    case 'ChunkRead':
      return `> ChunkRead snapshot ${event.ref} bytes ${event.offset}…${event.offset + event.data.length} for ${event.peer}`
    case 'Unreachable':
      return `> Unreachable ${event.peer}`
    case 'Started':
    case 'Flush':
      return `> ${event._tag}`
  }
}

/**
 * A whole step: the event, its effects in order, and the state it led to.
 *
 * @example
 * const told = (server: Server, event: RaftEvent, at: number): string => printStep(event, step(server, event, at))
 */
export const printStep = (event: RaftEvent, { server, effects }: Step): string =>
  [printEvent(event), ...effects.map((effect) => `  ${printEffect(effect)}`), `  ${printServer(server)}`].join('\n')
