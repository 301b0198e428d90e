import { describe, expect, it } from '@jest/globals'
import type { Effect } from '../../src/raft/effect.js'
import { defaultSettings } from '../../src/raft/settings.js'
import { logIndex, term } from '../../src/raft/ids.js'
import { fresh, restart } from '../../src/raft/state/server.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  armElectionTimer,
  candidate,
  follower,
  leader,
  n1,
  n2,
  n3,
  on,
  out,
  persist,
  received,
  requestVote,
  requestVoteReply,
  send,
} from './servers.js'

/** One of each, all in term 3. */
const follows = follower({ T: 3, votedFor: n3 })
const stands = candidate({ T: 3 })
const leads = leader({ T: 3 })

describe('§5.1 Raft basics', () => {
  it('"At any given time each server is in one of three states: leader, follower, or candidate"', () => {
    expect([follows, stands, leads].map(({ role }) => role._tag)).toEqual(['Follower', 'Candidate', 'Leader'])
  })

  it('"Each server stores a current term number, which increases monotonically over time": a bootstrapped one starts at 0', () => {
    const { currentTerm, votedFor, log, commitIndex, lastApplied } = restart(n1, defaultSettings, fresh(follower().log))
    expect({ currentTerm, votedFor, entries: [...log], commitIndex, lastApplied }).toEqual({
      currentTerm: 0,
      votedFor: null,
      entries: [],
      commitIndex: 0,
      lastApplied: 0,
    })
  })
})

describe('"If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower" (Figure 2)', () => {
  const newer = [
    { what: 'RequestVote', message: requestVote({ term: 5 }) },
    { what: 'RequestVoteReply', message: requestVoteReply({ term: 5 }) },
    { what: 'AppendEntries', message: appendEntries({ term: 5 }) },
    { what: 'AppendEntriesReply', message: appendEntriesReply({ term: 5, success: false }) },
  ] as const
  const servers = [
    { who: 'a follower', server: follows },
    { who: 'a candidate', server: stands },
    { who: 'a leader', server: leads },
  ] as const

  it.each(servers.flatMap((s) => newer.map((m) => ({ ...s, ...m }))))('$what at $who', ({ server, message }) => {
    const { currentTerm, role } = after(server, received(message))
    expect({ currentTerm, role: role._tag }).toEqual({ currentTerm: 5, role: 'Follower' })
  })

  // A reply asks for nothing: what it does is the term rule and no more.
  const T5 = { hardState: { currentTerm: 5, votedFor: null }, firstIndex: 1 }
  it.each<{ who: string; server: typeof follows; effects: ReadonlyArray<Effect> }>([
    { who: 'a follower: its timer runs on', server: follows, effects: [persist(1, T5)] },
    { who: 'a candidate: its timer runs on', server: stands, effects: [persist(2, T5)] },
    { who: 'a leader: it had no timer running and arms one', server: leads, effects: [persist(2, T5), armElectionTimer(3)] },
  ])('$who', ({ server, effects }) => {
    for (const message of [requestVoteReply({ term: 5, voteGranted: true }), appendEntriesReply({ term: 5, matchIndex: 9 })]) {
      const stepped = on(server, received(message))
      expect(stepped.effects).toEqual(effects)
      expect({ ...stepped.server }).toMatchObject({ currentTerm: 5, votedFor: null, role: { _tag: 'Follower', leader: null } })
    }
  })

  it('a new term is a new vote', () => {
    expect(on(follows, received(requestVote({ term: 5 }))).effects).toEqual([
      persist(1, { hardState: { currentTerm: 5, votedFor: n2 }, firstIndex: 1 }),
      armElectionTimer(2),
      send(requestVoteReply({ ...out, term: 5, voteGranted: true }), 1),
    ])
  })

  it('the term is taken up also where the vote is refused, and the refusal goes at once', () => {
    expect(on(follower({ log: [1, 3] }), received(requestVote({ term: 5, lastLogTerm: 1, lastLogIndex: 9 }))).effects).toEqual([
      persist(1, { hardState: { currentTerm: 5, votedFor: null }, firstIndex: 3 }),
      send(requestVoteReply({ ...out, term: 5, voteGranted: false })),
    ])
  })

  it('a leader that is deposed by the message of the new one follows that one', () => {
    const stepped = on(leads, received(appendEntries({ seq: 7, term: 4 })))
    expect(stepped.effects).toEqual([
      persist(2, { hardState: { currentTerm: 4, votedFor: null }, firstIndex: 1 }),
      armElectionTimer(3),
      armElectionTimer(4),
      send(appendEntriesReply({ ...out, re: 7, term: 4, success: true })),
    ])
    expect(stepped.server.role).toEqual({ _tag: 'Follower', leader: n2 })
  })
})

