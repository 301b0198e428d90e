import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, maxIncludedIndex, maxTerm, maxTermLead } from '../../src/raft/ids.js'
import { Message } from '../../src/raft/messages.js'
import { OnDisk } from './onDisk.js'
import type { Server } from '../../src/raft/state/server.js'
import { checkedStep } from '../../src/raft/invariants.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  applied,
  armElectionTimer,
  candidate,
  entries,
  flush,
  follower,
  heartbeatDue,
  installSnapshot,
  installSnapshotReply,
  leader,
  n2,
  n3,
  n4,
  on,
  persist,
  persisted,
  proposed,
  received,
  requestVote,
  requestVoteReply,
  termsOf,
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
    { weight: 1, arbitrary: fc.constantFrom(maxIncludedIndex, 2 ** 48 - 1, 2 ** 48, Number.MAX_SAFE_INTEGER - 1) },
  )
  const term = fc.oneof(
    { weight: 4, arbitrary: fc.nat(12) },
    { weight: 1, arbitrary: fc.constantFrom(maxTermLead, 9 + maxTermLead, maxTerm - 1, maxTerm) },
  )
  const from = fc.constantFrom(n2, n3, n4)
  const conflict = fc.option(fc.record({ term: fc.option(whole), index: whole }))
  const messages: fc.Arbitrary<Message> = fc.oneof(
    fc
      .record({
        from,
        seq: whole,
        term,
        lastIncludedIndex: whole,
        older: fc.nat(2),
        offset: fc.oneof(fc.constant(0), whole),
        done: fc.boolean(),
      })
      .map(({ older, lastIncludedIndex, ...rest }) =>
        installSnapshot({
          ...rest,
          lastIncludedIndex,
          lastIncludedTerm: Math.max(0, rest.term - older),
          data: 'x',
        }),
      ),
    fc.record({ from, re: whole, term, offset: whole, matchIndex: whole }).map(installSnapshotReply),
    fc.record({ from, seq: whole, term, lastLogIndex: whole, lastLogTerm: term }).map(requestVote),
    fc.record({ from, re: whole, term, voteGranted: fc.boolean() }).map(requestVoteReply),
    fc.record({ from, re: whole, term, success: fc.boolean(), matchIndex: whole, conflict }).map(appendEntriesReply),
    // Terms of entries rise and none is newer than the message's: the border sees to that (messages.ts).
    fc
      .record({ from, seq: whole, term, prevLogIndex: whole, older: fc.nat(2), count: fc.nat(4), leaderCommit: whole })
      .map(({ older, count, ...rest }) => {
        const prevLogTerm = Math.max(0, Math.min(rest.term, rest.prevLogIndex === 0 ? 0 : rest.term - older))
        return appendEntries({ ...rest, prevLogTerm, entries: entries(...Array.from({ length: count }, () => rest.term)) })
      }),
  )

  it('leaves every invariant in place at any server, and what is to be stored can be read back', () => {
    const servers = [
      follower({ T: 3, log: [1, 1, 3] }),
      follower({ T: 3, log: [1, 1, 3], commit: 2 }),
      follower({ T: maxTerm, log: [1, 1, 3], commit: 3 }),
      candidate({ T: 3, log: [1, 1, 2] }),
      leader({ T: 3, log: [1, 1, 2] }),
      leads,
    ]
    fc.assert(
      fc.property(fc.constantFrom(...servers), fc.array(messages, { maxLength: 12 }), (server, them) => {
        const disk = new OnDisk(server)
        let now = server
        const happens = (event: RaftEvent): void => {
          const { server: next, effects } = checkedStep(now, event, 0)
          now = next
          for (const effect of effects) {
            if (effect._tag === 'Persist') disk.write(effect)
            // Storage answers at once, and so does the state machine.
            if (effect._tag === 'StoreSnapshot' && effect.last)
              happens({ _tag: 'SnapshotStored', ref: effect.ref, size: effect.offset + 1 })
            else if (effect._tag === 'StoreSnapshot') happens({ _tag: 'ChunkStored', ref: effect.ref, offset: effect.offset + 1 })
            if (effect._tag === 'Restore') happens({ _tag: 'Applied', index: effect.base.index })
          }
          if (now.writeProgress.pending.length > 0) happens(persisted(now.writeProgress.written))
        }
        for (const message of them) {
          if (!Message.is(message)) continue // the border stops it
          happens(received(message))
          happens(timeout(now.counters.electionTimer))
        }
        const { currentTerm, votedFor, log } = disk.read()
        expect({ currentTerm, votedFor, terms: termsOf({ log }) }).toEqual({
          currentTerm: now.currentTerm,
          votedFor: now.votedFor,
          terms: termsOf(now),
        })
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a term that nobody can have reached', () => {
  const ignored = { _tag: 'Ignored', from: n2, why: 'AbsurdTerm' }

  it.each([
    requestVote({ term: 9 + maxTermLead + 1 }),
    requestVoteReply({ term: maxTerm, voteGranted: true }),
    appendEntries({ term: maxTerm }),
    appendEntriesReply({ term: maxTerm, success: false }),
    installSnapshot({ term: maxTerm }),
    installSnapshotReply({ term: maxTerm }),
  ])('is not taken over from a $_tag where there is a leader: it is told, and nothing else changes', (message) => {
    const led = after(follower({ T: 9 }), received(appendEntries({ from: n3, term: 9 })))
    for (const server of [led, leads]) {
      const stepped = on(server, received(message))
      expect(stepped.effects).toEqual([ignored])
      expect(stepped.server).toBe(server)
    }
  })

  it('may be where the others are: a server without a leader follows, so far and no further', () => {
    const beyond = received(requestVote({ term: maxTerm }))
    for (const server of [follower({ T: 9 }), candidate({ T: 9 })]) {
      const { server: now, effects } = on(server, beyond)
      expect(effects).toEqual([
        persist(now.writeProgress.written, { hardState: { currentTerm: 9 + maxTermLead, votedFor: null }, firstIndex: 1 }),
        ignored,
      ])
      expect(now.role).toEqual({ _tag: 'Follower', leader: null })
    }
  })

  it('deposes a leader only when no quorum answers it any more', () => {
    const beats = [1, 2, 3].map((n) => heartbeatDue(leads.counters.heartbeat + n - 1))
    const unheard = after(leads, ...beats)
    expect(
      on(
        after(unheard, received(appendEntriesReply({ from: n3, re: 4, term: 9, matchIndex: 2 }))),
        received(requestVote({ term: maxTerm })),
      ).effects,
    ).toEqual([ignored])
    expect(after(unheard, received(requestVote({ term: maxTerm }))).role._tag).toBe('Follower')
  })

  it('answers our own request: its sender is really there, so the leader follows as far, and can serve it again', () => {
    const seq = leads.role._tag === 'Leader' ? leads.role.follower(n2)!.inflight[0]!.seq : 0
    const answer = { re: seq, term: maxTerm, success: false }
    const { server: now, effects } = on(leads, received(appendEntriesReply(answer)))
    expect(effects.at(-1)).toEqual(ignored)
    expect(now).toMatchObject({ currentTerm: 9 + maxTermLead, role: { _tag: 'Follower', leader: null } })
    for (const other of [
      { ...answer, re: seq + 1 },
      { ...answer, from: n4 },
    ])
      expect(after(leads, received(appendEntriesReply(other))).currentTerm).toBe(9)
  })

  it('is one beyond what a server that was long away can have missed', () => {
    expect(after(follower({ T: 9 }), received(requestVote({ term: 9 + maxTermLead }))).currentTerm).toBe(9 + maxTermLead)
  })

  it('at the last term a server answers, follows and waits; it stands for no election', () => {
    const server = follower({ T: maxTerm, log: [1] })
    const late = on(server, timeout(1))
    expect(late.effects).toEqual([armElectionTimer(2)])
    expect(late.server.role).toEqual(server.role)
    expect(on(server, timeout(1), timeout(2)).effects).toEqual([armElectionTimer(3)])
    const led = after(server, received(appendEntries({ term: maxTerm, prevLogIndex: 1, prevLogTerm: 1, entries: entries(maxTerm) })))
    expect(led.log.lastTerm).toBe(maxTerm)
  })
})

describe('what is committed stays, whoever says otherwise (§5.4)', () => {
  const server = follower({ T: 3, log: [1, 2, 3], commit: 2 })

  it.each([
    { what: 'a committed entry', message: appendEntries({ term: 3, entries: entries(3, 3) }) },
    { what: 'the last committed one', message: appendEntries({ term: 4, prevLogIndex: 1, prevLogTerm: 1, entries: entries(4, 4) }) },
    { what: 'one that the leader only says it has', message: appendEntries({ term: 4, prevLogIndex: 2, prevLogTerm: 4 }) },
    { what: 'the end of a snapshot', message: installSnapshot({ term: 4, lastIncludedIndex: 2, lastIncludedTerm: 4 }) },
  ])('$what is not replaced: the message is told, and not answered', ({ message }) => {
    const { server: now, effects } = on(server, received(message))
    const told = [{ _tag: 'Ignored', from: n2, why: 'ReplacesCommitted' }]
    expect(effects.filter(({ _tag }) => _tag !== 'Persist')).toEqual([armElectionTimer(2), ...told])
    expect(now.log).toBe(server.log)
    expect(now.commitIndex).toBe(2)
    // Its heartbeats would keep a server from standing that has what is committed.
    const { term } = message
    const next = on(now, received(appendEntries({ term, prevLogIndex: 1, prevLogTerm: 1 })))
    expect(next.effects).toEqual(told)
    expect(next.server).toBe(now)
    expect(on(now, received(installSnapshot({ term, lastIncludedIndex: 9, lastIncludedTerm: term }))).effects).toEqual(told)
    expect(on(next.server, timeout(2)).server.role._tag).toBe('Candidate')
  })

  it('its sender is heard again in another term, and another leader at once', () => {
    const disbelieves = after(server, received(appendEntries({ term: 4, entries: entries(4) })))
    const beat = { prevLogIndex: 3, prevLogTerm: 3 }
    expect(after(disbelieves, received(appendEntries({ ...beat, term: 5 }))).role).toEqual({ _tag: 'Follower', leader: n2 })
    expect(after(disbelieves, received(requestVote({ from: n3, term: 5 }))).role).toEqual({ _tag: 'Follower', leader: null })
    expect(after(disbelieves, received(appendEntries({ ...beat, from: n3, term: 4 }))).role).toEqual({ _tag: 'Follower', leader: n3 })
  })

  it('nor is the last entry of a snapshot, although the log holds it no more', () => {
    const compacted: Server = { ...server, log: server.log.compactTo(logIndex(2)), lastApplied: logIndex(2), applyingIndex: logIndex(2) }
    const { server: now, effects } = on(compacted, received(appendEntries({ term: 3, entries: entries(1, 1, 1) })))
    expect(effects).toContainEqual({ _tag: 'Ignored', from: n2, why: 'ReplacesCommitted' })
    expect(now.log).toBe(compacted.log)
  })

  it('an entry after them is replaced as ever', () => {
    expect(termsOf(after(server, received(appendEntries({ term: 4, prevLogIndex: 2, prevLogTerm: 2, entries: entries(4) }))))).toEqual([
      1, 2, 4,
    ])
  })
})
