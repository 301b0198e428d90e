import type { Configuration } from '../../../src/raft/state/configuration.js'
import type { Entry } from '../../../src/raft/state/entry.js'
import type { RaftEvent } from '../../../src/raft/event.js'
import { type Incarnation, logIndex, nodeId, term } from '../../../src/raft/ids.js'
import { logFrom } from '../../../src/raft/state/log.js'
import type { Message } from '../../../src/raft/messages.js'
import { type Recovered, restart, type Server } from '../../../src/raft/state/server.js'
import { defaultSettings } from '../../../src/raft/settings.js'
import type { TraceEntry, TraceEvent, TraceEventOf, TraceMessage } from './line.js'

/*
 * From a line back to what the core takes. That the numbers and names are of the right kind was checked when the line
 * was read (`fromNdjson`); here they only get the core's types back.
 */

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))

const entryOf = ({ term: T, kind, command }: TraceEntry): Entry => {
  const bytes = bytesOf(command)
  return { term: term(T), kind, size: bytes.length, command: bytes }
}

const messageOf = (message: TraceMessage): Message => {
  switch (message._tag) {
    case 'AppendEntries':
      return { ...message, entries: message.entries.map(entryOf) } as unknown as Message
    case 'InstallSnapshot':
      return { ...message, data: bytesOf(message.data) } as unknown as Message
    default:
      return message as Message
  }
}

export const eventOf = (event: TraceEvent): RaftEvent => {
  switch (event._tag) {
    case 'Started':
      return { _tag: 'Started' }
    case 'Received':
      return {
        _tag: 'Received',
        message: messageOf(event.message),
        ...(event.incarnation !== undefined && { incarnation: event.incarnation as Incarnation }),
      }
    case 'Proposed':
      return { _tag: 'Proposed', request: event.request, commands: event.commands.map(bytesOf) }
    case 'SnapshotTaken':
      return { _tag: 'SnapshotTaken', index: logIndex(event.index), data: bytesOf(event.data) }
    case 'ChunkRead':
      return { ...event, data: bytesOf(event.data) } as unknown as RaftEvent
    default:
      return event as RaftEvent
  }
}

/** The server as it was before `Started`. */
export const serverOf = (id: string, { recovered, settings }: TraceEventOf<'Started'>): Server => {
  const { incarnation = null, currentTerm, votedFor, commitIndex, base, entries, snapshot } = recovered
  return restart(
    nodeId(id),
    { ...defaultSettings, ...settings },
    {
      incarnation: incarnation as Incarnation | null,
      currentTerm: term(currentTerm),
      votedFor: votedFor === null ? null : nodeId(votedFor),
      commitIndex: logIndex(commitIndex),
      log: logFrom(
        { index: logIndex(base.index), term: term(base.term), configuration: base.configuration as Configuration },
        entries.map(entryOf),
      ),
      snapshot: snapshot as Recovered['snapshot'],
    },
  )
}
