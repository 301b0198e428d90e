import type { TraceMessage } from '../line.js'
import { durableIndex, once, remembers } from './disk.js'
import { entryAt, isSame, lastIndex, lastTerm, termAt } from './log.js'
import type { ModelServer } from './model.js'
import { must } from './must.js'

/**
 * Whether a server in this state may say that once the writes up to `after` are done; null: at once. It has the state
 * after the step.
 */
export const maySend = (server: ModelServer, message: TraceMessage, after: number | null): void => {
  const { id, role, currentTerm, log, commitIndex } = server
  must(message.from === id && message.to !== id, `it sends in the name of ${message.from} to ${message.to}`)
  must(message.term === currentTerm, `it sends term ${message.term} and is in ${currentTerm}`)
  const disk = once(server.disk, after)
  switch (message._tag) {
    case 'RequestVote':
      must(role === 'Candidate' && message.candidateId === id, 'it asks for votes and stands for nothing')
      must(message.lastLogIndex === lastIndex(log) && message.lastLogTerm === lastTerm(log), 'it asks for votes with a log it has not')
      must(remembers(disk, currentTerm, id), 'it asks for votes before its own is on disk')
      return
    case 'RequestVoteReply':
      must(!message.voteGranted || remembers(disk, currentTerm, message.to), 'it grants a vote that is not on disk')
      return
    case 'AppendEntries': {
      const { leaderId, prevLogIndex, prevLogTerm, entries, leaderCommit } = message
      must(role === 'Leader' && leaderId === id, 'it sends entries and does not lead')
      must(termAt(log, prevLogIndex) === prevLogTerm, `its entry ${prevLogIndex} is not of term ${prevLogTerm}`)
      entries.forEach((entry, i) => {
        must(isSame(entry, entryAt(log, prevLogIndex + 1 + i)), `it sends another entry ${prevLogIndex + 1 + i} than its log has`)
      })
      must(leaderCommit <= commitIndex, `it sends commit index ${leaderCommit} and knows of ${commitIndex}`)
      return
    }
    case 'InstallSnapshot': {
      const { leaderId, lastIncludedIndex, lastIncludedTerm } = message
      must(role === 'Leader' && leaderId === id, 'it sends a snapshot and does not lead')
      must(lastIncludedIndex <= log.baseIndex, `it sends a snapshot of ${lastIncludedIndex}, and its log begins after ${log.baseIndex}`)
      must(lastIncludedIndex < log.baseIndex || lastIncludedTerm === log.baseTerm, `its snapshot is not of term ${lastIncludedTerm}`)
      return
    }
    case 'InstallSnapshotReply':
      must(message.matchIndex <= durableIndex(disk), 'it says that a snapshot is installed that is not on its disk')
      return
    case 'AppendEntriesReply':
      must(!message.success || message.matchIndex <= durableIndex(disk), 'it acknowledges more than is on its disk')
      return
  }
}
