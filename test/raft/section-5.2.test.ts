import { describe, expect, it } from '@jest/globals'
import type { NodeId } from '../../src/raft/ids.js'
import { logIndex, nodeId, term } from '../../src/raft/ids.js'
import { logFrom } from '../../src/raft/state/log.js'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { restart } from '../../src/raft/state/server.js'
import { defaultSettings } from '../../src/raft/settings.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  armElectionTimer,
  armHeartbeat,
  candidate,
  entries,
  flush,
  follower,
  heartbeatDue,
  leader,
  n1,
  n2,
  n3,
  n4,
  on,
  out,
  persist,
  persisted,
  proposed,
  received,
  requestVote,
  requestVoteReply,
  send,
  timeout,
} from './servers.js'

const granted = (from: NodeId, T = 1) => received(requestVoteReply({ from, term: T, voteGranted: true }))
const votesOf = (...ids: ReadonlyArray<NodeId>) => ids.map((id) => ({ id, incarnation: null }))
const denied = (from: NodeId, T = 1) => received(requestVoteReply({ from, term: T, voteGranted: false }))

describe('"When servers start up, they begin as followers"', () => {
  it('and arm the election timer', () => {
    const { log } = follower()
    const { server, effects } = on(
      restart(n1, defaultSettings, { currentTerm: term(0), votedFor: null, log, commitIndex: logIndex(0), snapshot: null }),
      {
        _tag: 'Started',
      },
    )
    expect(effects).toEqual([armElectionTimer(1)])
    expect(server.role).toEqual({ _tag: 'Follower', leader: null })
  })
})

describe('"If election timeout elapses without receiving AppendEntries RPC from current leader or granting vote to candidate: convert to candidate" (Figure 2)', () => {
  it('"increment currentTerm; vote for self; reset election timer; send RequestVote RPCs to all other servers", which wait for the vote to be on disk', () => {
    const { server, effects } = on(follower({ log: [1, 3] }), timeout(1))
    const ask = { ...out, term: 4, candidateId: n1, lastLogIndex: 2, lastLogTerm: 3 }
    expect(effects).toEqual([
      persist(1, { hardState: { currentTerm: 4, votedFor: n1 }, firstIndex: 3 }),
      armElectionTimer(2),
      send(requestVote({ ...ask, seq: 1, to: n2 }), 1),
      send(requestVote({ ...ask, seq: 2, to: n3 }), 1),
    ])
    expect(server.role).toEqual({ _tag: 'Candidate', ownVote: 1, votes: [] })
  })

  it('"If election timeout elapses: start new election", as a candidate', () => {
    const { server, effects } = on(candidate(), granted(nodeId('n9')), timeout(2))
    expect(effects).toEqual([
      persist(2, { hardState: { currentTerm: 2, votedFor: n1 }, firstIndex: 1 }),
      armElectionTimer(3),
      send(requestVote({ ...out, seq: 3, to: n2, term: 2, candidateId: n1 }), 2),
      send(requestVote({ ...out, seq: 4, to: n3, term: 2, candidateId: n1 }), 2),
    ])
    expect(server.role).toEqual({ _tag: 'Candidate', ownVote: 2, votes: [] })
  })

  it.each([
    { who: 'a stale timeout of a follower', server: after(follower(), received(appendEntries({}))), generation: 1 },
    { who: 'a stale timeout of a candidate', server: candidate(), generation: 1 },
    { who: 'a timeout never armed', server: follower(), generation: 2 },
    { who: 'a leader, whose timer still ran', server: leader(), generation: 2 },
  ])('$who is ignored', ({ server, generation }) => {
    const stepped = on(server, timeout(generation))
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(server)
  })

  it('one who has no vote waits for a leader, and keeps its timer running (§6)', () => {
    const configuration = votersOnly([n2, n3])
    const log = logFrom({ index: logIndex(0), term: term(0), configuration })
    const outsider = after(
      restart(n1, defaultSettings, { currentTerm: term(1), votedFor: null, log, commitIndex: logIndex(0), snapshot: null }),
      {
        _tag: 'Started',
      },
    )
    const { server, effects } = on(outsider, timeout(1))
    expect(effects).toEqual([armElectionTimer(2)])
    expect(server.currentTerm).toBe(1)
  })

  const voted = follower({ T: 1, votedFor: n2, log: [1] })
  it.each([
    { what: 'an AppendEntries of the current leader', server: voted, message: appendEntries({ term: 1 }), rearms: true },
    { what: 'one that does not match', server: voted, message: appendEntries({ term: 1, prevLogIndex: 9, prevLogTerm: 1 }), rearms: true },
    { what: 'a granted vote', server: follower(), message: requestVote({ term: 1 }), rearms: true },
    { what: 'a refused vote', server: voted, message: requestVote({ from: n3, term: 1 }), rearms: false },
    { what: 'the refused vote of a new term', server: voted, message: requestVote({ term: 2 }), rearms: false },
    { what: 'an AppendEntries of an older leader', server: voted, message: appendEntries({ term: 0 }), rearms: false },
  ])('$what resets the election timer: $rearms', ({ server, message, rearms }) => {
    const { effects } = on(server, received(message))
    expect(effects.filter(({ _tag }) => _tag === 'ArmElectionTimer')).toEqual(rearms ? [armElectionTimer(2)] : [])
  })
})

