import { describe, expect, it } from '@jest/globals'
import type { Effect } from '../../src/raft/effect.js'
import type { Message } from '../../src/raft/messages.js'
import type { Server } from '../../src/raft/state/server.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  candidate,
  entries,
  flush,
  follower,
  leader,
  n3,
  on,
  persisted,
  proposed,
  received,
  requestVote,
  requestVoteReply,
  timeout,
} from './servers.js'

/** All that counts: what the server is, but for its counters. */
const essence = ({ counters: _, ...rest }: Server) => rest
const sent = (effects: ReadonlyArray<Effect>): ReadonlyArray<Message> =>
  effects.flatMap((effect) => (effect._tag === 'Send' ? [effect.message] : []))

describe('§5.5 "Raft RPCs are idempotent, so this causes no harm"', () => {
  const replicating = after(
    leader({ T: 2, log: [1] }),
    received(appendEntriesReply({ re: 3, term: 2, matchIndex: 1 })),
    proposed(1, 'x'),
    flush,
    persisted(2),
  )

  it.each<{ what: string; server: Server; message: Message }>([
    { what: 'a vote asked for', server: follower({ T: 1 }), message: requestVote({ term: 1 }) },
    { what: 'a vote refused', server: follower({ T: 1, votedFor: n3 }), message: requestVote({ term: 1 }) },
    {
      what: 'entries',
      server: follower({ T: 2, log: [1, 1] }),
      message: appendEntries({ term: 2, prevLogIndex: 1, prevLogTerm: 1, entries: entries(2, 2), leaderCommit: 2 }),
    },
    {
      what: 'entries that do not match',
      server: follower({ T: 2, log: [1, 1] }),
      message: appendEntries({ term: 2, prevLogIndex: 2, prevLogTerm: 2, entries: entries(2) }),
    },
  ])(
    '"if a follower receives a request … already present …": $what twice has the same answer and leads to the same state',
    ({ server, message }) => {
      const once = on(server, received(message))
      const twice = on(once.server, received(message))
      expect(sent(twice.effects)).toEqual(sent(once.effects))
      expect(essence(twice.server)).toEqual(essence(once.server))
    },
  )

  it.each<{ what: string; server: Server; message: Message }>([
    { what: 'a vote', server: candidate({ of: 5 }), message: requestVoteReply({ voteGranted: true }) },
    { what: 'the deciding vote', server: candidate(), message: requestVoteReply({ voteGranted: true }) },
    { what: 'an ack', server: replicating, message: appendEntriesReply({ re: 5, term: 2, matchIndex: 2 }) },
    {
      what: 'a refusal',
      server: replicating,
      message: appendEntriesReply({ re: 5, term: 2, success: false, conflict: { term: null, index: 1 } }),
    },
  ])('a reply that comes twice: $what', ({ server, message }) => {
    const once = after(server, received(message), flush)
    const twice = on(once, received(message))
    expect(essence(twice.server)).toEqual(essence(once))
    expect(sent(twice.effects)).toEqual([])
  })

  it('"If a server crashes after completing an RPC but before responding, then it will receive the same RPC again after it restarts"', () => {
    const asked = received(requestVote({ term: 1 }))
    const voted = after(follower(), asked, persisted(1))
    const restarted = follower({ T: voted.currentTerm, votedFor: voted.votedFor })
    expect(sent(on(restarted, asked).effects)).toEqual(sent(on(follower(), asked).effects))
  })

  it('a candidate asks again in its next term', () => {
    const asks = sent(on(candidate(), timeout(2)).effects)
    expect(asks.map(({ _tag, to, term }) => ({ _tag, to: String(to), term: Number(term) }))).toEqual([
      { _tag: 'RequestVote', to: 'n2', term: 2 },
      { _tag: 'RequestVote', to: 'n3', term: 2 },
    ])
  })
})
