import { describe, expect, it } from '@jest/globals'
import { of } from 'rxjs'
import type { Effect } from '../../src/raft/effect.js'
import { commandEntry, configurationEntry } from '../../src/raft/state/entry.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, messageSeq, nodeId, type NodeId, snapshotRef, term } from '../../src/raft/ids.js'
import { logFrom } from '../../src/raft/state/log.js'
import { Follower, Leader } from '../../src/raft/state/role.js'
import type { Server } from '../../src/raft/state/server.js'
import type { Inspection } from '../../streams/loop/run.js'
import { SameAnswers, sameValue } from '../../streams/testing/checkers/answers.js'
import { ClientView } from '../../streams/testing/checkers/clientView.js'
import {
  allChecks,
  bounded,
  checked,
  checking,
  type CheckOf,
  Checks,
  ClusterRecord,
  committedStays,
  electionSafety,
  inOrder,
  leaderAppendOnly,
  leaderCompleteness,
  logMatching,
  oneConfiguration,
  quorumOnDisk,
  remembers,
  saidAfterFsync,
  stateMachineSafety,
  type Violation,
} from '../../streams/testing.js'
import { WatchInOrder } from '../../streams/testing/checkers/watchInOrder.js'
import { Window } from '../../streams/testing/checkers/window.js'
import { ascii, follower, type Given, leader, n1, n2, n3, requestVote, requestVoteReply } from '../raft/servers.js'

const started: RaftEvent = { _tag: 'Started' }
const flushed: RaftEvent = { _tag: 'Flush' }

const stepOf = (before: Server, after: Server, event: RaftEvent = flushed, effects: ReadonlyArray<Effect> = []): Inspection => ({
  at: 7,
  event,
  before,
  after,
  effects,
})
const starts = (server: Server): Inspection => stepOf(server, server, started)
const given = (id: string, of: Given): Server => follower({ ...of, id: nodeId(id) })
const leads = (id: string, of: Given): Server => ({ ...leader(of), id: nodeId(id) })
const commits = (server: Server, index: number): Server => ({ ...server, commitIndex: logIndex(index) })

const handed = (server: Server, applyingIndex: number): Server => ({ ...server, applyingIndex: logIndex(applyingIndex) })

const violations = (check: CheckOf, steps: ReadonlyArray<Inspection>): ReadonlyArray<Violation> => {
  const found: Violation[] = []
  of(...steps)
    .pipe(checking(check))
    .subscribe((violation) => found.push(violation))
  return found
}

/** n1 as it was, and then as `change` says. */
const becomes = (before: Server, change: Partial<Server>, event?: RaftEvent, effects?: ReadonlyArray<Effect>): Inspection =>
  stepOf(before, { ...before, ...change }, event, effects)

const three = (log: ReadonlyArray<number>): ReadonlyArray<Inspection> => ['n1', 'n2', 'n3'].map((id) => starts(given(id, { log })))

interface Breach {
  readonly what: string
  readonly check: CheckOf
  readonly steps: ReadonlyArray<Inspection>
  readonly message: string
}

const longer = (server: Server, ...terms: ReadonlyArray<number>): Server => ({
  ...server,
  log: server.log.append(terms.map((T) => commandEntry(term(T), new Uint8Array(0)))),
})
const leaderOf2 = leads('n1', { T: 2, log: [1, 1] })

