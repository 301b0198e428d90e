import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { checkedStep } from '../../src/raft/invariants.js'
import type { Message } from '../../src/raft/messages.js'
import type { Server } from '../../src/raft/state/server.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  armHeartbeat,
  candidate,
  entries,
  entry,
  flush,
  follower,
  type Given,
  heartbeatDue,
  leader,
  n1,
  n2,
  n3,
  n4,
  on,
  out,
  persisted,
  progress,
  proposed,
  received,
  requestVoteReply,
  scheduleFlush,
  send,
  termsOf,
  timeout,
  unreachable,
} from './servers.js'

/** The leader of term 9, and what it sends to n2; its first AppendEntries there has number 3. */
const leads = (given: Given = {}) => leader({ T: 9, ...given })
const T9 = { ...out, term: 9, leaderId: n1 } as const
const ack = (re: number, matchIndex: number) => received(appendEntriesReply({ re, term: 9, matchIndex }))
const refusal = (re: number, conflict: { readonly term: number | null; readonly index: number }) =>
  received(appendEntriesReply({ re, term: 9, success: false, conflict }))
/** What is sent to n2, by number. */
const toN2 = (effects: ReadonlyArray<{ readonly _tag: string; readonly message?: Message }>): ReadonlyArray<Message> =>
  effects.flatMap(({ message }) => (message?.to === n2 ? [message] : []))
const shown = (message: Message | undefined) =>
  message?._tag === 'AppendEntries' ? { seq: message.seq, prev: message.prevLogIndex, sent: message.entries.length } : message
const known = (server: Server) => {
  const { nextIndex, matchIndex, flow, inflight } = progress(server, n2)
  return { nextIndex, matchIndex, flow, inflight: inflight.map(({ seq }) => Number(seq)) }
}

