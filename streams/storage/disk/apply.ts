import type { SnapshotPointer } from '../../../src/raft/effect.js'
import type { Entry } from '../../../src/raft/state/entry.js'
import { after, before, type LogIndex, maxIndex, term } from '../../../src/raft/ids.js'
import { logAfter, type LogBase, logFrom } from '../../../src/raft/state/log.js'
import type { Recovered } from '../../../src/raft/state/server.js'
import type { Identity } from './identity.js'
import { decodeSegmentHeader, readHardState, readIndex, readPacked, readPointer } from './payload.js'
import { type LogRecord, u48Bytes } from './record.js'

/*
 * What a record makes of the state before it; or a sentence where it has no place after that state.
 */

/**
 * A state while the log is read. The first segment that is left may have been written before the snapshot that made
 * those before it superfluous: it then begins after entries that cannot be read, until the pointer to that snapshot
 * comes.
 */
export interface State extends Recovered {
  /**
   * Null if all of the log is there. Else what it really begins after, and `log` begins after the last entry that is
   * gone.
   */
  readonly unread: LogBase | null
}

/** A segment's header, after the segments before it, which left `before` behind; null where there are none. */
export const applyHeader = (
  { segment, identity, whole }: { readonly segment: number; readonly identity: Identity; readonly whole: State | null },
  { kind, payload }: LogRecord,
): State | string => {
  const header = kind === 'segment' ? decodeSegmentHeader(payload) : null
  if (header === null) return 'it does not open with the header of a segment'
  const { id, clusterId, incarnation, currentTerm, votedFor, base, snapshot, lastIndex, commitIndex } = header
  if (id !== identity.id || clusterId !== identity.clusterId || incarnation !== identity.incarnation) {
    return `it belongs to server ${id} of cluster ${clusterId}, incarnation ${incarnation}`
  }
  if (header.segment !== segment) return `it is segment ${header.segment} under another name`
  if (whole === null) return { currentTerm, votedFor, commitIndex, snapshot, ...upTo(base, lastIndex) }
  const { log } = whole
  const whereItBegins = baseOf(whole)
  const continues =
    currentTerm === whole.currentTerm &&
    votedFor === whole.votedFor &&
    lastIndex === log.lastIndex &&
    base.index === whereItBegins.index &&
    base.term === whereItBegins.term &&
    snapshot?.ref === whole.snapshot?.ref
  return continues ? whole : `it does not continue the segment before it, which ends at entry ${log.lastIndex} in term ${whole.currentTerm}`
}

/** A record behind a header. `keep` copies a payload out of the segment. */
export const applyRecord = (
  state: State | null,
  { kind, payload }: LogRecord,
  keep: (payload: Uint8Array) => Uint8Array,
): State | string => {
  if (state === null) return 'there is no header before it'
  const { log } = state
  switch (kind) {
    case 'pointer': {
      const pointer = readPointer(payload)
      return pointer === null ? 'it points to no snapshot' : applyPointer(state, pointer)
    }
    case 'hardState': {
      const hardState = readHardState(payload)
      if (hardState === null) return 'it holds no term and vote'
      return hardState.currentTerm < state.currentTerm
        ? `it goes back from term ${state.currentTerm} to ${hardState.currentTerm}`
        : { ...state, ...hardState }
    }
    case 'truncation': {
      const from = readIndex(payload)
      const base = baseOf(state)
      if (from === null || from <= base.index || from > log.lastIndex)
        return `it truncates from ${from ?? 'nowhere'}, and the log holds ${base.index + 1} to ${log.lastIndex}`
      return from > log.base.index ? { ...state, log: log.truncateFrom(from) } : { ...state, ...upTo(base, before(from)) }
    }
    case 'entries': {
      const firstIndex = readIndex(payload)
      if (firstIndex !== log.lastIndex + 1) return `its entries begin at ${firstIndex ?? 'nowhere'}, and the log ends at ${log.lastIndex}`
      const entries = readPacked(keep(payload.subarray(u48Bytes)))
      if (entries === null) return 'it holds no entries'
      return ascending(log.lastTerm, entries) ? { ...state, log: log.append(entries) } : 'the terms of its entries decrease'
    }
    case 'commit': {
      const index: LogIndex | null = readIndex(payload)
      return index === null ? 'it holds no index' : { ...state, commitIndex: maxIndex(state.commitIndex, index) }
    }
    case 'segment':
    case 'vote':
    case 'snapshot':
    case 'block':
      return `a record of kind ${kind} has no place there`
  }
}

const baseOf = ({ unread, log }: State): LogBase => unread ?? log.base

/** A log that begins after `base` and ends at `lastIndex`, with entries that cannot be read in between. */
const upTo = (base: LogBase, lastIndex: LogIndex): Pick<State, 'log' | 'unread'> =>
  lastIndex === base.index
    ? { log: logFrom(base), unread: null }
    : { log: logFrom({ ...base, index: lastIndex, term: term(0) }), unread: base }

const applyPointer = (state: State, pointer: SnapshotPointer): State | string => {
  const { log, unread } = state
  const { ref, size, base, keepsSuffix } = pointer
  const from = baseOf(state).index
  if (base.index <= from) return `it points to a snapshot of entry ${base.index}, and the log begins after ${from} already`
  const next = { ...state, snapshot: { ref, size } }
  if (keepsSuffix && unread !== null && base.index < log.base.index) return { ...next, unread: base }
  // Of the last entry that is gone no term is known: only that the log went on from there.
  const isKnown = unread === null || base.index > log.base.index
  if (keepsSuffix && isKnown && log.termAt(base.index) !== base.term)
    return `it keeps what follows entry ${base.index} of term ${base.term}, which the log does not hold`
  // And what is gone may have held the configuration that the snapshot has (§6).
  const left = unread === null ? logAfter(log, pointer) : logFrom(base, keepsSuffix ? log.from(after(base.index)) : [])
  return { ...next, unread: null, log: left }
}

const ascending = (from: number, entries: ReadonlyArray<Entry>): boolean => {
  let last = from
  for (const { term } of entries) {
    if (term < last) return false
    last = term
  }
  return true
}