const breaches: ReadonlyArray<Breach> = [
  {
    what: 'I1: two leaders of one term',
    check: electionSafety,
    steps: ['n1', 'n2'].map((id) => stepOf(given(id, { T: 2 }), leads(id, { T: 2 }))),
    message: 'n2 leads in term 2, and so did n1',
  },
  {
    what: 'I2: a leader that gives up an entry',
    check: leaderAppendOnly,
    steps: [becomes(leaderOf2, { log: leaderOf2.log.truncateFrom(logIndex(2)) })],
    message: 'n1 leads in term 2 and gave up its entry 2/1',
  },
  {
    what: 'I3: another command at the same index and term',
    check: logMatching,
    steps: [
      starts(given('n1', { log: [1, 1] })),
      stepOf(given('n2', { log: [1] }), {
        ...given('n2', { log: [1] }),
        log: given('n2', { log: [1] }).log.append([commandEntry(term(1), ascii('other'))]),
      }),
    ],
    message: 'n2: two entries at 2/1 differ',
  },
  {
    what: 'I3: the same entry after another term',
    check: logMatching,
    steps: [starts(given('n1', { log: [1, 3] })), starts(given('n2', { log: [2, 3] }))],
    message: 'n2: the entry at 2/3 comes after term 2, and elsewhere after term 1',
  },
  {
    what: 'I4: a leader without an entry that an older term committed',
    check: leaderCompleteness,
    steps: [starts(given('n2', { log: [1, 1], commit: 2 })), stepOf(given('n1', { T: 3, log: [1] }), leads('n1', { T: 3, log: [1] }))],
    message: 'n1 leads in term 3 without entry 2/1, which was committed in term 1',
  },
  {
    what: 'I4: an entry is committed that a leader of a later term lacks',
    check: leaderCompleteness,
    steps: [
      stepOf(given('n2', { T: 3, log: [1] }), leads('n2', { T: 3, log: [1] })),
      stepOf(longer(leads('n1', { T: 2, log: [1] }), 2), commits(longer(leads('n1', { T: 2, log: [1] }), 2), 2)),
    ],
    message: 'n2 leads in term 3 without entry 2/2, which was committed in term 2',
  },
  {
    what: 'I5: another entry is applied than the one that is committed',
    check: stateMachineSafety,
    steps: [
      starts(given('n1', { log: [1, 2], commit: 2 })),
      becomes(handed(given('n2', { log: [1, 1] }), 1), { applyingIndex: logIndex(2) }, flushed, [
        { _tag: 'Apply', firstIndex: logIndex(2), entries: [commandEntry(term(1), new Uint8Array(0))] },
      ]),
    ],
    message: 'n2 applies an entry of term 1 at 2, where one of term 2 is committed',
  },
  {
    what: 'I5: a command is left out',
    check: stateMachineSafety,
    steps: [
      starts(given('n1', { log: [1, 1], commit: 2 })),
      becomes(handed(given('n2', { log: [1, 1] }), 0), { applyingIndex: logIndex(2) }, flushed, [
        { _tag: 'Apply', firstIndex: logIndex(2), entries: [commandEntry(term(1), new Uint8Array(0))] },
      ]),
    ],
    message: 'n2 applies 2 and left out 1',
  },
  {
    what: 'I5: an entry is applied twice',
    check: stateMachineSafety,
    steps: [1, 1].map((index) =>
      becomes(handed(given('n1', { log: [1, 1], commit: 2 }), 0), { commitIndex: logIndex(2), applyingIndex: logIndex(2) }, flushed, [
        { _tag: 'Apply', firstIndex: logIndex(index), entries: [commandEntry(term(1), new Uint8Array(0))] },
      ]),
    ),
    message: 'n1 applies 1 after 1',
  },
  {
    what: 'I7, I12: an entry is committed that no server has on disk',
    check: quorumOnDisk,
    steps: [...three([]), stepOf(longer(leads('n1', { T: 2 }), 2), commits(longer(leads('n1', { T: 2 }), 2), 1))],
    message: 'n1 commits 1/2 in term 2; on disk it is at no server',
  },
  {
    what: 'I8: something else is committed at the same index',
    check: committedStays,
    steps: [
      starts(given('n1', { log: [1, 2], commit: 2 })),
      stepOf(given('n2', { log: [1, 1] }), commits(given('n2', { log: [1, 1] }), 2)),
    ],
    message: 'n2 has an entry of term 1 committed at 2, where one of term 2 is committed',
  },
  {
    what: 'I8: a leader would replace what a server knows to be committed, which does not believe it',
    check: committedStays,
    steps: [stepOf(given('n1', { log: [1], commit: 1 }), { ...given('n1', { log: [1], commit: 1 }), role: new Follower(null, n2) })],
    message: 'n2 leads, and would replace what n1 knows to be committed, up to 1',
  },
  {
    what: 'I9: a server forgets its vote in a crash',
    check: remembers,
    steps: [starts(given('n1', { T: 2, votedFor: n2 })), starts(given('n1', { T: 2 }))],
    message: 'n1 restarts with vote - in term 2; its disk had acknowledged a vote for n2',
  },
  {
    what: 'I9: a server forgets an entry that its disk acknowledged',
    check: remembers,
    steps: [starts(given('n1', { log: [1, 1] })), starts(given('n1', { log: [1], T: 1 }))],
    message: 'n1 restarts without entry 2/1, which its disk had acknowledged',
  },
  {
    what: 'I9: a term decreases',
    check: remembers,
    steps: [stepOf(given('n1', { T: 3 }), given('n1', { T: 2 }))],
    message: 'n1 went from term 3 to 2',
  },
  {
    what: 'I10: more is applied than was handed over',
    check: inOrder,
    steps: [becomes(given('n1', { log: [1, 1], commit: 2 }), { lastApplied: logIndex(2), applyingIndex: logIndex(1) })],
    message: 'n1: 0 2 1 2 2',
  },
  {
    what: 'I13: two configurations in a log that are not known to be committed',
    check: oneConfiguration,
    steps: [
      becomes(given('n1', { log: [1] }), {
        log: given('n1', { log: [1] }).log.append([1, 2].map(() => configurationEntry(term(1), given('n1', {}).log.configuration))),
      }),
    ],
    message: 'the log of n1 holds configurations at 2 and 3; committed is 0',
  },
  {
    what: 'I18: a vote is told before it is on disk',
    check: saidAfterFsync,
    steps: [
      starts(given('n2', {})),
      stepOf(given('n1', { T: 1 }), given('n1', { T: 1 }), {
        _tag: 'Received',
        message: requestVoteReply({ from: n2, to: n1, term: 1, voteGranted: true }),
      }),
    ],
    message: 'n2 says that it votes for n1 in term 1; its disk knows of term 0, vote -',
  },
  {
    what: 'I18: a candidate stands before its vote is on disk',
    check: saidAfterFsync,
    steps: [
      starts(given('n2', {})),
      stepOf(given('n1', {}), given('n1', { T: 1 }), { _tag: 'Received', message: requestVote({ from: n2, candidateId: n2, term: 1 }) }),
    ],
    message: 'n2 says that it votes for n2 in term 1; its disk knows of term 0, vote -',
  },
  {
    what: 'I18: entries are acknowledged before they are on disk',
    check: saidAfterFsync,
    steps: [
      starts(given('n2', { T: 1 })),
      stepOf(given('n2', { T: 1 }), longer(given('n2', { T: 1 }), 1)),
      stepOf(leads('n1', { T: 1 }), leads('n1', { T: 1 }), {
        _tag: 'Received',
        message: {
          _tag: 'AppendEntriesReply',
          from: n2,
          to: n1,
          re: messageSeq(1),
          term: term(1),
          success: true,
          matchIndex: logIndex(1),
          conflict: null,
        },
      }),
    ],
    message: 'n2 acknowledges entries up to 1; its disk has acknowledged 0',
  },
  {
    what: 'I18: a proposal taken beyond the bound',
    check: bounded,
    steps: [
      becomes(
        leads('n1', { T: 2, log: [1, 1], settings: { maxUncommittedEntries: 3 } }),
        { log: longer(leads('n1', { T: 2, log: [1, 1] }), 2, 2).log },
        { _tag: 'Proposed', request: 1, commands: [ascii('x'), ascii('y')] },
      ),
    ],
    message: 'n1 takes a proposal, and has 4 entries that are not committed; the bound is 3',
  },
  {
    what: 'I18: a proposal taken with as many writes under way as there may be',
    check: bounded,
    steps: [
      ((server) => becomes(server, { log: longer(server, 2).log }, { _tag: 'Proposed', request: 1, commands: [ascii('x')] }))(
        leads('n1', { T: 2, log: [1, 1], settings: { maxPendingWrites: 0 } }),
      ),
    ],
    message: 'n1 takes a proposal with 0 writes under way; the bound is 0',
  },
  {
    what: 'I18: requests to a follower that never end',
    check: bounded,
    steps: [
      ((server) => {
        const role = server.role as Leader
        const waiting = Array.from({ length: 1_000 }, () => role.followers[0]!.inflight[0]!)
        return becomes(server, {
          role: new Leader(role.followers.map((each) => each.with({ inflight: waiting }))),
        })
      })(leaderOf2),
    ],
    message: 'n1 has 1000 requests under way to n2; the bound is 64',
  },
  {
    what: 'I18: commands handed over beyond the bound',
    check: bounded,
    steps: [becomes(given('n1', { log: [1, 1, 1], settings: { maxApplying: 1 } }), { applyingIndex: logIndex(2) })],
    message: 'n1 has handed over 2 entries that are not answered for; the bound is 1',
  },
  {
    what: 'I18: a snapshot that is forgotten and not given up',
    check: bounded,
    steps: [
      ((receiving) => becomes(receiving, { snapshots: given('n1', {}).snapshots }))({
        ...given('n1', { log: [1] }),
        snapshots: given('n1', {}).snapshots.with({ current: { ref: snapshotRef(3), size: 9 } }),
      }),
    ],
    message: 'n1 names snapshot 3 no more, and keeps it',
  },
]