describe('"If last log index ≥ nextIndex for a follower: send AppendEntries RPC with log entries starting at nextIndex" (Figure 2)', () => {
  it('one request at a time until the logs are known to match (a probe), and then without waiting', () => {
    const probing = after(leads({ log: [1] }), proposed(1, 'x'))
    expect(known(probing)).toEqual({ nextIndex: 2, matchIndex: 0, flow: 'Probe', inflight: [3] })
    expect(on(probing, flush).effects).toEqual([])

    const matched = on(probing, ack(3, 1))
    expect(matched.effects).toEqual([scheduleFlush])
    expect(known(matched.server)).toEqual({ nextIndex: 2, matchIndex: 1, flow: 'Replicate', inflight: [] })
    expect(on(matched.server, flush).effects).toEqual([
      send(appendEntries({ ...T9, seq: 5, prevLogIndex: 1, prevLogTerm: 1, entries: [entry(9, 'x')] })),
    ])
  })

  it('"If successful: update nextIndex and matchIndex for follower"', () => {
    const sent = after(leads(), ack(3, 0), proposed(1, 'x', 'y'), flush)
    expect(known(sent)).toEqual({ nextIndex: 3, matchIndex: 0, flow: 'Replicate', inflight: [5] })
    expect(known(after(sent, ack(5, 2)))).toEqual({ nextIndex: 3, matchIndex: 2, flow: 'Replicate', inflight: [] })
  })

  it('a request knows when it was sent: at the time of its step', () => {
    const sent = checkedStep(after(leads(), ack(3, 0), proposed(1, 'x')), flush, 700).server
    const beaten = checkedStep(sent, heartbeatDue(sent.counters.heartbeat), 900).server
    expect(progress(beaten, n2).inflight.map(({ seq, sentAt }) => [seq, sentAt])).toEqual([
      [5, 700],
      [6, 900],
    ])
  })

  it('the first requests of a leader were sent when it was elected', () => {
    const elected = checkedStep(candidate(), received(requestVoteReply({ re: 1, term: 1, voteGranted: true })), 500).server
    expect(progress(elected, n2).inflight).toMatchObject([{ sentAt: 500 }])
    const alone = checkedStep(after(follower({ of: 1 }), timeout(1)), persisted(1), 600).server
    expect(alone.role).toMatchObject({ _tag: 'Leader', followers: [] })
  })

  it('there is nothing to send twice: a second flush is empty', () => {
    const sent = after(leads(), ack(3, 0), proposed(1, 'x'), flush)
    const again = on(sent, flush)
    expect(again.effects).toEqual([])
    expect(again.server).toBe(sent)
  })

  it.each([
    { limit: { maxEntriesPerMessage: 2 }, messages: [2, 2, 1] },
    { limit: { maxBytesPerMessage: 6 }, messages: [2, 2, 1] },
    { limit: { maxBytesPerMessage: 1 }, messages: [1, 1, 1, 1, 1] }, // one that is larger goes alone
    { limit: { maxInflightMessages: 2, maxEntriesPerMessage: 1 }, messages: [1, 1] },
    { limit: { maxInflightBytes: 6, maxEntriesPerMessage: 1 }, messages: [1, 1] },
    { limit: { maxInflightBytes: 7, maxEntriesPerMessage: 1 }, messages: [1, 1, 1] },
  ])('five commands of three bytes, $limit: messages of $messages', ({ limit, messages }) => {
    const { effects } = on(leads({ settings: limit }), ack(3, 0), proposed(1, 'abc', 'abc', 'abc', 'abc', 'abc'), flush)
    expect(toN2(effects).map((message) => shown(message))).toEqual(
      messages.map((sent, i) => ({ seq: 5 + i, prev: messages.slice(0, i).reduce((a, b) => a + b, 0), sent })),
    )
  })

  it('an answer moves the window, and an answer to a later request frees the places of earlier ones: theirs were lost or will come late', () => {
    const full = after(
      leads({ settings: { maxInflightMessages: 3, maxEntriesPerMessage: 1 } }),
      ack(3, 0),
      proposed(1, 'a', 'b', 'c', 'd', 'e'),
      flush,
    )
    expect(known(full).inflight).toEqual([5, 6, 7])
    const first = on(full, ack(5, 1))
    expect(first.effects).toEqual([scheduleFlush])
    expect(toN2(on(first.server, flush).effects).map(shown)).toEqual([{ seq: 8, prev: 3, sent: 1 }])
    const second = on(full, ack(6, 2))
    expect(toN2(on(second.server, flush).effects).map(shown)).toEqual([
      { seq: 8, prev: 3, sent: 1 },
      { seq: 9, prev: 4, sent: 1 },
    ])
  })

  it('an answer that comes after its place was freed still counts: a slow disk answers heartbeats first', () => {
    const freed = after(leads(), ack(3, 0), proposed(1, 'x'), flush, heartbeatDue(1), ack(6, 0))
    expect(known(freed)).toEqual({ nextIndex: 2, matchIndex: 0, flow: 'Replicate', inflight: [] })
    expect(known(after(freed, ack(5, 1)))).toEqual({ nextIndex: 2, matchIndex: 1, flow: 'Replicate', inflight: [] })
  })

  it('answers in any order: an older one takes nothing back', () => {
    const sent = after(leads({ settings: { maxEntriesPerMessage: 1 } }), ack(3, 0), proposed(1, 'a', 'b'), flush)
    expect(known(after(sent, ack(6, 2), ack(5, 1)))).toEqual({ nextIndex: 3, matchIndex: 2, flow: 'Replicate', inflight: [] })
  })

  it('an answer that comes twice is no news', () => {
    const sent = after(leads(), ack(3, 0), proposed(1, 'x', 'y'), flush)
    for (const answer of [ack(5, 2), ack(5, 0)]) {
      const once = after(sent, answer)
      const twice = on(once, answer)
      expect(twice.effects).toEqual([])
      expect(twice.server).toBe(once)
    }
  })

  it('what is known to be there is not sent again, although it was being probed for', () => {
    const sent = after(leads(), ack(3, 0), proposed(1, 'x', 'y'), flush, proposed(2, 'z'), flush)
    const doubted = after(sent, unreachable(n2), heartbeatDue(1))
    expect(known(doubted)).toEqual({ nextIndex: 1, matchIndex: 0, flow: 'Probe', inflight: [6, 7] })
    expect(known(after(doubted, ack(5, 2)))).toEqual({ nextIndex: 3, matchIndex: 2, flow: 'Probe', inflight: [6, 7] })
  })
})