describe('"If a server receives a request with a stale term number, it rejects the request"', () => {
  const servers = [
    { who: 'a follower', server: follows },
    { who: 'a candidate', server: stands },
    { who: 'a leader', server: leads },
  ] as const

  it.each(servers)('$who says no at once, in its own term, and changes in nothing', ({ server }) => {
    const vote = on(server, received(requestVote({ seq: 8, term: 2, lastLogIndex: 9, lastLogTerm: 1 })))
    expect(vote.effects).toEqual([send(requestVoteReply({ ...out, re: 8, term: 3, voteGranted: false }))])
    expect(vote.server).toBe(server)

    const append = on(server, received(appendEntries({ seq: 9, term: 2, leaderCommit: 9 })))
    expect(append.effects).toEqual([send(appendEntriesReply({ ...out, re: 9, term: 3, success: false }))])
    expect(append.server).toBe(server)
  })

  it.each(servers)('$who has no use for a stale reply', ({ server }) => {
    for (const message of [requestVoteReply({ term: 2, voteGranted: true }), appendEntriesReply({ term: 2, matchIndex: 1 })]) {
      const stepped = on(server, received(message))
      expect(stepped.effects).toEqual([])
      expect(stepped.server).toBe(server)
    }
  })
})

describe('"Raft servers communicate using remote procedure calls": each message has one receiver', () => {
  it.each([
    { what: 'a message for another', message: appendEntries({ to: n3, term: 9 }) },
    { what: 'a message of its own', message: appendEntries({ from: n1, term: 9 }) },
  ])('$what is ignored', ({ message }) => {
    const stepped = on(follows, received(message))
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(follows)
  })

  it('a stranger is answered like anyone: servers process RPCs without consulting their configuration (thesis §4.1)', () => {
    const stranger = requestVote({ from: 'x1' as typeof n1, term: 4 })
    expect(on(follows, received(stranger)).effects).toEqual([
      persist(1, { hardState: { currentTerm: 4, votedFor: stranger.from }, firstIndex: 1 }),
      armElectionTimer(2),
      send(requestVoteReply({ from: n1, to: stranger.from, term: 4, voteGranted: true }), 1),
    ])
  })
})

describe('what a server finds on its disk (Figure 2, "Persistent state on all servers")', () => {
  it('is currentTerm, votedFor and log; all of it is durable, and the roles and timers of the last run are gone', () => {
    const server = follower({ T: 4, votedFor: n2, log: [1, 3] })
    const { currentTerm, votedFor, role, writeProgress } = server
    expect({ currentTerm, votedFor, role, durable: writeProgress.index }).toEqual({
      currentTerm: 4,
      votedFor: n2,
      role: { _tag: 'Follower', leader: null },
      durable: 2,
    })
  })

  it.each([
    { hint: 0, commitIndex: 0 },
    { hint: 2, commitIndex: 2 },
    { hint: 3, commitIndex: 3 },
    { hint: 4, commitIndex: 3 }, // the write that brought it was torn
  ])('a commit hint of $hint starts a log of three entries at commitIndex $commitIndex', ({ hint, commitIndex }) => {
    const { log } = follower({ log: [1, 1, 1] })
    const server = restart(n1, defaultSettings, { currentTerm: term(1), votedFor: null, log, commitIndex: logIndex(hint), snapshot: null })
    expect(server.commitIndex).toBe(commitIndex)
    expect(on(server, { _tag: 'Started' }).effects).toEqual([
      armElectionTimer(1),
      ...(commitIndex === 0 ? [] : [{ _tag: 'Apply', firstIndex: 1, entries: [...log].slice(0, commitIndex) }]),
    ])
  })
})