it('a watch that begins in the middle says nothing of what lies between two logs, and goes on', () => {
  const late = { ...longer(leads('n1', { T: 6, log: [2, 2] }), 6), commitIndex: logIndex(2) }
  const behind = commits(given('n3', { log: [2, 2] }), 2)
  const newer = {
    ...leads('n2', { T: 7, log: [2] }),
    commitIndex: logIndex(9),
    log: logFrom({ ...given('n2', {}).log.base, index: logIndex(9), term: term(7) }),
  }
  const ahead = { ...longer(newer, 7), commitIndex: logIndex(10) }
  const checks = new Checks([leaderCompleteness])
  const steps = [stepOf(behind, behind), stepOf(ahead, ahead), becomes(late, { commitIndex: logIndex(3) })]
  expect(steps.map((step) => checks.see(step))).toEqual([null, null, null])
})

describe('every check sees its breach', () => {
  it.each(breaches)('$what', ({ check, steps, message }) => {
    expect(violations(check, steps)).toEqual([{ name: check(new ClusterRecord()).name, at: 7, message }])
  })

  it('and each has met one', () => {
    expect(allChecks.filter((check) => !breaches.some((breach) => breach.check === check))).toEqual([])
  })

  it('all together say the same, and of a step that breaks nothing they say nothing', () => {
    const found: string[] = []
    of(...three([1]), ...breaches[0]!.steps)
      .pipe(checked())
      .subscribe(({ name }) => found.push(name))
    expect(found).toEqual([expect.stringMatching('^Election Safety')])
  })
})

