import { logIndex, minIndex } from '../../../src/raft/ids.js'
import type { AppendEntries, Message } from '../../../src/raft/messages.js'
import type { Site } from './site.js'

/** What is known of how the search may go on. */
export interface Outlook {
  /** The last term that there will be. */
  readonly lastTerm: number
  /** Whether another heartbeat may come due. */
  readonly heartbeats: boolean
  /** Whether another server may crash. */
  readonly crashes: boolean
}

/**
 * Whether a message can change nothing at its receiver, neither now nor later: it need not be
 * remembered, so that states that differ in it only are one. Rests on this, that
 *
 *  - a term that is on disk is never gone back to, nor is a vote in it;
 *  - nobody stands or leads a second time in a term;
 *  - nobody whose disk is in the last term of the search learns of a newer one by a refusal.
 *
 * Whether it changes nothing *now* is asked of `step` itself, too: a `step` with a mistake is not shielded (tables.ts).
 */
export const isSpent = (m: Message, receiver: Site, sender: Site, outlook: Outlook): boolean => {
  const { server, disk } = receiver
  const { role, currentTerm } = server
  const knowsLastTerm = sender.disk.currentTerm >= outlook.lastTerm
  switch (m._tag) {
    case 'RequestVote':
      return knowsLastTerm && (m.term < disk.currentTerm || (m.term === disk.currentTerm && disk.votedFor !== null))
    case 'AppendEntries':
      return knowsLastTerm && (m.term < disk.currentTerm || (m.term === disk.currentTerm && isOld(m, receiver, sender, outlook)))
    case 'RequestVoteReply': {
      const counts = m.voteGranted && role._tag === 'Candidate' && currentTerm === m.term && !role.votes.includes(m.from)
      return m.term <= disk.currentTerm && !counts
    }
    case 'AppendEntriesReply': {
      if (m.term > disk.currentTerm) return false
      if (role._tag !== 'Leader' || currentTerm !== m.term) return true
      // A late one with nothing new only says that the follower is there, which matters to heartbeats.
      const isNews = m.success && m.matchIndex > (role.follower(m.from)?.matchIndex ?? 0)
      return m.re === 0 && !isNews && !outlook.heartbeats
    }
    case 'InstallSnapshot':
    case 'InstallSnapshotReply':
      return false
  }
}

/** Whether the follower has all that is in it, and its leader knows that: nobody but a newer leader, or a crash, could take it away again. */
const isOld = (
  m: AppendEntries,
  { server: { log, commitIndex } }: Site,
  { server: { role } }: Site,
  { heartbeats, crashes }: Outlook,
): boolean => {
  const last = logIndex(m.prevLogIndex + m.entries.length)
  const isHere =
    log.termAt(last) === (m.entries[m.entries.length - 1]?.term ?? m.prevLogTerm) && commitIndex >= minIndex(m.leaderCommit, last)
  const isKnown = role._tag !== 'Leader' || (m.seq === 0 && !heartbeats && (role.follower(m.to)?.matchIndex ?? 0) >= last)
  return !crashes && isHere && isKnown
}
