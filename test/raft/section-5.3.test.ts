import { describe, expect, it } from '@jest/globals'
import { noopEntry } from '../../src/raft/state/entry.js'
import { term } from '../../src/raft/ids.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  armHeartbeat,
  applied,
  apply,
  armElectionTimer,
  entries,
  entry,
  flush,
  follower,
  leader,
  n1,
  n2,
  n3,
  on,
  out,
  persist,
  persisted,
  proposed,
  received,
  requestVote,
  scheduleFlush,
  send,
  termsOf,
} from './servers.js'

/** From the leader of term 3, to a follower that knows it. */
const from = (log: ReadonlyArray<number>, commit = 0) => follower({ T: 3, log, commit })
const T3 = { term: 3, seq: 7 } as const
const answer = { ...out, re: 7, term: 3 } as const

describe('AppendEntries RPC, at the receiver', () => {
  describe('"2. Reply false if log doesn’t contain an entry at prevLogIndex whose term matches prevLogTerm"', () => {
    // conflict: the term that stands there and the first index of that term; or the first free index.
    it.each([
      { log: [], prev: [0, 0], conflict: null },
      { log: [1, 1], prev: [0, 0], conflict: null },
      { log: [1, 1], prev: [2, 1], conflict: null },
      { log: [1, 2, 2], prev: [1, 1], conflict: null },
      { log: [], prev: [1, 1], conflict: { term: null, index: 1 } },
      { log: [1, 1], prev: [3, 1], conflict: { term: null, index: 3 } },
      { log: [1, 1], prev: [9, 3], conflict: { term: null, index: 3 } },
      { log: [1, 2, 2], prev: [3, 3], conflict: { term: 2, index: 2 } },
      { log: [1, 2, 2], prev: [2, 3], conflict: { term: 2, index: 2 } },
      { log: [1, 1, 1], prev: [2, 2], conflict: { term: 1, index: 1 } },
      { log: [1, 2, 3], prev: [3, 1], conflict: { term: 3, index: 3 } },
    ] as const)('log $log against prev $prev: conflict $conflict', ({ log, prev: [prevLogIndex, prevLogTerm], conflict }) => {
      const { server, effects } = on(from(log), received(appendEntries({ ...T3, prevLogIndex, prevLogTerm, leaderCommit: 1 })))
      expect(effects).toEqual([
        armElectionTimer(2),
        send(appendEntriesReply({ ...answer, success: conflict === null, matchIndex: conflict === null ? prevLogIndex : 0, conflict })),
        // leaderCommit 1 counts where the first entry is known to match.
        ...(server.commitIndex === 1 ? [apply(1, entry(log[0]!))] : []),
      ])
      expect(server.commitIndex).toBe(conflict === null && prevLogIndex >= 1 ? 1 : 0)
      expect(termsOf(server)).toEqual(log)
    })
  })

  describe('"3. If an existing entry conflicts with a new one …, delete the existing entry and all that follow it. 4. Append any new entries not already in the log"', () => {
    it.each([
      { log: [], prev: [0, 0], sent: [3], becomes: [3], write: { firstIndex: 1, sent: [3] } },
      { log: [1], prev: [1, 1], sent: [2, 3], becomes: [1, 2, 3], write: { firstIndex: 2, sent: [2, 3] } },
      { log: [1, 2], prev: [1, 1], sent: [2, 3], becomes: [1, 2, 3], write: { firstIndex: 3, sent: [3] } },
      { log: [1, 2], prev: [1, 1], sent: [3], becomes: [1, 3], write: { firstIndex: 2, sent: [3], truncateFrom: 2 } },
      { log: [1, 2, 2, 2], prev: [1, 1], sent: [3], becomes: [1, 3], write: { firstIndex: 2, sent: [3], truncateFrom: 2 } },
      {
        log: [1, 2, 2, 2],
        prev: [1, 1],
        sent: [2, 2, 3, 3],
        becomes: [1, 2, 2, 3, 3],
        write: { firstIndex: 4, sent: [3, 3], truncateFrom: 4 },
      },
      { log: [2, 2], prev: [0, 0], sent: [1, 1], becomes: [1, 1], write: { firstIndex: 1, sent: [1, 1], truncateFrom: 1 } },
    ] as const)('log $log, after $prev come $sent: $becomes', ({ log, prev: [prevLogIndex, prevLogTerm], sent, becomes, write }) => {
      const { server, effects } = on(from(log), received(appendEntries({ ...T3, prevLogIndex, prevLogTerm, entries: entries(...sent) })))
      const { sent: written, ...rest } = write
      expect(effects).toEqual([
        persist(1, { ...rest, entries: entries(...written) }),
        armElectionTimer(2),
        // An ack of entries waits until they are on disk.
        send(appendEntriesReply({ ...answer, success: true, matchIndex: prevLogIndex + sent.length }), 1),
      ])
      expect(termsOf(server)).toEqual(becomes)
    })

    it.each([
      { what: 'nothing', prev: [0, 0], sent: [] },
      { what: 'the first of what it has', prev: [0, 0], sent: [1] },
      { what: 'the middle of what it has', prev: [1, 1], sent: [1] },
      { what: 'all it has', prev: [0, 0], sent: [1, 1, 3] },
      { what: 'a heartbeat before its end', prev: [1, 1], sent: [] },
    ] as const)(
      'an old or reordered AppendEntries with $what truncates nothing, and is acknowledged as far as it goes',
      ({ prev: [prevLogIndex, prevLogTerm], sent }) => {
        const { server, effects } = on(
          from([1, 1, 3]),
          received(appendEntries({ ...T3, prevLogIndex, prevLogTerm, entries: entries(...sent) })),
        )
        expect(effects).toEqual([
          armElectionTimer(2),
          send(appendEntriesReply({ ...answer, success: true, matchIndex: prevLogIndex + sent.length })),
        ])
        expect(termsOf(server)).toEqual([1, 1, 3])
      },
    )

    it('entries that are in the log but not yet on disk are acknowledged when they are', () => {
      const again = received(appendEntries({ ...T3, entries: entries(3) }))
      expect(on(from([]), again, again).effects).toEqual([armElectionTimer(3), send(appendEntriesReply({ ...answer, matchIndex: 1 }), 1)])
      expect(on(from([]), again, persisted(1), again).effects).toEqual([
        armElectionTimer(3),
        send(appendEntriesReply({ ...answer, matchIndex: 1 })),
      ])
    })
  })

  describe('"5. If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)"', () => {
    it.each([
      { commit: 0, prev: 0, sent: 0, leaderCommit: 3, becomes: 0 }, // a heartbeat proves no more than prevLogIndex
      { commit: 0, prev: 2, sent: 0, leaderCommit: 3, becomes: 2 },
      { commit: 0, prev: 3, sent: 0, leaderCommit: 3, becomes: 3 },
      { commit: 0, prev: 3, sent: 0, leaderCommit: 9, becomes: 3 }, // beyond the log
      { commit: 0, prev: 3, sent: 2, leaderCommit: 4, becomes: 4 },
      { commit: 0, prev: 3, sent: 2, leaderCommit: 9, becomes: 5 },
      { commit: 0, prev: 0, sent: 1, leaderCommit: 3, becomes: 1 }, // what stands after is not known to match
      { commit: 2, prev: 3, sent: 0, leaderCommit: 1, becomes: 2 }, // an old one takes nothing back
      { commit: 2, prev: 0, sent: 1, leaderCommit: 9, becomes: 2 },
    ])(
      'commit $commit, log of 3; $sent after $prev, leaderCommit $leaderCommit: $becomes',
      ({ commit, prev, sent, leaderCommit, becomes }) => {
        const server = from([1, 1, 1], commit)
        const it = after(
          server,
          received(
            appendEntries({
              ...T3,
              prevLogIndex: prev,
              prevLogTerm: prev === 0 ? 0 : 1,
              entries: [...server.log, ...entries(3, 3)].slice(prev, prev + sent),
              leaderCommit,
            }),
          ),
        )
        expect(it.commitIndex).toBe(becomes)
      },
    )
  })
})