describe('"If AppendEntries fails because of log inconsistency: decrement nextIndex and retry" (Figure 2), a term at a time', () => {
  it.each([
    // The follower’s log is too short: go on where it ends.
    { log: [1, 1, 1], conflict: { term: null, index: 1 }, nextIndex: 1 },
    { log: [1, 1, 1], conflict: { term: null, index: 3 }, nextIndex: 3 },
    // Its conflicting term is newer than ours there, or older and unknown here: nothing of that term agrees.
    { log: [1, 1, 2], conflict: { term: 5, index: 2 }, nextIndex: 2 },
    { log: [1, 4, 4], conflict: { term: 2, index: 2 }, nextIndex: 2 },
    { log: [1, 4, 4, 4], conflict: { term: 3, index: 3 }, nextIndex: 3 },
    // We have entries of that term too: the logs may agree up to our last of them.
    { log: [1, 2, 2, 4, 4], conflict: { term: 2, index: 2 }, nextIndex: 4 },
    { log: [1, 2, 4, 4, 4], conflict: { term: 2, index: 2 }, nextIndex: 3 },
    { log: [2, 2, 4, 4, 4], conflict: { term: 2, index: 4 }, nextIndex: 4 }, // ours all lie before its first: no use
    // Whatever it says, the next probe is before this one.
    { log: [1, 1, 1], conflict: { term: null, index: 9 }, nextIndex: 3 },
    { log: [1, 1, 1], conflict: { term: 1, index: 3 }, nextIndex: 3 },
    { log: [1, 1, 1], conflict: { term: null, index: 0 }, nextIndex: 1 },
  ])('log $log, conflict $conflict: nextIndex $nextIndex', ({ log, conflict, nextIndex }) => {
    const stepped = on(leads({ log }), refusal(3, conflict))
    expect(stepped.effects).toEqual([scheduleFlush])
    expect(known(stepped.server)).toEqual({ nextIndex, matchIndex: 0, flow: 'Probe', inflight: [] })
    expect(on(stepped.server, flush).effects).toEqual([
      send(
        appendEntries({
          ...T9,
          seq: 5,
          prevLogIndex: nextIndex - 1,
          prevLogTerm: log[nextIndex - 2] ?? 0,
          entries: entries(...log.slice(nextIndex - 1)),
        }),
      ),
    ])
  })

  it('also when the answer takes longer than a heartbeat', () => {
    const beaten = after(leads({ log: [1, 1, 1] }), heartbeatDue(1), heartbeatDue(2))
    expect(known(beaten)).toEqual({ nextIndex: 4, matchIndex: 0, flow: 'Probe', inflight: [3, 5, 7] })
    const refused = after(beaten, refusal(3, { term: null, index: 1 }))
    expect(known(refused)).toEqual({ nextIndex: 1, matchIndex: 0, flow: 'Probe', inflight: [] })
    expect(known(after(refused, refusal(5, { term: null, index: 1 })))).toEqual(known(refused))
    expect(known(after(beaten, ack(3, 3)))).toEqual({ nextIndex: 4, matchIndex: 3, flow: 'Replicate', inflight: [5, 7] })
  })

  it('of the probes without an answer no more are kept than the window has places', () => {
    const beaten = after(leads({ settings: { maxInflightMessages: 2 } }), heartbeatDue(1), heartbeatDue(2), heartbeatDue(3))
    expect(known(beaten).inflight).toEqual([7, 9])
  })

  it('a refusal says nothing about what is known to match', () => {
    const sent = after(leads({ log: [1, 1] }), ack(3, 2), proposed(1, 'x'), flush, proposed(2, 'y'), flush)
    expect(known(after(sent, refusal(6, { term: null, index: 1 })))).toEqual({ nextIndex: 3, matchIndex: 2, flow: 'Probe', inflight: [] })
  })

  it('requests that followed the refused one will be refused too: that is old news then', () => {
    const sent = after(leads({ log: [1, 1] }), ack(3, 2), proposed(1, 'x'), flush, proposed(2, 'y'), flush)
    const probing = after(sent, refusal(5, { term: null, index: 1 }), flush)
    const late = on(probing, refusal(6, { term: null, index: 1 }))
    expect(late.effects).toEqual([])
    expect(late.server).toBe(probing)
  })

  /**
   * Two logs that Raft can bring about: equal up to a point, then of different terms, except that one may go on in the
   * last shared one.
   */
  const logs = fc
    .record({
      shared: fc.array(fc.nat(2), { maxLength: 8 }),
      more: fc.nat(3),
      whose: fc.boolean(),
      ours: fc.array(fc.nat(2), { maxLength: 8 }),
      theirs: fc.array(fc.nat(2), { maxLength: 8 }),
    })
    .map(({ shared, more, whose, ours, theirs }) => {
      const rising = (steps: ReadonlyArray<number>, start: number): number[] =>
        steps.reduce<number[]>((all, step) => [...all, (all.at(-1) ?? start) + 2 * step], [])
      const prefix = rising(shared, 1)
      const last = prefix.at(-1) ?? 1
      const goesOn = Array.from({ length: more }, () => last)
      return {
        ours: [...prefix, ...(whose ? goesOn : []), ...rising(ours, last + 1)],
        theirs: [...prefix, ...(whose ? [] : goesOn), ...rising(theirs, last + 2)],
      }
    })

  it('"the leader will … bring the follower’s log to its own": in at most one refusal for each term of the follower, and one for its length', () => {
    fc.assert(
      fc.property(logs, ({ ours, theirs }) => {
        const T = Math.max(0, ...ours, ...theirs) + 2
        const first = on(leader({ T, log: ours }), heartbeatDue(1))
        let leading = first.server
        let following = follower({ id: n2, T, log: theirs })
        let [request] = toN2(first.effects)
        let refusals = 0
        for (let round = 0; round < 20 && request !== undefined; round++) {
          const { server, effects } = on(following, received(request))
          following = after(server, persisted(server.writeProgress.written))
          const reply = effects.flatMap((effect) => (effect._tag === 'Send' ? [effect.message] : []))[0]!
          if (reply._tag === 'AppendEntriesReply' && !reply.success) refusals++
          const answered = on(leading, received(reply), flush)
          leading = answered.server
          ;[request] = toN2(answered.effects)
        }
        expect(refusals).toBeLessThanOrEqual(new Set(theirs).size + 1)
        // A log that is longer and agrees stays so until the leader has something to put there.
        expect(termsOf(following).slice(0, ours.length)).toEqual(ours)
        expect(known(leading)).toMatchObject({ flow: 'Replicate', matchIndex: ours.length })
      }),
      { numRuns: 300 },
    )
  })
})

