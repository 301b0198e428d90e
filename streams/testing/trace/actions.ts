import type { Message } from '../../../src/raft/messages.js'
import type { Inspection } from '../../loop/run.js'

/**
 * A step in the words of raft.tla (Ongaro's specification), in the order in which they are true. Each word stands once
 * in a step: `ClientRequest` for a whole batch, `RequestVote` and `AppendEntries` for all that the step sends. What
 * raft.tla has no word for begins with `rxraft/`. `DuplicateMessage` and `DropMessage` are the network's, which no
 * server sees; `ReturnToFollowerState` is a part of `HandleAppendEntriesRequest`.
 *
 * @example
 * // ['Timeout', 'RequestVote', 'rxraft/Write']
 * server.inspect$.subscribe((inspection) => console.log(actionsOf(inspection)))
 */
export const actionsOf = (inspection: Inspection): ReadonlyArray<string> => {
  const { before, after, effects } = inspection
  const sends = (tag: string): boolean => effects.some((effect) => effect._tag === 'Send' && effect.message._tag === tag)
  const elected = before.role._tag !== 'Leader' && after.role._tag === 'Leader'
  const committed = after.role._tag === 'Leader' && after.commitIndex > before.commitIndex
  return [
    ...happened(inspection),
    ...only(elected, 'BecomeLeader'),
    ...only(
      elected && after.log !== before.log,
      after.log.configuration === before.log.configuration ? 'rxraft/Noop' : 'rxraft/NameMembers',
    ),
    ...only(committed, 'AdvanceCommitIndex'),
    ...only(sends('RequestVote'), 'RequestVote'),
    ...only(sends('AppendEntries'), 'AppendEntries'),
    ...only(sends('InstallSnapshot'), 'rxraft/InstallSnapshot'),
    ...only(after.log.base !== before.log.base, 'rxraft/Compact'),
    ...only(
      effects.some(({ _tag }) => _tag === 'Persist'),
      'rxraft/Write',
    ),
    ...only(
      effects.some(({ _tag }) => _tag === 'Restore'),
      'rxraft/Restore',
    ),
    ...only(
      effects.some(({ _tag }) => _tag === 'Apply'),
      'rxraft/Apply',
    ),
  ]
}

const only = (is: boolean, action: string): ReadonlyArray<string> => (is ? [action] : [])

/** What the event itself is. */
const happened = ({ event, before, after, effects }: Inspection): ReadonlyArray<string> => {
  switch (event._tag) {
    case 'Started':
      return ['Restart']
    case 'ElectionTimedOut':
      return [after.currentTerm > before.currentTerm ? 'Timeout' : 'rxraft/StaleTimeout']
    case 'Proposed':
      return [after.log === before.log ? 'rxraft/Refused' : 'ClientRequest']
    case 'Received': {
      const { message } = event
      if (message.to !== before.id || message.from === before.id) return ['rxraft/Ignored']
      if (effects.some(({ _tag }) => _tag === 'Ignored')) return ['rxraft/Ignored']
      return [...only(message.term > before.currentTerm, 'UpdateTerm'), handled(event.message._tag, message.term < before.currentTerm)]
    }
    case 'HeartbeatDue':
    case 'Flush':
    case 'Persisted':
    case 'Applied':
    case 'SnapshotTaken':
    case 'ChunkStored':
    case 'SnapshotStored':
    case 'SnapshotRefused':
    case 'ChunkRead':
    case 'Unreachable':
      return [`rxraft/${event._tag}`]
  }
}

const handled = (tag: Message['_tag'], old: boolean): string => {
  switch (tag) {
    case 'RequestVote':
      return 'HandleRequestVoteRequest'
    case 'AppendEntries':
      return 'HandleAppendEntriesRequest'
    case 'RequestVoteReply':
      return old ? 'DropStaleResponse' : 'HandleRequestVoteResponse'
    case 'AppendEntriesReply':
      return old ? 'DropStaleResponse' : 'HandleAppendEntriesResponse'
    case 'InstallSnapshot':
      return 'rxraft/HandleInstallSnapshotRequest'
    case 'InstallSnapshotReply':
      return old ? 'DropStaleResponse' : 'rxraft/HandleInstallSnapshotResponse'
  }
}
