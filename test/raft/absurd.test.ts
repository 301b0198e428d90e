import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { logIndex, writeSeq } from '../../src/raft/ids.js'
import type { Message } from '../../src/raft/messages.js'
import type { Server } from '../../src/raft/server.js'
import { checkedStep } from '../../src/raft/invariants.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  applied,
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
  persisted,
  proposed,
  received,
  requestVote,
  requestVoteReply,
  timeout,
  unreachable,
} from './servers.js'

/*
 * "A peer's value never crashes a server" (security 3). What decodes is of the right kind; the rules see
 * to it that it means nothing where it cannot be true.
 */

/** Leads term 9 with a log [1 1 9], of which n2 is known to have two entries. */
const leads = after(leader({ T: 9, log: [1, 1] }), received(appendEntriesReply({ re: 3, term: 9, matchIndex: 2 })), proposed(1, 'x'), flush)
const T9 = { term: 9 } as const

describe('what cannot be true changes nothing, and asks for nothing', () => {
  it.each<{ what: string; server: Server; message: Message }>([
    { what: 'a matchIndex beyond the log', server: leads, message: appendEntriesReply({ ...T9, re: 5, matchIndex: 4 }) },
    {
      what: 'the greatest of all matchIndexes',
      server: leads,
      message: appendEntriesReply({ ...T9, re: 5, matchIndex: Number.MAX_SAFE_INTEGER }),
    },
    { what: 'a reply to a request that was never made', server: leads, message: appendEntriesReply({ ...T9, re: 6, matchIndex: 3 }) },
    { what: 'a reply from one who is not led', server: leads, message: appendEntriesReply({ ...T9, from: n4, re: 5, matchIndex: 3 }) },
    {
      what: 'a refusal of a request that was never made',
      server: leads,
      message: appendEntriesReply({ ...T9, re: 6, success: false, conflict: { term: null, index: 1 } }),
    },
    {
      what: 'a refusal in our own term that does not say why',
      server: leads,
      message: appendEntriesReply({ ...T9, re: 5, success: false }),
    },
    { what: 'an AppendEntries in our own term', server: leads, message: appendEntries({ ...T9, entries: entries(9), leaderCommit: 1 }) },
    { what: 'an AppendEntriesReply at a candidate', server: candidate({ T: 9 }), message: appendEntriesReply({ ...T9, matchIndex: 1 }) },
    { what: 'an AppendEntriesReply at a follower', server: follower({ T: 9 }), message: appendEntriesReply({ ...T9, matchIndex: 1 }) },
    { what: 'a vote at a leader', server: leads, message: requestVoteReply({ ...T9, from: n3, voteGranted: true }) },
    { what: 'a vote at a follower', server: follower({ T: 9 }), message: requestVoteReply({ ...T9, voteGranted: true }) },
  ])('$what', ({ server, message }) => {
    const stepped = on(server, received(message))
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(server)
  })

  it('a leaderCommit beyond the log commits what is known to match, and no more', () => {
    const server = follower({ T: 9, log: [1, 1] })
    expect(
      after(server, received(appendEntries({ ...T9, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: Number.MAX_SAFE_INTEGER }))).commitIndex,
    ).toBe(1)
  })

  it.each([
    { what: 'a write that was never asked for', event: persisted(9) },
    { what: 'a write that was done long ago', event: persisted(0) },
    { what: 'the answer of a state machine that was handed nothing', event: applied(1) },
    { what: 'a turn in which nothing gathered', event: flush },
    { what: 'a timer that was never armed', event: timeout(99) },
    { what: 'a heartbeat that was never armed', event: heartbeatDue(99) },
    { what: 'a line to nobody', event: unreachable(n4) },
  ])('$what', ({ event }) => {
    const stepped = on(leads, event)
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(leads)
  })
})

describe('any message of the right kinds', () => {
  const whole = fc.oneof(
    { weight: 4, arbitrary: fc.nat(12) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** 48 - 1, Number.MAX_SAFE_INTEGER - 1) },
  )
  const from = fc.constantFrom(n2, n3, n4)
  const conflict = fc.option(fc.record({ term: fc.option(whole), index: whole }))
  const messages: fc.Arbitrary<Message> = fc.oneof(
    fc.record({ from, seq: whole, term: whole, lastLogIndex: whole, lastLogTerm: whole }).map(requestVote),
    fc.record({ from, re: whole, term: whole, voteGranted: fc.boolean() }).map(requestVoteReply),
    fc.record({ from, re: whole, term: whole, success: fc.boolean(), matchIndex: whole, conflict }).map(appendEntriesReply),
    // Terms of entries rise and none is newer than the message's: the border sees to that (messages.ts).
    fc
      .record({ from, seq: whole, term: whole, prevLogIndex: whole, older: fc.nat(2), count: fc.nat(4), leaderCommit: whole })
      .map(({ older, count, ...rest }) => {
        const prevLogTerm = Math.max(0, Math.min(rest.term, rest.prevLogIndex === 0 ? 0 : rest.term - older))
        return appendEntries({ ...rest, prevLogTerm, entries: entries(...Array.from({ length: count }, () => rest.term)) })
      }),
  )

  it('leaves every invariant in place at any server, as long as it does not claim that something committed was never so', () => {
    const servers = [follower({ T: 3, log: [1, 1, 3] }), candidate({ T: 3, log: [1, 1, 2] }), leader({ T: 3, log: [1, 1, 2] }), leads]
    fc.assert(
      fc.property(fc.constantFrom(...servers), fc.array(messages, { maxLength: 12 }), (server, them) => {
        let now = server
        for (const message of them) {
          if (message._tag === 'AppendEntries' && now.commitIndex > 0) continue // whoever may replace what is committed may do anything
          now = checkedStep(now, received(message), 0).server
        }
        expect(now.id).toBe(n1)
      }),
      { numRuns: 500 },
    )
  })

  it('the greatest term ends in no loop and no throw', () => {
    const last = after(follower(), received(requestVote({ term: Number.MAX_SAFE_INTEGER - 1 })))
    expect(on(last, timeout(2), persisted(2)).server.role._tag).toBe('Candidate')
    expect(after(last, { _tag: 'Persisted', seq: writeSeq(1) }, { _tag: 'Applied', index: logIndex(0) }).currentTerm).toBe(
      Number.MAX_SAFE_INTEGER - 1,
    )
  })
})
