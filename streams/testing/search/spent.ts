import type { Recovered } from '../../../src/raft/state/server.js'
import { logIndex, minIndex } from '../../../src/raft/ids.js'
import type { AppendEntries, Message, RequestVote } from '../../../src/raft/messages.js'
import type { Site } from './site.js'

/** What is known of how the search may go on. */
export interface Outlook {
  /** The last term that there will be. */
  readonly lastTerm: number
  /** Whether it matters yet to a heartbeat how many before it had no answer. */
  readonly silenceMatters: boolean
  /** Whether another server may crash. */
  readonly crashes: boolean
}

/** What a server will not go back behind: what is on its disk, or all that it has where nobody crashes any more. */
type Sure = Pick<Recovered, 'currentTerm' | 'votedFor' | 'log' | 'commitIndex'>
const sureOf = ({ server, disk }: Site, { crashes }: Outlook): Sure => (crashes ? disk : server)

/**
 * Whether a message can change nothing at its receiver, neither now nor later: it need not be
 * remembered, so that states that differ in it only are one. What is true now and must stay true:
 *
 *  1. A term that a server is sure of is never gone back to, nor is a vote in it, nor what it holds of
 *     that term's leader: an older term's message is refused for ever, and a vote once given stays.
 *  2. Nobody stands or leads a second time in a term: who does not count votes in a term, or answers, never will.
 *  3. A refusal tells its receiver nothing but a newer term. Who is sure of the last term of the
 *     search cannot be told one, so that requests of its that will be refused come to nothing.
 *  4. A leader looks for the number of an answer among its requests without an answer, and a number that has left these
 *     (0) never comes back: a late answer matters only by a `matchIndex` that is news, and to how long the follower was
 *     silent.
 *
 * Whether it changes nothing *now* is asked of `step` itself, too: a `step` with a mistake is not shielded (tables.ts).
 * On small bounds it is tested after every move that what was spent is still, and that with and without the servers and
 * disks come to the same states.
 */
export const isSpent = (m: Message, receiver: Site, sender: Site, outlook: Outlook): boolean => {
  const sure = sureOf(receiver, outlook)
  const { role, currentTerm } = receiver.server
  const knowsLastTerm = sureOf(sender, outlook).currentTerm >= outlook.lastTerm
  switch (m._tag) {
    case 'RequestVote':
      return knowsLastTerm && (m.term < sure.currentTerm || (m.term === sure.currentTerm && isDecided(m, sure, sender)))
    case 'AppendEntries':
      return knowsLastTerm && (m.term < sure.currentTerm || (m.term === sure.currentTerm && isOld(m, sure, sender, outlook)))
    case 'RequestVoteReply': {
      const counts = m.voteGranted && role._tag === 'Candidate' && currentTerm === m.term && !role.hasVoteOf(m.from)
      return m.term <= sure.currentTerm && !counts
    }
    case 'AppendEntriesReply': {
      if (m.term > sure.currentTerm) return false
      if (role._tag !== 'Leader' || currentTerm !== m.term) return true
      const isNews = m.success && m.matchIndex > (role.follower(m.from)?.matchIndex ?? 0)
      return m.re === 0 && !isNews && !outlook.silenceMatters
    }
    case 'InstallSnapshot':
    case 'InstallSnapshotReply':
      return false
  }
}

/**
 * Whether one of several equal messages is as good as all: an answer which is spent once it has
 * arrived. A vote is then counted, a request answered (no follower is so full here that it would not be), and a newer
 * term known, if no crash can take that back.
 */
export const onceIsEnough = (m: Message, receiver: Site, outlook: Outlook): boolean => {
  switch (m._tag) {
    case 'RequestVoteReply':
    case 'AppendEntriesReply':
      return !outlook.silenceMatters && (!outlook.crashes || m.term <= receiver.disk.currentTerm)
    case 'RequestVote':
    case 'AppendEntries':
    case 'InstallSnapshot':
    case 'InstallSnapshotReply':
      return false
  }
}

/**
 * Whether the vote is another's, or the candidate has it or can use it no more. A log that is ahead now is no reason: a
 * crash may take that away.
 */
const isDecided = ({ candidateId, term, to }: RequestVote, { votedFor }: Sure, { server: { role, currentTerm } }: Site): boolean =>
  votedFor !== null && (votedFor !== candidateId || role._tag !== 'Candidate' || currentTerm !== term || role.hasVoteOf(to))

/**
 * Whether the follower has all that is in it, and its leader knows that: nobody but a newer leader could take it away
 * again.
 */
const isOld = (m: AppendEntries, { log, commitIndex }: Sure, { server: { role } }: Site, { silenceMatters }: Outlook): boolean => {
  const last = logIndex(m.prevLogIndex + m.entries.length)
  const isHere =
    log.termAt(last) === (m.entries[m.entries.length - 1]?.term ?? m.prevLogTerm) && commitIndex >= minIndex(m.leaderCommit, last)
  const isKnown = role._tag !== 'Leader' || (m.seq === 0 && !silenceMatters && (role.follower(m.to)?.matchIndex ?? 0) >= last)
  return isHere && isKnown
}