describe('"Each server will vote for at most one candidate in a given term, on a first-come-first-served basis"', () => {
  it.each([
    { votedFor: null, candidateId: n2, voteGranted: true },
    { votedFor: n2, candidateId: n2, voteGranted: true }, // it asks again: the answer was lost
    { votedFor: n3, candidateId: n2, voteGranted: false },
    { votedFor: n1, candidateId: n2, voteGranted: false },
  ])('voted for $votedFor, asked by $candidateId: $voteGranted', ({ votedFor, candidateId, voteGranted }) => {
    const { server, effects } = on(follower({ T: 1, votedFor }), received(requestVote({ from: candidateId, term: 1, seq: 4 })))
    const reply = requestVoteReply({ ...out, to: candidateId, re: 4, term: 1, voteGranted })
    const told =
      votedFor === null
        ? [persist(1, { hardState: { currentTerm: 1, votedFor: candidateId }, firstIndex: 1 }), armElectionTimer(2), send(reply, 1)]
        : voteGranted
          ? [armElectionTimer(2), send(reply)]
          : [send(reply)]
    expect(effects).toEqual(told)
    expect(server.votedFor).toBe(votedFor ?? candidateId)
  })

  it('"Reply false if term < currentTerm": an old term gets no vote, whoever asks', () => {
    expect(on(follower({ T: 2, votedFor: n2 }), received(requestVote({ term: 1 }))).effects).toEqual([
      send(requestVoteReply({ ...out, term: 2 })),
    ])
  })

  it('a vote told again waits as the first one did, while that is not on disk', () => {
    const asked = received(requestVote({ term: 1 }))
    expect(on(follower(), asked, asked).effects).toEqual([armElectionTimer(3), send(requestVoteReply({ ...out, voteGranted: true }), 1)])
    expect(on(follower(), asked, persisted(1), asked).effects).toEqual([
      armElectionTimer(3),
      send(requestVoteReply({ ...out, voteGranted: true })),
    ])
  })

  it('a candidate has given its vote to itself, and a rival in its term does not postpone its next attempt', () => {
    const stands = candidate()
    const stepped = on(stands, received(requestVote({ term: 1 })))
    expect(stepped.effects).toEqual([send(requestVoteReply({ ...out, term: 1 }))])
    expect(stepped.server).toBe(stands)
  })
})

