import type { Send } from '../../../src/raft/effect.js'
import type { Entry } from '../../../src/raft/state/entry.js'
import type { RaftEvent } from '../../../src/raft/event.js'
import { after } from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import type { Server } from '../../../src/raft/state/server.js'
import type { Inspection } from '../../loop/run.js'
import { actionsOf } from './actions.js'
import type { TraceEntry, TraceEvent, TraceLine, TraceMessage, TraceRecovered, TraceState } from './line.js'

/**
 * A step as a line of a trace. What it costs grows with what the step did, not with the log; `Started` holds the whole
 * log.
 *
 * @example
 * server.inspect$.subscribe((step) => console.log(lineOf(step).actions)) // ['Timeout', 'RequestVote', 'rxraft/Write']
 */
export const lineOf = (inspection: Inspection): TraceLine => {
  const { at, event, before, after, effects } = inspection
  const persist = effects.find((effect) => effect._tag === 'Persist')
  const restored = effects.find((effect) => effect._tag === 'Restore')
  return {
    id: after.id,
    at,
    event: eventLine(event, before),
    actions: actionsOf(inspection),
    write: persist === undefined ? null : persist.seq,
    send: effects
      .filter((effect): effect is Send => effect._tag === 'Send')
      .map((send) => ({ message: messageLine(send.message), after: send.after })),
    store: effects.flatMap((effect) =>
      effect._tag === 'StoreSnapshot'
        ? [
            {
              ref: effect.ref,
              index: effect.base.index,
              term: effect.base.term,
              offset: effect.offset,
              data: hex(effect.data),
              last: effect.last,
            },
          ]
        : [],
    ),
    restore: restored === undefined ? null : { index: restored.base.index, term: restored.base.term },
    apply: effects.flatMap((effect) => (effect._tag === 'Apply' ? [{ firstIndex: effect.firstIndex, count: effect.entries.length }] : [])),
    after: stateLine(after),
  }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

const entryLine = ({ term, kind, command }: Entry): TraceEntry => ({ term, kind, command: hex(command) })

const messageLine = (message: Message): TraceMessage => {
  switch (message._tag) {
    case 'AppendEntries':
      return { ...message, entries: message.entries.map(entryLine) }
    case 'InstallSnapshot':
      return { ...message, data: hex(message.data) }
    default:
      return message
  }
}

/** `Started` says nothing of the disk; the server as it is before holds all that was on it. */
const eventLine = (event: RaftEvent, before: Server): TraceEvent => {
  switch (event._tag) {
    case 'Started':
      return { _tag: 'Started', recovered: recoveredLine(before), settings: { ...before.settings } }
    case 'Received':
      return { _tag: 'Received', message: messageLine(event.message), ...(event.incarnation && { incarnation: event.incarnation }) }
    case 'Proposed':
      return { _tag: 'Proposed', request: event.request, commands: event.commands.map(hex) }
    case 'SnapshotTaken':
      return { _tag: 'SnapshotTaken', index: event.index, data: hex(event.data) }
    case 'ChunkRead':
      return { ...event, data: hex(event.data) }
    default:
      return event
  }
}

const recoveredLine = ({ incarnation, currentTerm, votedFor, commitIndex, log, snapshots: { current } }: Server): TraceRecovered => ({
  ...(incarnation !== null && { incarnation }),
  currentTerm,
  votedFor,
  commitIndex,
  base: { index: log.base.index, term: log.base.term, configuration: log.base.configuration },
  snapshot: current === null ? null : { ref: current.ref, size: current.size },
  entries: log.from(after(log.base.index)).map(entryLine),
})

const stateLine = ({ currentTerm, votedFor, role, commitIndex, applyingIndex, lastApplied, writeProgress, log }: Server): TraceState => ({
  currentTerm,
  votedFor,
  role: role._tag,
  commitIndex,
  applyingIndex,
  lastApplied,
  durable: writeProgress.index,
  base: { index: log.base.index, term: log.base.term },
  last: { index: log.lastIndex, term: log.lastTerm },
  followers:
    role._tag === 'Leader'
      ? Object.fromEntries(role.followers.map(({ id, nextIndex, matchIndex }) => [id, { nextIndex, matchIndex }]))
      : {},
})