describe('"If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine" (Figure 2)', () => {
  const commits = (leaderCommit: number, prevLogIndex: number) =>
    received(appendEntries({ ...T3, prevLogIndex, prevLogTerm: 3, leaderCommit }))
  const applies = (effects: ReadonlyArray<{ readonly _tag: string }>) => effects.filter(({ _tag }) => _tag === 'Apply')

  it('commands are handed over in order, each once', () => {
    const server = from([3, 3, 3])
    expect(applies(on(server, commits(2, 3)).effects)).toEqual([apply(1, entry(3), entry(3))])
    expect(applies(on(server, commits(2, 3), commits(2, 3)).effects)).toEqual([])
    expect(applies(on(server, commits(2, 3), commits(3, 3)).effects)).toEqual([apply(3, entry(3))])
  })

  it('lastApplied is what the state machine has answered for', () => {
    const server = after(from([3, 3, 3]), commits(3, 3))
    expect([server.applyingIndex, server.lastApplied]).toEqual([3, 0])
    expect(after(server, applied(2)).lastApplied).toBe(2)
    expect(after(server, applied(2), applied(3)).lastApplied).toBe(3)
  })

  it.each([
    { what: 'what was answered for', index: 2 },
    { what: 'less', index: 1 },
    { what: 'more than it was handed', index: 4 },
  ])('an answer for $what is ignored', ({ index }) => {
    const server = after(from([3, 3, 3]), commits(3, 3), applied(2))
    const stepped = on(server, applied(index))
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(server)
  })

  it('only what is on its own disk is handed over', () => {
    const appended = on(from([]), received(appendEntries({ ...T3, entries: entries(3, 3), leaderCommit: 2 })))
    expect(applies(appended.effects)).toEqual([])
    expect(appended.server.commitIndex).toBe(2)
    expect(on(appended.server, persisted(1)).effects).toEqual([apply(1, entry(3), entry(3))])
  })

  it('an entry that replaces a durable one is not durable by that, in the same step either', () => {
    const replaced = on(from([1]), received(appendEntries({ ...T3, entries: entries(3), leaderCommit: 1 })))
    expect(replaced.effects).toEqual([
      persist(1, { truncateFrom: 1, firstIndex: 1, entries: entries(3), commitIndex: 1 }),
      armElectionTimer(2),
      send(appendEntriesReply({ ...answer, matchIndex: 1 }), 1),
    ])
    expect(on(replaced.server, persisted(1)).effects).toEqual([apply(1, entry(3))])
  })

  it('no-ops and configurations are not for the state machine: they count as applied when their turn comes', () => {
    const noop = noopEntry(term(3))
    const server = after(
      from([]),
      received(appendEntries({ ...T3, entries: [noop, entry(3), noop, noop, entry(3), noop], leaderCommit: 6 })),
    )
    const handed = on(server, persisted(1))
    expect(handed.effects).toEqual([apply(2, entry(3)), apply(5, entry(3))])
    expect([handed.server.lastApplied, handed.server.applyingIndex]).toEqual([1, 6])
    expect(after(handed.server, applied(2)).lastApplied).toBe(4)
    expect(after(handed.server, applied(2), applied(5)).lastApplied).toBe(6)
  })

  it('the state machine holds at most maxApplying; its answer asks for the rest', () => {
    const server = follower({ T: 3, log: [3, 3, 3], settings: { maxApplying: 2 } })
    const handed = on(server, commits(3, 3))
    expect(applies(handed.effects)).toEqual([apply(1, entry(3), entry(3))])
    expect(on(handed.server, applied(1)).effects).toEqual([apply(3, entry(3))])
  })

  it('no-ops take no room there: what follows them is handed over in the same step', () => {
    const noop = noopEntry(term(3))
    const server = follower({ T: 3, settings: { maxApplying: 1 } })
    const appended = after(server, received(appendEntries({ ...T3, entries: [noop, noop, entry(3)], leaderCommit: 3 })))
    expect(on(appended, persisted(1)).effects).toEqual([apply(3, entry(3))])
  })
})