describe('"A candidate wins an election if it receives votes from a majority of the servers in the full cluster for the same term"', () => {
  it.each([
    { of: 1, votes: 0 },
    { of: 2, votes: 1 },
    { of: 3, votes: 1 },
    { of: 4, votes: 2 },
    { of: 5, votes: 2 },
    { of: 6, votes: 3 },
    { of: 7, votes: 3 },
  ])('of $of servers: with its own vote and $votes more, and not with one less', ({ of, votes }) => {
    const others = Array.from({ length: of - 1 }, (_, i) => nodeId(`n${i + 2}`))
    const stands = after(follower({ of }), timeout(1), persisted(1))
    const roleAfter = (count: number) => after(stands, ...others.slice(0, count).map((from) => granted(from))).role._tag
    expect(Array.from({ length: votes + 1 }, (_, count) => roleAfter(count))).toEqual([
      ...Array.from({ length: votes }, () => 'Candidate'),
      'Leader',
    ])
  })

  it.each([
    { what: 'a refusal', event: denied(n2) },
    { what: 'a vote of an older term', event: granted(n2, 0) },
    { what: 'a vote of one who is not asked', event: granted(nodeId('n9')) },
    { what: 'its own name from another', event: received(requestVoteReply({ from: n1, voteGranted: true })) },
  ])('$what counts for nothing', ({ event }) => {
    const { server, effects } = on(candidate(), event)
    expect(effects).toEqual([])
    expect(server.role._tag).toBe('Candidate')
  })

  it('a vote counts once, however often it comes', () => {
    const { server, effects } = on(candidate({ of: 5 }), granted(n2), granted(n2), granted(n2))
    expect(effects).toEqual([])
    expect(server.role).toEqual({ _tag: 'Candidate', ownVote: 1, votes: votesOf(n1, n2) })
  })

  it('a vote that comes after the election changes nothing', () => {
    for (const server of [leader(), after(candidate(), received(appendEntries({ from: n3, term: 1 })))]) {
      const stepped = on(server, granted(n2))
      expect(stepped.effects).toEqual([])
      expect(stepped.server).toBe(server)
    }
  })

  it('"votes for itself", which counts when it is on disk: the votes of others may come before', () => {
    const standing = after(follower({ of: 5 }), timeout(1))
    expect(after(standing, granted(n2), granted(n3)).role).toEqual({ _tag: 'Candidate', ownVote: 1, votes: votesOf(n2, n3) })
    expect(after(standing, granted(n2), granted(n3), persisted(1)).role._tag).toBe('Leader')
    expect(after(standing, granted(n2), granted(n3), granted(n4)).role._tag).toBe('Leader')
  })

  it('in a cluster of one, too', () => {
    const alone = on(follower({ of: 1 }), timeout(1))
    expect(alone.effects).toEqual([persist(1, { hardState: { currentTerm: 1, votedFor: n1 }, firstIndex: 1 }), armElectionTimer(2)])
    expect(alone.server.role._tag).toBe('Candidate')
    const elected = on(alone.server, persisted(1))
    expect(elected.effects).toEqual([armHeartbeat(1)])
    expect(elected.server.role).toEqual({ _tag: 'Leader', followers: [], sendings: [] })
  })

  it('its own vote of an older term is none: the write of that one says nothing about this one', () => {
    const { server, effects } = on(follower({ of: 1 }), timeout(1), timeout(2), persisted(1))
    expect(effects).toEqual([])
    expect(server.role).toEqual({ _tag: 'Candidate', ownVote: 2, votes: [] })
    expect(after(server, persisted(2)).role._tag).toBe('Leader')
  })
})

