import { describe, expect, it } from '@jest/globals'
import { WriteProgress } from '../../src/raft/state/writeProgress.js'
import { InvariantViolation } from '../../src/raft/error.js'
import { logIndex, term, writeSeq } from '../../src/raft/ids.js'
import { checkedStep, invariants } from '../../src/raft/invariants.js'
import { Follower } from '../../src/raft/state/role.js'
import type { Server } from '../../src/raft/state/server.js'
import { after, appendEntries, candidate, entries, follower, leader, n1, n2, n3, received } from './servers.js'

const logOf = (...terms: ReadonlyArray<number>) => follower({ log: terms }).log
const at = (index: number) => logIndex(index)
const durable = (index: number, written: number, acknowledged: number) =>
  new WriteProgress(at(index), writeSeq(written), writeSeq(acknowledged), [])
/** Two entries, committed, applied and on disk. */
const server = { ...follower({ T: 3, log: [1, 2], commit: 2 }), votedFor: n2, lastApplied: at(2) }
const leads = leader({ T: 4, log: [1, 2] })

const breaches: Readonly<Record<string, readonly [before: Server, after: Server]>> = {
  'currentTerm never decreases (§5.1)': [server, { ...server, currentTerm: term(2) }],
  'at most one vote per term (§5.2)': [server, { ...server, votedFor: n3 }],
  'a candidate and a leader voted for themselves (§5.2)': [candidate(), { ...candidate(), votedFor: n2 }],
  'a server becomes leader only from candidate (Figure 4)': [{ ...leads, role: new Follower(null) }, leads],
  'no entry is newer than currentTerm': [server, { ...server, log: logOf(1, 2, 4) }],
  'Leader Append-Only: a leader never overwrites or deletes entries in its log (§5.3)': [leads, { ...leads, log: logOf(1) }],
  'commitIndex never decreases': [server, { ...server, commitIndex: at(1), applyingIndex: at(1), lastApplied: at(1) }],
  'commitIndex is within the log': [server, { ...server, commitIndex: at(3) }],
  'what is committed stays (§5.4)': [server, { ...server, log: logOf(1, 3) }],
  'a leader commits only an entry of its own term by counting (§5.4.2)': [leads, { ...leads, commitIndex: at(2) }],
  'lastApplied ≤ applyingIndex ≤ commitIndex, and the log begins after what is committed': [server, { ...server, applyingIndex: at(3) }],
  'a snapshot only ever advances the log’s beginning (§7)': [server, { ...server, log: server.log.compactTo(at(1)) }],
  'what the state machine was not given is forgotten only for a leader’s snapshot, with all the log (§7)': [
    { ...server, lastApplied: at(0), applyingIndex: at(0) },
    { ...server, lastApplied: at(0), applyingIndex: at(0), log: server.log.compactTo(at(1)) },
  ],
  'lastApplied and applyingIndex never decrease': [server, { ...server, lastApplied: at(1) }],
  'only what is durable is handed over': [
    { ...server, applyingIndex: at(0), lastApplied: at(0) },
    { ...server, writeProgress: durable(1, 0, 0) },
  ],
  'durable is within the log': [server, { ...server, writeProgress: durable(3, 0, 0) }],
  'unacknowledged writes are exactly those after the last acknowledged one': [server, { ...server, writeProgress: durable(2, 1, 0) }],
}

describe('each invariant sees its breach', () => {
  it.each(invariants.map(({ name, holds }) => ({ name, holds })))('$name', ({ name, holds }) => {
    const breach = breaches[name]
    if (breach === undefined) throw new Error(`write down how ${name} is broken`)
    expect(holds(...breach)).toBe(false)
  })

  it('and no other server', () => {
    for (const it of [server, leads, candidate(), follower()]) expect(invariants.filter(({ holds }) => !holds(it, it))).toEqual([])
  })
})

describe('each invariant says what it reads', () => {
  /** Notes which of its parts somebody looks at. `id` never changes. */
  const watched = (server: Server, seen: Set<string>): Server =>
    new Proxy(server, {
      get: (target, part: keyof Server) => {
        if (part !== 'id') seen.add(part)
        return target[part]
      },
    })
  const states = [...Object.values(breaches).flat(), server, leads, candidate(), follower()]

  it.each(invariants.map(({ name, reads, holds }) => ({ name, reads, holds })))('$name', ({ reads, holds }) => {
    const seen = new Set<string>()
    for (const a of states) for (const b of states) holds(watched(a, seen), watched(b, seen))
    expect([...seen].sort()).toEqual([...reads].sort())
  })
})

describe('Leader Append-Only', () => {
  it.each([{ becomes: [] }, { becomes: [1] }, { becomes: [1, 3] }, { becomes: [2, 2, 2] }])(
    'does not mind that a leader steps down and has its log replaced by $becomes in the same step',
    ({ becomes }) => {
      expect(
        invariants.every(({ holds }) =>
          holds(
            { ...leads, log: logOf(1, 2, 4) },
            {
              ...server,
              currentTerm: term(5),
              votedFor: null,
              log: logOf(...becomes),
              commitIndex: at(0),
              applyingIndex: at(0),
              lastApplied: at(0),
              writeProgress: durable(0, 0, 0),
            },
          ),
        ),
      ).toBe(true)
    },
  )
})

describe('checkedStep', () => {
  it('stops a server that starts with a vote for the future: the name, the server and the step are told', () => {
    const begin = (): unknown => checkedStep({ ...server, log: logOf(1, 4) }, { _tag: 'Started' }, 0)
    expect(begin).toThrow(InvariantViolation)
    expect(begin).toThrow(
      [
        'no entry is newer than currentTerm',
        'n1 Follower  T3 vote n2 commit 2 log [1 4]',
        '> Started',
        '  ArmElectionTimer 2',
        '  n1 Follower  T3 vote n2 commit 2 log [1 4]',
      ].join('\n'),
    )
  })

  it('lets pass what keeps them', () => {
    expect(after(server, received(appendEntries({ term: 3, prevLogIndex: 2, prevLogTerm: 2, entries: entries(3) }))).id).toBe(n1)
  })
})