describe('§5.5 "Raft handles these failures by retrying indefinitely"', () => {
  it('a probe that is not answered is repeated by the heartbeat', () => {
    const server = leads({ log: [1] })
    const beat = on(server, heartbeatDue(1))
    expect(beat.effects).toEqual([
      armHeartbeat(2),
      send(appendEntries({ ...T9, seq: 5, prevLogIndex: 1, prevLogTerm: 1 })),
      send(appendEntries({ ...T9, to: n3, seq: 6, prevLogIndex: 1, prevLogTerm: 1 })),
    ])
    expect(known(beat.server).inflight).toEqual([3, 5])
  })

  it('a heartbeat goes out although the window is full', () => {
    const full = after(leads({ settings: { maxInflightMessages: 1 } }), ack(3, 0), proposed(1, 'x'), flush)
    expect(toN2(on(full, heartbeatDue(1)).effects).map(shown)).toEqual([{ seq: 6, prev: 1, sent: 0 }])
  })

  it('a lost request is found out by the heartbeat after it, which does not match', () => {
    const lost = after(leads(), ack(3, 0), proposed(1, 'x'), flush, heartbeatDue(1), refusal(6, { term: null, index: 1 }))
    expect(toN2(on(lost, flush).effects).map(shown)).toEqual([{ seq: 8, prev: 0, sent: 1 }])
  })

  it('after three heartbeats without an answer, what was sent is taken for lost, and the next one probes', () => {
    const silent = after(leads(), ack(3, 0), proposed(1, 'x'), flush, heartbeatDue(1), heartbeatDue(2), heartbeatDue(3))
    expect(known(silent)).toEqual({ nextIndex: 2, matchIndex: 0, flow: 'Replicate', inflight: [5, 6, 8, 10] })
    const probed = on(silent, heartbeatDue(4))
    expect(toN2(probed.effects).map(shown)).toEqual([{ seq: 12, prev: 0, sent: 0 }])
    expect(known(probed.server)).toEqual({ nextIndex: 1, matchIndex: 0, flow: 'Probe', inflight: [12] })
    // It answers: what it lacks follows at once.
    expect(toN2(on(probed.server, ack(12, 0), flush).effects).map(shown)).toEqual([{ seq: 14, prev: 0, sent: 1 }])
  })

  it('any answer ends the silence', () => {
    const answered = after(leads(), ack(3, 0), heartbeatDue(1), heartbeatDue(2), ack(5, 0), heartbeatDue(3), heartbeatDue(4))
    expect(progress(answered, n2)).toMatchObject({ flow: 'Replicate', silentHeartbeats: 2 })
  })
})