describe('"Once a candidate wins an election, it becomes leader. It then sends heartbeat messages to all of the other servers"', () => {
  const empty = { ...out, leaderId: n1, prevLogIndex: 2, prevLogTerm: 1, leaderCommit: 1 }

  it('"send initial empty AppendEntries RPCs (heartbeat) to each server; repeat during idle periods"', () => {
    const elected = on(candidate({ T: 2, log: [1, 1], commit: 1 }), granted(n3, 2))
    expect(elected.effects).toEqual([
      armHeartbeat(1),
      send(appendEntries({ ...empty, seq: 3, to: n2, term: 2 })),
      send(appendEntries({ ...empty, seq: 4, to: n3, term: 2 })),
    ])
    expect(on(elected.server, heartbeatDue(1)).effects).toEqual([
      armHeartbeat(2),
      send(appendEntries({ ...empty, seq: 5, to: n2, term: 2 })),
      send(appendEntries({ ...empty, seq: 6, to: n3, term: 2 })),
    ])
  })

  describe('"repeat during idle periods": what is sent to everybody is a heartbeat as well', () => {
    const matched = after(leader(), received(appendEntriesReply({ re: 3 })), received(appendEntriesReply({ from: n3, re: 4 })))

    it('a flush that reaches all, when none had left anything unanswered, puts the next one off', () => {
      const sent = on(after(matched, proposed(1, 'x')), flush)
      expect(sent.effects.map(({ _tag }) => _tag)).toEqual(['ArmHeartbeat', 'Send', 'Send'])
      expect(sent.effects[0]).toEqual(armHeartbeat(2))
      expect(on(sent.server, heartbeatDue(1)).effects).toEqual([])
      expect(on(sent.server, heartbeatDue(2)).effects).toHaveLength(3)
    })

    it.each([
      { who: 'one has left something unanswered', server: after(matched, proposed(1, 'x'), flush, proposed(2, 'y')), sends: 2 },
      {
        who: 'one is being probed, and gets nothing',
        server: after(leader(), received(appendEntriesReply({ re: 3 })), proposed(1, 'x')),
        sends: 1,
      },
      { who: 'nothing is left to send', server: matched, sends: 0 },
    ])('not where $who', ({ server, sends }) => {
      expect(on(server, flush).effects.map(({ _tag }) => _tag)).toEqual(Array.from({ length: sends }, () => 'Send'))
    })

    it('not in a cluster of one, which has nobody to tell', () => {
      const alone = after(leader({ of: 1 }), proposed(1, 'x'))
      expect(on(alone, flush).effects).toEqual([])
    })
  })

  it('"nextIndex … initialized to leader last log index + 1; matchIndex … initialized to 0"', () => {
    const { role } = leader({ log: [1, 1] })
    expect(role._tag === 'Leader' ? role.followers.map(({ id, nextIndex, matchIndex }) => ({ id, nextIndex, matchIndex })) : []).toEqual([
      { id: n2, nextIndex: 3, matchIndex: 0 },
      { id: n3, nextIndex: 3, matchIndex: 0 },
    ])
  })

  it.each([
    { who: 'a heartbeat of an earlier arming', server: after(leader(), heartbeatDue(1)), generation: 1 },
    { who: 'a heartbeat never armed', server: leader(), generation: 2 },
    { who: 'a heartbeat at one who no longer leads', server: after(leader(), received(appendEntries({ term: 9 }))), generation: 1 },
    { who: 'a heartbeat at a follower', server: follower(), generation: 0 },
    { who: 'a heartbeat at a candidate', server: candidate(), generation: 0 },
  ])('$who is ignored', ({ server, generation }) => {
    const stepped = on(server, heartbeatDue(generation))
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(server)
  })

  it('one who leads again arms a heartbeat of its own: the old one, should it come, is stale', () => {
    const deposed = after(leader(), received(appendEntries({ term: 2 })), timeout(4), persisted(2), persisted(3))
    const again = on(deposed, granted(n2, 3))
    expect(again.effects[0]).toEqual(armHeartbeat(2))
    expect(on(again.server, heartbeatDue(1)).effects).toEqual([])
  })

  it('a follower answers a heartbeat at once, with what of it its disk holds, so that a slow disk deposes no leader', () => {
    // Two entries are on their way to the disk, and behind them a heartbeat.
    const behind = after(
      follower({ log: [1] }),
      received(appendEntries({ seq: 1, prevLogIndex: 1, prevLogTerm: 1, entries: entries(1, 1) })),
    )
    const beat = received(appendEntries({ seq: 2, prevLogIndex: 3, prevLogTerm: 1 }))
    const answers = (matchIndex: number) => send(appendEntriesReply({ ...out, re: 2, success: true, matchIndex }))
    expect(on(behind, beat).effects).toEqual([armElectionTimer(3), answers(1)])
    expect(on(behind, persisted(1), beat).effects).toEqual([armElectionTimer(3), answers(3)])
    // min(prevLogIndex, what is durable): what stands after prevLogIndex is not known to match.
    const early = received(appendEntries({ seq: 2, prevLogIndex: 2, prevLogTerm: 1 }))
    expect(on(behind, persisted(1), early).effects).toEqual([armElectionTimer(3), answers(2)])
  })
})

describe('"While waiting for votes, a candidate may receive an AppendEntries RPC from another server claiming to be leader"', () => {
  it.each([
    // "smaller …: rejects the RPC and continues in candidate state"
    { T: 2, becomes: { _tag: 'Candidate', ownVote: 1, votes: votesOf(n1) } },
    // "at least as large as the candidate’s current term …: recognizes the leader as legitimate"
    { T: 3, becomes: { _tag: 'Follower', leader: n3 } },
    { T: 4, becomes: { _tag: 'Follower', leader: n3 } },
  ])('of term $T, in term 3: $becomes._tag', ({ T, becomes }) => {
    expect(after(candidate({ T: 3 }), received(appendEntries({ from: n3, term: T }))).role).toEqual(becomes)
  })

  it('of its own term: it keeps the vote it gave to itself, and writes nothing', () => {
    const { server, effects } = on(candidate({ T: 3 }), received(appendEntries({ seq: 5, term: 3 })))
    expect(effects).toEqual([armElectionTimer(3), send(appendEntriesReply({ ...out, re: 5, term: 3 }))])
    expect({ currentTerm: server.currentTerm, votedFor: server.votedFor }).toEqual({ currentTerm: 3, votedFor: n1 })
  })

  it('a leader hears of no other in its own term (§5.2: there is none), and does not listen to one who says so', () => {
    const leads = leader({ T: 3 })
    const stepped = on(leads, received(appendEntries({ from: n3, term: 3, entries: entries(3), leaderCommit: 1 })))
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(leads)
  })
})

describe('a turn in which there is nothing to lead', () => {
  it.each([{ server: follower() }, { server: candidate() }])('$server.role._tag: a flush is ignored', ({ server }) => {
    const stepped = on(server, flush)
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(server)
  })
})
