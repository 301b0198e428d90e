import { describe, expect, it } from '@jest/globals'
import { type Configuration, isAnonymous, isNamed, isVoter, votersOnly, withIncarnations } from '../../src/raft/state/configuration.js'
import { configurationEntry } from '../../src/raft/state/entry.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { Incarnation, logIndex, type NodeId, nodeId, term } from '../../src/raft/ids.js'
import { logFrom } from '../../src/raft/state/log.js'
import type { Message } from '../../src/raft/messages.js'
import { restart, type Server } from '../../src/raft/state/server.js'
import { defaultSettings } from '../../src/raft/settings.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  entries,
  follower,
  installSnapshot,
  n1,
  n2,
  n3,
  n4,
  n5,
  on,
  persisted,
  requestVote,
  requestVoteReply,
  timeout,
} from './servers.js'

/*
 * One name, one data directory (docs/decisions/0012). A server that comes back with its old name and an empty disk has
 * forgotten its votes (§5.2) and the entries that it acknowledged (§5.3): it is another server.
 */

/** The data directory of a server: the one that it was made with, or another one that took its place. */
const disk = (id: NodeId, made = 0): Incarnation => {
  const name = `${id.charCodeAt(1).toString(16)}${made}`.padStart(32, '0')
  if (!Incarnation.is(name)) throw new Error(name)
  return name
}
const member = (id: NodeId, made = 0) => ({ id, incarnation: disk(id, made) })
const three = [n1, n2, n3]
const named = (ids: ReadonlyArray<NodeId> = three): Configuration =>
  withIncarnations(
    votersOnly(ids),
    ids.map((id) => member(id)),
  )

/**
 * n1 as it starts, with this configuration in an otherwise empty log, or with one entry after it that names the disks
 * of all.
 */
const started = (configuration: Configuration, incarnation: Incarnation | null = disk(n1), settings = {}): Server =>
  after(
    restart(
      n1,
      { ...defaultSettings, ...settings },
      {
        incarnation,
        currentTerm: term(0),
        votedFor: null,
        commitIndex: logIndex(0),
        log: logFrom({ index: logIndex(0), term: term(0), configuration }),
        snapshot: null,
      },
    ),
    { _tag: 'Started' },
  )
const standing = (server: Server): Server => after(server, timeout(server.counters.electionTimer), persisted(server.writeProgress.next))

/** From the data directory of that name, the first one unless told otherwise; null: the network does not say. */
const from = (message: Message, made: number | null = 0): RaftEvent => ({
  _tag: 'Received',
  message,
  incarnation: made === null ? null : disk(message.from, made),
})
const vote = (voter: NodeId, made: number | null = 0, T = 1): RaftEvent =>
  from(requestVoteReply({ from: voter, term: T, voteGranted: true }), made)

describe('the first leader of a cluster that was made with data directories', () => {
  it.each([{ ids: [n1] }, { ids: [n1, n2] }, { ids: three }, { ids: [n1, n2, n3, n4, n5] }])(
    'needs the vote of each of $ids',
    ({ ids }) => {
      let server = standing(started(votersOnly(ids)))
      for (const voter of ids.slice(1)) {
        expect(server.role._tag).toBe('Candidate')
        server = after(server, vote(voter))
      }
      expect(server.role._tag).toBe('Leader')
    },
  )

  it('begins its log with the data directories of all, in the place of a no-op', () => {
    const server = after(standing(started(votersOnly(three))), vote(n2), vote(n3, 4))
    const expected = withIncarnations(votersOnly(three), [member(n1), member(n2), member(n3, 4)])
    expect([...server.log]).toEqual([configurationEntry(term(1), expected)])
    expect(server.log.configuration).toEqual(expected)
  })

  it('does so where a leader appends no no-ops, too', () => {
    const server = after(standing(started(votersOnly(three), disk(n1), { leaderNoop: false })), vote(n2), vote(n3))
    expect([...server.log].map(({ kind }) => kind)).toEqual(['configuration'])
  })

  it('is not elected by a vote of which the network does not say where it comes from', () => {
    const server = after(standing(started(votersOnly(three))), vote(n2), vote(n3, null))
    expect(server.role._tag).toBe('Candidate')
    expect(after(server, vote(n3)).role._tag).toBe('Leader')
  })

  it('is elected by a majority where storages have no names', () => {
    const elected = after(standing(started(votersOnly(three), null, { leaderNoop: false })), vote(n2, null))
    expect(elected.role._tag).toBe('Leader')
    expect(elected.log.lastIndex).toBe(0)
  })
})

