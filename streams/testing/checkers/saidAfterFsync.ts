import type { CheckOf } from './checker.js'
import { Moved } from './moved.js'

/**
 * I18: "updated on stable storage before responding to RPCs" (Figure 2). Judged when a message arrives, by what the
 * disk of its sender has acknowledged until then: a granted vote, a candidature, an acknowledgement of entries.
 *
 * @example
 * merge(...servers.map(({ inspect$ }) => inspect$)).pipe(checking(saidAfterFsync)).subscribe(({ message }) => alarm(message))
 * // n2 acknowledges entries up to 5; its disk has acknowledged 4
 */
export const saidAfterFsync: CheckOf = (record) => ({
  name: 'nothing durable is said before its fsync (Figure 2)',
  moved: Moved.received,
  see: ({ event }) => {
    if (event._tag !== 'Received') return null
    const { message, incarnation } = event
    const sender = record.named(message.from, incarnation)
    if (sender === undefined || sender.ackedTerm === null) return null
    const { ackedTerm, ackedVote } = sender
    switch (message._tag) {
      case 'RequestVote':
      case 'RequestVoteReply': {
        if (message._tag === 'RequestVoteReply' && !message.voteGranted) return null
        const candidate = message._tag === 'RequestVote' ? message.from : message.to
        if (ackedTerm > message.term || (ackedTerm === message.term && ackedVote === candidate)) return null
        return `${message.from} says that it votes for ${candidate} in term ${message.term}; its disk knows of term ${ackedTerm}, vote ${ackedVote ?? '-'}`
      }
      case 'AppendEntriesReply': {
        const { now } = sender
        // What was true in an older term may have been replaced since.
        if (!message.success || now.currentTerm !== message.term || now.writeProgress.index >= message.matchIndex) return null
        // A leader's snapshot took the place of what it had acknowledged: what the disk holds of that is not followed
        // any more.
        if (message.matchIndex <= now.log.base.index) return null
        return `${message.from} acknowledges entries up to ${message.matchIndex}; its disk has acknowledged ${now.writeProgress.index}`
      }
      case 'InstallSnapshotReply': {
        const { now } = sender
        if (now.currentTerm !== message.term || now.writeProgress.index >= message.matchIndex) return null
        return `${message.from} acknowledges a snapshot of ${message.matchIndex}; its disk has acknowledged ${now.writeProgress.index}`
      }
      default:
        return null
    }
  },
})
