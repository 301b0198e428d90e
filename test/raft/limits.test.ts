import { describe, expect, it } from '@jest/globals'
import type { LimitName } from '../../src/raft/error.js'
import type { Server } from '../../src/raft/state/server.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  applied,
  candidate,
  entry,
  flush,
  follower,
  type Given,
  leader,
  n2,
  on,
  persist,
  persisted,
  proposed,
  received,
  scheduleFlush,
} from './servers.js'

const refused = (appended: number, limit: LimitName) => ({ _tag: 'Refused', request: 1, appended, refusal: { _tag: 'Overloaded', limit } })

describe('proposals at a server that does not lead', () => {
  it.each([
    { who: 'a follower that knows no leader', server: follower(), leader: null },
    { who: 'a follower', server: after(follower(), received(appendEntries({}))), leader: n2 },
    { who: 'a candidate', server: candidate(), leader: null },
    { who: 'a deposed leader', server: after(leader(), received(appendEntries({ term: 2 }))), leader: n2 },
  ])('$who says who leads: $leader', ({ server, leader: known }) => {
    const stepped = on(server, proposed(1, 'x'))
    expect(stepped.effects).toEqual([{ _tag: 'Refused', request: 1, appended: 0, refusal: { _tag: 'NotLeader', leader: known } }])
    expect(stepped.server).toBe(server)
  })
})

/** Leads a cluster of one, whose disk has done everything but what `busy` left. */
const alone = (settings: Given['settings'], ...commands: ReadonlyArray<string>): Server => {
  const server = leader({ of: 1, settings: { ...settings } })
  return commands.length === 0 ? server : after(server, proposed(9, ...commands))
}

describe('each bound, at the limit and one beyond', () => {
  it.each<{
    limit: LimitName
    settings: Given['settings']
    server: (settings: Given['settings']) => Server
    fits: ReadonlyArray<string>
    beyond: string
  }>([
    { limit: 'maxUncommittedEntries', settings: { maxUncommittedEntries: 3 }, server: (s) => alone(s, 'a'), fits: ['b', 'c'], beyond: 'd' },
    { limit: 'maxUncommittedBytes', settings: { maxUncommittedBytes: 5 }, server: (s) => alone(s, 'aa'), fits: ['bbb'], beyond: 'c' },
    {
      limit: 'maxLogBytes',
      settings: { maxLogBytes: 5 },
      server: (s) => after(alone(s, 'aa'), persisted(2), applied(1)),
      fits: ['bbb'],
      beyond: 'c',
    },
  ])('$limit: what fits is appended, the rest refused, in one batch as in two', ({ limit, settings, server, fits, beyond }) => {
    const before = server(settings)
    const firstIndex = before.log.lastIndex + 1
    const appended = { _tag: 'Appended', request: 1, term: 1, firstIndex, count: fits.length }

    const write = persist(before.writeProgress.next, {
      firstIndex,
      entries: fits.map((text) => entry(1, text)),
      commitIndex: before.commitIndex,
    })
    const exactly = on(before, proposed(1, ...fits))
    expect(exactly.effects).toEqual([write, appended, scheduleFlush])

    const partly = on(before, proposed(1, ...fits, beyond))
    expect(partly.effects).toEqual([write, appended, scheduleFlush, refused(fits.length, limit)])
    expect([...partly.server.log]).toEqual([...exactly.server.log])

    const then = on(exactly.server, proposed(1, beyond))
    expect(then.effects).toEqual([refused(0, limit)])
    expect(then.server).toBe(exactly.server)
  })

  it('a command of no bytes meets the bound on entries, never one on bytes', () => {
    expect(on(alone({ maxUncommittedBytes: 0, maxLogBytes: 0, maxUncommittedEntries: 1 }), proposed(1, '', '')).effects.at(-1)).toEqual(
      refused(1, 'maxUncommittedEntries'),
    )
  })

  it('maxUnapplied: committed and not applied', () => {
    const settings = { maxUnapplied: 2 }
    const one = after(alone(settings, 'a'), persisted(2))
    expect(one.commitIndex - one.lastApplied).toBe(1)
    expect(on(one, proposed(1, 'x')).effects.map(({ _tag }) => _tag)).toEqual(['Persist', 'Appended', 'ScheduleFlush'])
    const two = after(alone(settings, 'a', 'b'), persisted(2))
    expect(on(two, proposed(1, 'x')).effects).toEqual([refused(0, 'maxUnapplied')])
    expect(on(two, applied(1), proposed(1, 'x')).effects.map(({ _tag }) => _tag)).toEqual(['Persist', 'Appended', 'ScheduleFlush'])
  })

  it('maxPendingWrites: asked for and not done', () => {
    const settings = { maxPendingWrites: 2 }
    const one = alone(settings, 'a')
    expect(on(one, proposed(1, 'x')).effects.map(({ _tag }) => _tag)).toEqual(['Persist', 'Appended', 'ScheduleFlush'])
    const two = after(one, proposed(9, 'b'))
    expect(on(two, proposed(1, 'x')).effects).toEqual([refused(0, 'maxPendingWrites')])
    expect(on(two, persisted(2), proposed(1, 'x')).effects.map(({ _tag }) => _tag)).toEqual(['Persist', 'Appended', 'ScheduleFlush'])
  })

  it('what was committed makes room again', () => {
    const settings = { maxUncommittedEntries: 1, maxUncommittedBytes: 1 }
    const full = after(leader({ settings }), received(appendEntriesReply({ re: 3 })), proposed(9, 'a'), flush)
    expect(on(full, proposed(1, 'x')).effects).toEqual([refused(0, 'maxUncommittedEntries')])
    const committed = after(full, persisted(2), received(appendEntriesReply({ re: 5, matchIndex: 1 })))
    expect(on(committed, proposed(1, 'x')).effects.map(({ _tag }) => _tag)).toEqual(['Persist', 'Appended', 'ScheduleFlush'])
  })
})
