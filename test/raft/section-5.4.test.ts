import { describe, expect, it } from '@jest/globals'
import {
  after,
  appendEntries,
  appendEntriesReply,
  apply,
  armElectionTimer,
  entries,
  entry,
  flush,
  follower,
  heartbeatDue,
  leader,
  n2,
  n3,
  n4,
  n5,
  on,
  out,
  persist,
  persisted,
  proposed,
  received,
  requestVote,
  requestVoteReply,
  scheduleFlush,
  send,
  timeout,
} from './servers.js'

describe('§5.4.1 "the voter denies its vote if its own log is more up-to-date than that of the candidate"', () => {
  it.each([
    { ours: [], last: [0, 0], voteGranted: true },
    { ours: [], last: [1, 1], voteGranted: true },
    { ours: [1], last: [0, 0], voteGranted: false },
    // "If the logs have last entries with different terms, then the log with the later term is more up-to-date."
    { ours: [1, 2], last: [1, 9], voteGranted: false }, // longer, of an older term
    { ours: [1, 1, 1], last: [2, 1], voteGranted: true }, // shorter, of a newer term
    { ours: [1, 1, 1], last: [2, 3], voteGranted: true },
    { ours: [1, 3], last: [2, 2], voteGranted: false },
    // "If the logs end with the same term, then whichever log is longer is more up-to-date."
    { ours: [1, 1], last: [1, 1], voteGranted: false },
    { ours: [1, 1], last: [1, 2], voteGranted: true }, // "at least as up-to-date"
    { ours: [1, 1], last: [1, 3], voteGranted: true },
    { ours: [2, 3], last: [3, 1], voteGranted: false },
  ] as const)('log $ours against last $last: $voteGranted', ({ ours, last: [lastLogTerm, lastLogIndex], voteGranted }) => {
    const { effects } = on(follower({ T: 3, log: ours }), received(requestVote({ seq: 5, term: 4, lastLogTerm, lastLogIndex })))
    const reply = requestVoteReply({ ...out, re: 5, term: 4, voteGranted })
    expect(effects).toEqual([
      persist(1, { hardState: { currentTerm: 4, votedFor: voteGranted ? n2 : null }, firstIndex: ours.length + 1 }),
      ...(voteGranted ? [armElectionTimer(2), send(reply, 1)] : [send(reply)]),
    ])
  })

  it('a vote given before does not help a log that is behind', () => {
    const server = follower({ T: 4, votedFor: n2, log: [1, 3] })
    expect(on(server, received(requestVote({ term: 4, lastLogTerm: 1, lastLogIndex: 9 }))).effects).toEqual([
      send(requestVoteReply({ ...out, term: 4 })),
    ])
  })

  it('what a candidate asks with is what is in its log, on disk or not', () => {
    const behind = after(
      follower({ T: 3, log: [1] }),
      received(appendEntries({ term: 3, prevLogIndex: 1, prevLogTerm: 1, entries: entries(3) })),
    )
    expect(on(behind, timeout(2)).effects).toContainEqual(
      // It waits for write 2, and therefore for write 1 that holds the entry.
      send(requestVote({ ...out, seq: 1, term: 4, candidateId: out.from, lastLogIndex: 2, lastLogTerm: 3 }), 2),
    )
  })
})

/**
 * What a leader has committed after these followers have said that they have so much, and its own disk as much as
 * `durable` writes.
 */
const committed = ({
  log,
  T,
  of,
  matched,
  own = 0,
}: {
  readonly log: ReadonlyArray<number>
  readonly T: number
  readonly of: number
  readonly matched: ReadonlyArray<number>
  readonly own?: number
}) => {
  const elected = leader({ T, of, log })
  // Each probe has its own number; the replies need not know it to say what is true.
  const acks = matched.map((matchIndex, i) => received(appendEntriesReply({ from: [n2, n3, n4, n5][i]!, re: 1, term: T, matchIndex })))
  const proposals = own > 0 ? [proposed(1, ...Array.from({ length: own }, () => '')), flush] : []
  return { before: after(elected, ...proposals), acks }
}