describe('once the data directories are named', () => {
  const leads = after(standing(started(named())), vote(n2))

  it('a majority elects, as ever, and the leader opens its term with a no-op', () => {
    expect(leads.role._tag).toBe('Leader')
    expect([...leads.log].map(({ kind }) => kind)).toEqual(['noop'])
  })

  const ignored = (id: NodeId) => [{ _tag: 'Ignored', from: id, why: 'OtherIncarnation' }]

  it.each([
    requestVote({ term: 9, from: n2 }),
    requestVoteReply({ term: 9, from: n2, voteGranted: true }),
    appendEntries({ term: 9, from: n2, entries: entries(9) }),
    appendEntriesReply({ term: 9, from: n2 }),
    installSnapshot({ term: 9, from: n2 }),
  ])('a $_tag from another data directory changes nothing, not even the term, and is told', (message) => {
    for (const server of [started(named()), standing(started(named())), leads]) {
      for (const made of [1, null]) {
        const stepped = on(server, from(message, made))
        expect(stepped.effects).toEqual(ignored(n2))
        expect(stepped.server).toBe(server)
      }
    }
  })

  it('votes and acknowledgements count by name and data directory', () => {
    expect(after(standing(started(named())), vote(n2, 1), vote(n3, 1)).role._tag).toBe('Candidate')
    const onDisk = after(leads, persisted(leads.writeProgress.written))
    const acknowledged = (made: number) => from(appendEntriesReply({ from: n3, re: 2, term: 1, matchIndex: 1 }), made)
    expect(after(onDisk, acknowledged(1)).commitIndex).toBe(0)
    expect(after(onDisk, acknowledged(0)).commitIndex).toBe(1)
  })

  it('a server that lost its disk does not stand: its log, if a leader gave it one, names another', () => {
    const lost = started(named(), disk(n1, 1))
    const late = on(lost, timeout(1))
    expect(late.effects).toEqual([{ _tag: 'ArmElectionTimer', generation: 2 }])
    expect(late.server.role._tag).toBe('Follower')
  })

  it('a server that is no member is heard: a configuration is no list of guests (thesis §4.1)', () => {
    expect(after(started(named()), from(requestVote({ term: 9, from: n4 }), 3)).votedFor).toBe(n4)
  })

  it('names that are truncated are forgotten, as every configuration is (§6)', () => {
    const base = started(votersOnly(three))
    const first = configurationEntry(term(1), named())
    const follows = after(base, from(appendEntries({ from: n2, term: 1, entries: [first] })))
    expect(isAnonymous(follows.log.configuration)).toBe(false)
    const replaced = after(follows, from(appendEntries({ from: n3, term: 2, entries: entries(2) })))
    expect(isAnonymous(replaced.log.configuration)).toBe(true)
    expect(after(standing(replaced), vote(n2, 0, 3)).role._tag).toBe('Candidate')
  })
})

describe('fall 25: a wiped disk under its old name', () => {
  /** n2 and n3 have committed w after the entry with the names; n1 voted in that election and has neither. */
  const n1Behind = after(started(votersOnly(three)), from(requestVote({ from: n2, term: 1 })))

  it('n1, which was away since, and n3 with a new disk are no majority: n2 must vote too, and its log forbids it', () => {
    const candidate = after(n1Behind, timeout(n1Behind.counters.electionTimer), persisted(n1Behind.writeProgress.next), vote(n3, 1, 2))
    expect(candidate.role._tag).toBe('Candidate')
    const n2Up = follower({ id: n2, T: 1, log: [1, 1] })
    expect(on(n2Up, { _tag: 'Received', message: requestVote({ from: n1, to: n2, term: 2 }) }).effects).toContainEqual(
      expect.objectContaining({ message: expect.objectContaining({ voteGranted: false }) }),
    )
  })

  it('n1, which has the names, does not count n3 with a new disk, whatever it remembers of whom it met', () => {
    const restarted = started(named())
    expect(after(standing(restarted), vote(n3, 1)).role._tag).toBe('Candidate')
  })
})

describe('members by name and data directory', () => {
  const half = (ids: ReadonlyArray<NodeId>, made: number | null = null) => ({
    _tag: 'Simple' as const,
    version: 1,
    voters: ids.map((id) => ({ id, incarnation: made === null ? null : disk(id, made) })),
    learners: [],
  })
  const joint: Configuration = { _tag: 'Joint', old: half([n1, n2], 0), new: half([n2, n3]) }

  it('a name without a data directory stands for any; one with it for none but that', () => {
    expect(isNamed(votersOnly([n1]), n1, disk(n1, 7))).toBe(true)
    expect(isNamed(named(), n1, disk(n1))).toBe(true)
    expect(isNamed(named(), n1, disk(n1, 1))).toBe(false)
    expect(isNamed(named(), n1, null)).toBe(false)
    expect(isVoter(named(), member(n1, 1))).toBe(false)
    expect(isVoter(named(), member(nodeId('n9')))).toBe(false)
  })

  it('a configuration is anonymous as long as one voter of either half is', () => {
    expect(isAnonymous(joint)).toBe(true)
    expect(isAnonymous(withIncarnations(joint, [member(n3)]))).toBe(true) // n2 of the new half
    expect(isAnonymous(withIncarnations(joint, [member(n2), member(n3)]))).toBe(false)
    expect(isAnonymous({ ...half([n1], 0), learners: [{ id: n2, incarnation: null }] })).toBe(false)
  })

  it('a name that is known is kept', () => {
    expect(withIncarnations(named(), [member(n1, 5)])).toEqual(named())
  })
})