describe('what is answered', () => {
  it('I11: the same at the same index, by what it holds', () => {
    const answers = new SameAnswers<unknown>()
    expect(answers.see({ id: n1, index: 3, result: { sum: 1, of: [1] } })).toBeNull()
    expect(answers.see({ id: n2, index: 3, result: { of: [1], sum: 1 } })).toBeNull()
    expect(answers.see({ id: n3, index: 3, result: { sum: 2, of: [1] } })).toBe(
      'the state machine of n3 answers {"sum":2,"of":[1]} at 3; that of n1 answered {"sum":1,"of":[1]}',
    )
  })

  it('I11: of one that answers late, too, what another left out that began with a snapshot', () => {
    const answers = new SameAnswers<string>()
    const see = (id: NodeId, ...indexes: ReadonlyArray<number>) => indexes.map((index) => answers.see({ id, index, result: `${index}` }))
    expect(see(n2, 41, 43)).toEqual([null, null])
    expect(see(n1, 40, 42, 43)).toEqual([null, null, null])
    expect([39, 40, 41, 42, 43].map((index) => answers.at(index))).toEqual([undefined, '40', '41', '42', '43'])
    expect(answers.see({ id: n3, index: 40, result: '4' })).toContain('that of n1 answered "40"')
  })

  it.each([
    [Number.NaN, Number.NaN, true],
    [null, {}, false],
    [Uint8Array.of(1, 2), Uint8Array.of(1, 2), true],
    [Uint8Array.of(1, 2), Uint8Array.of(1, 3), false],
    [{ a: undefined }, { b: undefined }, false],
  ])('%p and %p: %p', (a, b, same) => expect(sameValue(a, b)).toBe(same))

  const view = (committed = 9): ClientView<number> => {
    const answers = new SameAnswers<number>()
    for (let index = 1; index <= 9; index++) answers.see({ id: n1, index, result: index * 10 })
    return new ClientView(answers, { last: committed }, (a, b) => a === b)
  }

  it('I14: no phantom: what was told is committed', () => {
    expect(view(4).see({ client: 1, call: 1, return: 2, index: 5, result: 50 })).toBe(
      'client 1 is told of entry 5, and only 4 are committed',
    )
  })

  it('I14: and it is what the state machines answered', () => {
    expect(view().see({ client: 1, call: 1, return: 2, index: 5, result: 51 })).toBe(
      'client 1 is told 51 for entry 5, where the state machines answered 50',
    )
  })

  it('I15: what was called after another was answered takes effect after it', () => {
    const { see } = { see: ((v) => v.see.bind(v))(view()) }
    expect(see({ client: 1, call: 1, return: 5, index: 6, result: 60 })).toBeNull()
    expect(see({ client: 2, call: 4, return: 7, index: 3, result: 30 })).toBeNull() // they overlapped
    expect(see({ client: 3, call: 6, return: 8, index: 4, result: 40 })).toBe(
      'client 3 called at 6 ms and took effect at entry 4, though a client was told of entry 6 before',
    )
  })
})

describe('I16: a watch', () => {
  const record = new ClusterRecord()
  record.see(starts(given('n1', { log: [1, 1, 1, 1], commit: 4 })), 1)

  it('misses nothing, and gets nothing twice', () => {
    const watch = new WatchInOrder(record)
    expect([watch.see(1), watch.see(2), watch.see(2), watch.see(4)]).toEqual([null, null, 'it gets 2 after 2', 'it gets 4 and missed 3'])
  })

  it('may leave out what is in a snapshot', () => {
    const watch = new WatchInOrder(record)
    watch.skip(3)
    expect([watch.next, watch.see(4)]).toEqual([4, null])
  })
})

describe('what is remembered', () => {
  it('is bounded: the latest are there, the oldest are not', () => {
    const window = new Window<number>(10)
    for (let index = 1; index <= 100; index++) window.set(index, index)
    expect(window.at(1)).toBeUndefined()
    expect([window.last, window.at(100), window.at(101)]).toEqual([100, 100, undefined])
    expect(window.lowest).toBeGreaterThan(80)
    window.set(1, 1)
    expect(window.at(1)).toBeUndefined()
    expect(window.lowest).toBeGreaterThan(80)
  })
})