describe('§5.4.2 "If there exists an N such that N > commitIndex, a majority of matchIndex[i] ≥ N, and log[N].term == currentTerm: set commitIndex = N"', () => {
  it.each([
    { of: 3, matched: [0, 0], N: 0 },
    { of: 3, matched: [1, 0], N: 1 },
    { of: 3, matched: [2, 1], N: 2 },
    { of: 3, matched: [1, 1], N: 1 },
    { of: 3, matched: [3, 3], N: 3 },
    { of: 5, matched: [3, 0, 0, 0], N: 0 },
    { of: 5, matched: [3, 2, 0, 0], N: 2 },
    { of: 5, matched: [3, 2, 1, 0], N: 2 },
    { of: 5, matched: [3, 3, 3, 3], N: 3 },
    { of: 4, matched: [3, 0, 0], N: 0 }, // two of four are no majority
    { of: 4, matched: [3, 2, 0], N: 2 },
    { of: 2, matched: [2], N: 2 },
  ])('of $of, followers have $matched of three entries of its own term: commitIndex $N', ({ of, matched, N }) => {
    const { before, acks } = committed({ log: [], T: 1, of, matched, own: 3 })
    expect(after(before, persisted(2), ...acks).commitIndex).toBe(N)
  })

  it('"Raft never commits log entries from previous terms by counting replicas"', () => {
    const { before, acks } = committed({ log: [1, 2], T: 4, of: 3, matched: [2, 2] })
    expect(after(before, ...acks).commitIndex).toBe(0)
  })

  it('"once an entry from the current term has been committed in this way, then all prior entries are committed indirectly"', () => {
    const { before } = committed({ log: [1, 2], T: 4, of: 3, matched: [], own: 1 })
    const { server, effects } = on(before, persisted(2), received(appendEntriesReply({ re: 1, term: 4, matchIndex: 3 })))
    expect(effects).toEqual([apply(1, entry(1), entry(2), entry(4)), scheduleFlush])
    expect(server.commitIndex).toBe(3)
  })

  it.each([
    { log: [1, 1], matched: [2, 2], N: 0 },
    { log: [1, 1], matched: [3, 0], N: 3 },
    { log: [1, 1], matched: [3, 2], N: 3 },
    { log: [1, 1], matched: [2, 2], own: 0, N: 0 },
    { log: [], matched: [0, 0], N: 0 },
  ])('log $log and one of term 2, followers have $matched: commitIndex $N', ({ log, matched, N }) => {
    const { before, acks } = committed({ log, T: 2, of: 3, matched, own: 1 })
    expect(after(before, persisted(2), ...acks).commitIndex).toBe(N)
  })

  it('the leader counts itself up to what is on its disk, wherever the others are', () => {
    const { before, acks } = committed({ log: [], T: 1, of: 3, matched: [1], own: 1 })
    const acknowledged = on(before, ...acks)
    expect(acknowledged.effects).toEqual([])
    expect(acknowledged.server.commitIndex).toBe(0)
    expect(on(acknowledged.server, persisted(2)).effects).toEqual([apply(1, entry(1)), scheduleFlush])
  })

  it('an entry that is on the disks of the others is committed before it is on the leader’s own; it applies it when it is', () => {
    const { before, acks } = committed({ log: [], T: 1, of: 3, matched: [1, 1], own: 1 })
    const acknowledged = on(before, ...acks)
    expect(acknowledged.server.commitIndex).toBe(1)
    expect(acknowledged.effects).toEqual([scheduleFlush])
    expect(on(acknowledged.server, persisted(2)).effects).toEqual([apply(1, entry(1))])
  })

  it('in a cluster of one, what is on disk is committed', () => {
    const alone = after(leader({ of: 1 }), proposed(1, 'x'))
    const { server, effects } = on(alone, persisted(2))
    expect(server.commitIndex).toBe(1)
    expect(effects).toEqual([apply(1, entry(1, 'x')), scheduleFlush])
  })

  it('commitIndex is told with the next message: one for each, when the turn ends', () => {
    const sent = after(
      leader(),
      received(appendEntriesReply({ re: 3 })),
      received(appendEntriesReply({ from: n3, re: 4 })),
      proposed(1, 'x'),
      flush,
      persisted(2),
    )
    const { effects } = on(sent, received(appendEntriesReply({ re: 5, matchIndex: 1 })), flush)
    const notice = appendEntries({ ...out, seq: 7, term: 1, leaderId: out.from, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1 })
    expect(effects).toEqual([send(notice), send({ ...notice, to: n3, seq: 8 } as typeof notice)])
  })

  it('a heartbeat brings it too', () => {
    const done = after(
      leader(),
      received(appendEntriesReply({ re: 3 })),
      proposed(1, 'x'),
      flush,
      persisted(2),
      received(appendEntriesReply({ re: 5, matchIndex: 1 })),
    )
    expect(on(done, heartbeatDue(1)).effects).toContainEqual(
      send(appendEntries({ ...out, seq: 6, term: 1, leaderId: out.from, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1 })),
    )
  })
})