describe('"If command received from client: append entry to local log, respond after entry applied to state machine" (Figure 2)', () => {
  it('the commands of a batch become entries of the current term; they are sent when the turn ends', () => {
    const { server, effects } = on(leader({ log: [1] }), proposed(42, 'x', 'yy'))
    expect(effects).toEqual([
      persist(2, { firstIndex: 2, entries: [entry(2, 'x'), entry(2, 'yy')] }),
      { _tag: 'Appended', request: 42, term: 2, firstIndex: 2, count: 2 },
      scheduleFlush,
    ])
    expect(termsOf(server)).toEqual([1, 2, 2])
  })

  it('an empty batch is nothing', () => {
    const server = leader()
    const stepped = on(server, proposed(42))
    expect(stepped.effects).toEqual([])
    expect(stepped.server).toBe(server)
  })

  it('"issues AppendEntries RPCs in parallel to each of the other servers": a burst is one message for each, and leaves before the own disk has it', () => {
    const matched = after(leader(), received(appendEntriesReply({ re: 3 })), received(appendEntriesReply({ from: n3, re: 4 })))
    const burst = after(matched, proposed(1, 'x'), proposed(2, 'y', 'z'))
    const message = { ...out, term: 1, leaderId: n1, entries: [entry(1, 'x'), entry(1, 'y'), entry(1, 'z')] }
    expect(on(burst, flush).effects).toEqual([
      armHeartbeat(2), // all were sent something
      send(appendEntries({ ...message, seq: 5, to: n2 })),
      send(appendEntries({ ...message, seq: 6, to: n3 })),
    ])
  })

  it('"When the entry has been safely replicated …, the leader applies the entry": committed by a majority, itself among them', () => {
    const sent = after(leader(), received(appendEntriesReply({ re: 3 })), proposed(1, 'x'), flush)
    expect(on(sent, persisted(2)).effects).toEqual([])
    const committed = on(sent, persisted(2), received(appendEntriesReply({ re: 5, matchIndex: 1 })))
    expect(committed.effects).toEqual([apply(1, entry(1, 'x')), scheduleFlush])
    expect(committed.server.commitIndex).toBe(1)
  })

  it('"it includes that index in future AppendEntries RPCs (including heartbeats) so that the other servers eventually find out"', () => {
    const sent = after(
      leader(),
      received(appendEntriesReply({ re: 3 })),
      proposed(1, 'x'),
      flush,
      persisted(2),
      received(appendEntriesReply({ re: 5, matchIndex: 1 })),
    )
    expect(on(sent, flush).effects).toEqual([
      send(appendEntries({ ...out, seq: 6, term: 1, leaderId: n1, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1 })),
    ])
  })
})

describe('"Leader Append-Only: a leader never overwrites or deletes entries in its log; it only appends new entries" (Figure 3)', () => {
  it.each([
    appendEntries({ term: 2, entries: entries(2) }),
    appendEntries({ term: 1, entries: entries(1) }),
    requestVote({ term: 2, lastLogIndex: 9, lastLogTerm: 1 }),
    appendEntriesReply({ term: 2, re: 3, success: false, conflict: { term: null, index: 1 } }),
  ])('whatever it hears: $_tag of term $term', (message) => {
    const server = leader({ T: 2, log: [1, 1, 1] })
    expect(after(server, received(message)).log).toBe(server.log)
  })
})
