import { describe, expect, it } from '@jest/globals'
import { from } from 'rxjs'
import { configurationEntry } from '../../src/raft/state/entry.js'
import { logIndex, nodeId } from '../../src/raft/ids.js'
import { Follower } from '../../src/raft/state/role.js'
import type { Server } from '../../src/raft/state/server.js'
import type { StopReason } from '../../streams/server/createRaft.js'
import type { Inspection } from '../../streams/loop/run.js'
import {
  electionSafety,
  noneStops,
  observed,
  observing,
  recovers,
  sameAnswers,
  type Seen,
  type SeenCheckOf,
  toldTheTruth,
  type Violation,
  watchesInOrder,
} from '../../streams/testing.js'
import { follower, type Given, leader } from '../raft/servers.js'
import { violationsOf } from './checkersExample.js'

const [n1, n2, n3] = [nodeId('n1'), nodeId('n2'), nodeId('n3')]

const stepOf = (after: Server, at = 0, event: Inspection['event'] = { _tag: 'Started' }): Seen<number> => ({
  _tag: 'Stepped',
  step: { at, event, before: after, after, effects: [] },
})
const given = (id: string, of: Given = {}): Server => follower({ ...of, id: nodeId(id) })
/** A server that knows the whole of its log, of commands, to be committed and has applied it. */
const applied = (id: string, log: ReadonlyArray<number>): Server => {
  const last = logIndex(log.length)
  return { ...given(id, { log }), commitIndex: last, applyingIndex: last, lastApplied: last }
}
const committed = (...log: ReadonlyArray<number>): Seen<number> => {
  const before = given('n1', { log })
  return { _tag: 'Stepped', step: { at: 0, event: { _tag: 'Flush' }, before, after: applied('n1', log), effects: [] } }
}
const answered = (id: string, index: number, result: number): Seen<number> => ({ _tag: 'Answered', id: nodeId(id), index, result })
const told = (call: number, end: number, index: number, result: number): Seen<number> => ({
  _tag: 'Acknowledged',
  client: 1,
  call,
  return: end,
  index,
  result,
})
const watched = (index: number, watcher = 'w'): Seen<number> => ({ _tag: 'Watched', watcher, index })
const healed = (at: number): Seen<number> => ({ _tag: 'Healed', at })
const stopped = (reason: StopReason): Seen<number> => ({ _tag: 'Stopped', id: n2, reason })

const violations = (check: SeenCheckOf<number>, seen: ReadonlyArray<Seen<number>>): ReadonlyArray<Violation> => {
  const found: Violation[] = []
  from(seen)
    .pipe(observing([check]))
    .subscribe((violation) => found.push(violation))
  return found
}
const messages = (check: SeenCheckOf<number>, seen: ReadonlyArray<Seen<number>>): ReadonlyArray<string> =>
  violations(check, seen).map(({ message }) => message)

const followsN1 = (id: string): Server => ({ ...applied(id, [1, 1]), role: new Follower(n1) })
const leads = (): Server => ({ ...leader({ log: [1, 1] }), id: n1, commitIndex: logIndex(2), lastApplied: logIndex(2) })
const recovery = { leaderMs: 100, appliedMs: 200, servedMs: 300 }

interface Breach {
  readonly what: string
  readonly check: SeenCheckOf<number>
  readonly seen: ReadonlyArray<Seen<number>>
  readonly message: string
}

const breaches: ReadonlyArray<Breach> = [
  {
    what: 'I6: a server whose state machine fails',
    check: noneStops,
    seen: [stopped({ _tag: 'StateMachineFailed', message: 'overflow' })],
    message: 'n2: StateMachineFailed: overflow',
  },
  {
    what: 'I11: two machines that answer differently',
    check: sameAnswers(),
    seen: [answered('n1', 1, 5), answered('n2', 1, 6)],
    message: 'the state machine of n2 answers 6 at 1; that of n1 answered 5',
  },
  {
    what: 'I14: an answer for what is not committed',
    check: toldTheTruth(),
    seen: [answered('n1', 1, 5), told(1, 2, 1, 5)],
    message: 'client 1 is told of entry 1, and only 0 are committed',
  },
  {
    what: 'I14: an answer that no state machine gave',
    check: toldTheTruth(),
    seen: [committed(1), answered('n1', 1, 5), told(1, 2, 1, 6)],
    message: 'client 1 is told 6 for entry 1, where the state machines answered 5',
  },
  {
    what: 'I15: an effect before that of one who was answered before the call',
    check: toldTheTruth(),
    seen: [committed(1, 1), answered('n1', 1, 5), answered('n1', 2, 6), told(1, 2, 2, 6), told(3, 4, 1, 5)],
    message: 'client 1 called at 3 ms and took effect at entry 1, though a client was told of entry 2 before',
  },
  {
    what: 'I16: a watch that misses a command',
    check: watchesInOrder,
    seen: [committed(1, 1, 1), watched(1), watched(3)],
    message: 'w: it gets 3 and missed 2',
  },
  {
    what: 'I16: a watch that gets a command twice',
    check: watchesInOrder,
    seen: [committed(1, 1), watched(1), watched(1)],
    message: 'w: it gets 1 after 1',
  },
  {
    what: 'I17: no leader in time',
    check: recovers(recovery),
    seen: [healed(0), ...['n1', 'n2', 'n3'].map((id) => stepOf(given(id))), stepOf(given('n1'), 101, { _tag: 'Flush' })],
    message: 'there is no leader that a majority follows within 100 ms',
  },
  {
    what: 'I17: one who does not come to where the others were',
    check: recovers(recovery),
    seen: [committed(1, 1), stepOf(leads()), stepOf(followsN1('n2')), stepOf(given('n3')), healed(0), stepOf(leads(), 201)],
    message: 'not all servers have applied what was committed, up to 2, within 200 ms',
  },
  {
    what: 'I17: no client is served',
    check: recovers(recovery),
    seen: [committed(1, 1), stepOf(leads()), stepOf(followsN1('n2')), told(0, 9, 2, 5), healed(10), stepOf(leads(), 311)],
    message: 'no operation is answered within 300 ms',
  },
]