describe('Unreachable: what was sent may be lost (architecture 14)', () => {
  it('the follower is probed from what is known to match, by the next heartbeat: nothing is sent on a broken line before', () => {
    const sent = after(leads(), ack(3, 0), proposed(1, 'x'), flush, proposed(2, 'y'), flush)
    const told = on(sent, unreachable(n2))
    expect(told.effects).toEqual([])
    expect(known(told.server)).toEqual({ nextIndex: 1, matchIndex: 0, flow: 'Probe', inflight: [6] })
    expect(toN2(on(told.server, proposed(3, 'z'), flush).effects)).toEqual([])
    expect(toN2(on(told.server, heartbeatDue(1)).effects).map(shown)).toEqual([{ seq: 7, prev: 0, sent: 0 }])
  })

  it('if nothing was lost after all, the answer says so', () => {
    const told = after(leads(), ack(3, 0), proposed(1, 'x'), flush, unreachable(n2))
    expect(known(after(told, ack(5, 1)))).toEqual({ nextIndex: 2, matchIndex: 1, flow: 'Replicate', inflight: [] })
  })

  it.each([
    { who: 'one that is being probed already', server: leads(), peer: n2 },
    { who: 'nobody it leads', server: leads(), peer: n4 },
    { who: 'anyone, at a follower', server: follower(), peer: n2 },
  ])('$who: nothing changes', ({ server, peer }) => {
    const stepped = on(server, unreachable(peer))
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(server)
  })
})

describe('a follower that has no room takes no entries and says so by its matchIndex', () => {
  const full = { maxUnapplied: 2, maxPendingWrites: 2, maxLogBytes: 2 }
  const offered = (prevLogIndex: number) =>
    received(appendEntries({ seq: 7, term: 3, prevLogIndex, prevLogTerm: 3, entries: [entry(3, 'x')], leaderCommit: prevLogIndex }))
  const filled = (count: number, settings: Given['settings'] = {}) =>
    after(
      follower({ T: 3, settings }),
      received(appendEntries({ seq: 1, term: 3, entries: Array.from({ length: count }, () => entry(3, 'x')), leaderCommit: 0 })),
      persisted(1),
    )
  const writing = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      received(appendEntries({ seq: i + 1, term: 3, prevLogIndex: i, prevLogTerm: i === 0 ? 0 : 3, entries: [entry(3, 'x')] })),
    )
  const taken = (server: Server, at: number) => server.log.lastIndex === at + 1

  it.each([
    {
      what: 'committed and not applied: one less than maxUnapplied',
      server: filled(1, { maxUnapplied: full.maxUnapplied }),
      at: 1,
      takes: true,
    },
    {
      what: 'maxUnapplied',
      server: after(
        filled(2, { maxUnapplied: full.maxUnapplied }),
        received(appendEntries({ term: 3, prevLogIndex: 2, prevLogTerm: 3, leaderCommit: 2 })),
      ),
      at: 2,
      takes: false,
    },
    {
      what: 'one write less than maxPendingWrites',
      server: after(follower({ T: 3, settings: { maxPendingWrites: full.maxPendingWrites } }), ...writing(1)),
      at: 1,
      takes: true,
    },
    {
      what: 'maxPendingWrites',
      server: after(follower({ T: 3, settings: { maxPendingWrites: full.maxPendingWrites } }), ...writing(2)),
      at: 2,
      takes: false,
    },
    // the no-op of a new leader may follow
    { what: 'maxLogBytes, exactly', server: filled(2, { maxLogBytes: full.maxLogBytes }), at: 2, takes: true },
    { what: 'more than maxLogBytes', server: filled(3, { maxLogBytes: full.maxLogBytes }), at: 3, takes: false },
  ])('$what: takes $takes', ({ server, at, takes }) => {
    const stepped = on(server, offered(at))
    expect(taken(stepped.server, at)).toBe(takes)
    const reply = stepped.effects.flatMap((effect) => (effect._tag === 'Send' ? [effect] : []))
    const { writeProgress } = stepped.server
    expect(reply).toEqual([
      send(
        appendEntriesReply({ ...out, re: 7, term: 3, matchIndex: takes ? at + 1 : Math.min(at, writeProgress.index) }),
        takes ? writeProgress.written : null,
      ),
    ])
  })

  it('the leader stops sending entries there, and tries again after the next heartbeat', () => {
    const sent = after(leads({ settings: { maxEntriesPerMessage: 1 } }), ack(3, 0), proposed(1, 'x', 'y'), flush)
    const told = on(sent, ack(5, 0))
    expect(told.effects).toEqual([])
    expect(known(told.server)).toEqual({ nextIndex: 1, matchIndex: 0, flow: 'Probe', inflight: [5] })
    expect(toN2(on(told.server, proposed(2, 'z'), flush).effects)).toEqual([])
    const beat = on(told.server, heartbeatDue(1))
    expect(toN2(beat.effects).map(shown)).toEqual([{ seq: 7, prev: 0, sent: 0 }])
    expect(toN2(on(beat.server, ack(7, 0), flush).effects).map(shown)).toEqual([
      { seq: 9, prev: 0, sent: 1 },
      { seq: 10, prev: 1, sent: 1 },
    ])
  })
})
