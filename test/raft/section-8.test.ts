import { describe, expect, it } from '@jest/globals'
import { noopEntry } from '../../src/raft/state/entry.js'
import { logIndex, term } from '../../src/raft/ids.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  apply,
  armHeartbeat,
  candidate,
  entry,
  follower,
  flush,
  leader,
  n1,
  n3,
  on,
  out,
  persist,
  persisted,
  proposed,
  received,
  requestVoteReply,
  scheduleFlush,
  send,
  timeout,
} from './servers.js'

const settings = { leaderNoop: true }
const elected = (T: number) => received(requestVoteReply({ term: T, voteGranted: true }))
const noop = noopEntry(term(3))

describe('§8 "each leader commit[s] a blank no-op entry into the log at the start of its term"', () => {
  it('its entry is written and sent with the first message of the term', () => {
    const { server, effects } = on(candidate({ T: 3, log: [1, 2], settings }), elected(3))
    const first = { ...out, term: 3, leaderId: n1, prevLogIndex: 2, prevLogTerm: 2, entries: [noop] }
    expect(effects).toEqual([
      persist(2, { firstIndex: 3, entries: [noop] }),
      armHeartbeat(1),
      send(appendEntries({ ...first, seq: 3 })),
      send(appendEntries({ ...first, seq: 4, to: n3 })),
    ])
    expect(server.log.at(logIndex(3))).toEqual(noop)
  })

  it('with it go the entries of older terms, which may not be committed by counting (§5.4.2)', () => {
    const leads = leader({ T: 3, log: [1, 2], settings })
    const { server, effects } = on(leads, received(appendEntriesReply({ re: 3, term: 3, matchIndex: 3 })))
    expect(effects).toEqual([apply(1, entry(1), entry(2)), scheduleFlush])
    expect([server.commitIndex, server.applyingIndex, server.lastApplied]).toEqual([3, 3, 0])
  })

  it('a full log takes it all the same: without it nothing would be committed again', () => {
    const full = follower({ T: 2, log: [1, 2], settings: { leaderNoop: true, maxUncommittedEntries: 0, maxLogBytes: 0 } })
    expect(after(full, timeout(1), persisted(1), elected(3)).log.lastIndex).toBe(3)
  })

  it('in a cluster of one it is committed with its write', () => {
    const leads = after(follower({ of: 1, settings }), timeout(1), persisted(1))
    expect([leads.role._tag, leads.commitIndex]).toEqual(['Leader', 0])
    expect(after(leads, persisted(2))).toMatchObject({ commitIndex: 1, lastApplied: 1 })
  })

  it('leaderNoop: false leaves it out, so that the first command gets index 1; entries of older terms then wait for it', () => {
    const leads = after(leader({ T: 3, log: [1] }), received(appendEntriesReply({ re: 3, term: 3, matchIndex: 1 })))
    expect(leads.commitIndex).toBe(0)
    const proposing = after(leads, proposed(1, 'x'), flush, persisted(2))
    expect(after(proposing, received(appendEntriesReply({ re: 5, term: 3, matchIndex: 2 }))).commitIndex).toBe(2)
    expect(after(leader({ of: 1 }), proposed(1, 'x')).log.lastIndex).toBe(1)
  })
})