describe('what is seen beside the steps', () => {
  it.each(breaches)('$what', ({ check, seen, message }) => expect(messages(check, seen)).toEqual([message]))

  it('has the time of the latest of it', () => {
    const seen = [stepOf(given('n1'), 7), answered('n1', 1, 5), stepOf(given('n1'), 9), answered('n2', 1, 6)]
    expect(violations(sameAnswers(), seen)).toMatchObject([{ at: 9, name: expect.stringContaining('(§2)') }])
  })

  it.each<readonly [string, SeenCheckOf<number>, ReadonlyArray<Seen<number>>]>([
    ['a server that is told to stop', noneStops, [stopped({ _tag: 'Closed' }), stopped({ _tag: 'Killed' })]],
    ['a disk that fails', noneStops, [stopped({ _tag: 'StorageFailed', message: 'EIO' })]],
    ['equal answers', sameAnswers(), [answered('n1', 1, 5), answered('n2', 1, 5), answered('n1', 1, 5)]],
    ['answers that are equal enough', sameAnswers((a, b) => a % 2 === b % 2), [answered('n1', 1, 5), answered('n2', 1, 7)]],
    [
      'operations at the same time',
      toldTheTruth(),
      [committed(1, 1), answered('n1', 1, 5), answered('n1', 2, 6), told(1, 5, 2, 6), told(2, 6, 1, 5)],
    ],
    [
      'a retry that took effect with its first entry',
      toldTheTruth({ effectiveIndex: () => 1 }),
      [committed(1, 1), answered('n1', 2, 5), told(0, 9, 2, 5)],
    ],
    ['a watch that begins late', watchesInOrder, [committed(1, 1, 1), { _tag: 'WatchedFrom', watcher: 'w', index: 2 }, watched(3)]],
    ['watchers of their own pace', watchesInOrder, [committed(1, 1), watched(1, 'a'), watched(1, 'b'), watched(2, 'b'), watched(2, 'a')]],
    [
      'a cluster that recovers in time, without one that is down',
      recovers(recovery),
      [
        committed(1, 1),
        stepOf(given('n3')),
        { _tag: 'Stopped', id: n3, reason: { _tag: 'Killed' } },
        healed(10),
        stepOf(leads(), 20),
        stepOf(followsN1('n2'), 30),
        told(20, 40, 2, 5),
        stepOf(leads(), 1_000),
      ],
    ],
    [
      'a cluster that no client asks for anything',
      recovers({ ...recovery, servedMs: null }),
      [stepOf(leads()), stepOf(followsN1('n2')), healed(0), stepOf(leads(), 5), stepOf(leads(), 1_000)],
    ],
  ])('%s is right', (_, check, seen) => expect(messages(check, seen)).toEqual([]))

  it('a missed entry that is no command is not missed by a watch', () => {
    const before = given('n1', { log: [1] })
    const log = before.log.append([configurationEntry(before.currentTerm, before.log.base.configuration)])
    const last = logIndex(2)
    const after = { ...before, log, commitIndex: last }
    const step: Inspection = { at: 0, event: { _tag: 'Flush' }, before, after, effects: [] }
    expect(messages(watchesInOrder, [{ _tag: 'Stepped', step }, watched(1), watched(3)])).toEqual([])
  })

  it('and of the steps, what is asked for', () => {
    const two = [leads(), { ...leads(), id: n2 }].map((server) => stepOf(server))
    const found: string[] = []
    from(two)
      .pipe(observing<number>([noneStops], [electionSafety]))
      .subscribe(({ name }) => found.push(name))
    expect(found).toEqual([expect.stringContaining('Election Safety')])
  })

  it('passes an error and the end on', () => {
    const ends: string[] = []
    from<Seen<number>[]>([])
      .pipe(observed())
      .subscribe({ complete: () => ends.push('complete') })
    expect(ends).toEqual(['complete'])
  })
})

describe('the example: a cluster of one’s own', () => {
  it('is right', () => expect(violationsOf((count) => count)).toEqual([]))

  it('is found out where one server counts otherwise', () => {
    const found = violationsOf((count, at) => (at === 'n2' ? count + 1 : count)).map(({ name }) => name)
    expect(found).toContain('state machines are in the same state at the same applied index (§2)')
  })

  it('is found out where a state machine throws', () => {
    const found = violationsOf((count) => {
      if (count === 2) throw new Error('two')
      return count
    })
    expect(found.map(({ name }) => name)).toContain('no server stops by itself')
  })
})
