import { describe, expect, it } from '@jest/globals'
import { from, lastValueFrom, toArray } from 'rxjs'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { commandEntry } from '../../src/raft/state/entry.js'
import { logIndex, messageSeq, nodeId, snapshotRef, term } from '../../src/raft/ids.js'
import { logFrom } from '../../src/raft/state/log.js'
import { Progress } from '../../src/raft/state/progress.js'
import { Candidate, Follower, Leader, type Role } from '../../src/raft/state/role.js'
import { fresh, restart, type Server } from '../../src/raft/state/server.js'
import { Snapshots, Sending } from '../../src/raft/state/snapshots.js'
import { defaultSettings } from '../../src/raft/settings.js'
import { writeSeq } from '../../src/raft/ids.js'
import { lines } from '../../cli/view/lines.js'
import type { Told } from '../../cli/view/reduce.js'
import { noStory, tell } from '../../cli/view/story.js'

const cluster = votersOnly(['n1', 'n2', 'n3'].map(nodeId))
const base = { index: logIndex(0), term: term(0), configuration: cluster }
const empty = restart(nodeId('n1'), defaultSettings, fresh(logFrom(base)))

const entry = commandEntry(term(1), new Uint8Array(1))
const at = (currentTerm: number, role: Role, entries = 0): Server => ({
  ...empty,
  currentTerm: term(currentTerm),
  role,
  log: logFrom(
    base,
    Array.from({ length: entries }, () => entry),
  ),
})
const candidate = new Candidate(writeSeq(1))
const n3 = (matchIndex: number, silentHeartbeats = 0, flow: 'Probe' | 'Replicate' = 'Replicate'): Role =>
  new Leader([Progress.of(nodeId('n3'), logIndex(matchIndex + 1)).with({ matchIndex: logIndex(matchIndex), flow, silentHeartbeats })])

/** What is told of these states, one list for each. */
const told = (...states: ReadonlyArray<Server>) => {
  let story = noStory
  return states.map((state) => {
    story = tell(story, state)
    return story.tales.map(({ text }) => text)
  })
}

describe('the story of a server', () => {
  it('begins with what it found on its disk', () => {
    expect(told(empty)).toEqual([['starts with an empty log']])
    expect(told(at(3, new Follower(null), 1))).toEqual([['starts in term 3 with 1 entry in its log']])
  })

  it('says who stood, who won, who was deposed and who follows whom', () => {
    const states = [
      at(0, new Follower(null)),
      at(1, candidate),
      at(2, candidate),
      at(2, n3(0), 1),
      at(3, new Follower(null), 1),
      at(3, new Follower(nodeId('n2')), 1),
      at(4, candidate, 1),
      at(4, new Follower(nodeId('n3')), 1),
    ]
    expect(told(...states).slice(1)).toEqual([
      ['stands for election in term 1'],
      ['stands for election in term 2'],
      ['won term 2, and leads with 1 entry in its log'],
      ['leads no more: it saw term 3'],
      ['follows n2 in term 3'],
      ['stands for election in term 4'],
      ['follows n3 in term 4'],
    ])
  })

  it('says who is silent, who answers again and who has caught up', () => {
    const states = [n3(5), n3(5, 2), n3(5, 3), n3(5, 9), n3(5, 0, 'Probe'), n3(5), n3(11), n3(12), n3(12)].map((role) => at(1, role, 12))
    expect(told(...states).slice(1)).toEqual([
      [],
      ['n3 does not answer'],
      [],
      [],
      ['n3 answers again, 7 entries to go'],
      [],
      ['n3 has caught up'],
      [],
    ])
    expect(told(at(1, n3(12), 12), at(1, n3(12, 3), 12), at(1, n3(12), 12)).at(-1)).toEqual(['n3 answers again and has all entries'])
  })

  it('says who fell behind, but not of one whose log is not known yet', () => {
    const far = 20_000
    expect(
      told(at(1, n3(0, 0, 'Probe'), 1), at(1, n3(0, 0, 'Probe'), far), at(1, n3(1), far), at(1, n3(9_000), far), at(1, n3(far), far)).slice(
        1,
      ),
    ).toEqual([[], ['n3 fell behind: 19,999 entries to go'], [], ['n3 has caught up']])
  })
})

describe('of snapshots', () => {
  const held = { ref: snapshotRef(1), base: { ...base, index: logIndex(12), term: term(1) } }
  const current = { ref: snapshotRef(1), size: 9 }
  const compacted = (server: Server): Server => ({
    ...server,
    log: server.log.compactTo(held.base.index),
    snapshots: new Snapshots(current),
  })
  const follower = new Follower(nodeId('n2'))

  it('the story says who took one, and who was sent one', () => {
    const before = at(1, follower, 20)
    const taking = { ...before, snapshots: new Snapshots(null, held) }
    expect(told(taking, compacted(taking)).at(-1)).toEqual(['took a snapshot up to 12'])
    expect(told(before, compacted(before)).at(-1)).toEqual(['was sent a snapshot up to 12'])
    expect(told(before, { ...compacted(before), role: candidate, currentTerm: term(2) }).at(-1)).toEqual([
      'was sent a snapshot up to 12',
      'stands for election in term 2',
    ])
  })

  it('to whom one is sent, once', () => {
    const followers = [Progress.of(nodeId('n3'), logIndex(13)).with({ matchIndex: logIndex(2), flow: 'Snapshot' })]
    const sending = (offset: number) =>
      at(
        1,
        new Leader(followers, [new Sending(nodeId('n3'), current, held.base, offset, { seq: messageSeq(7), sentAt: 0, otherAnswers: 0 })]),
        20,
      )
    expect(told(at(1, new Leader(followers), 20), sending(0), sending(5)).slice(1)).toEqual([['sends n3 a snapshot up to 12'], []])
  })

  it('and what a server has that begins after one', () => {
    const server = compacted(at(1, follower, 20))
    expect(told(server, { ...server, role: n3(20) })).toEqual([
      ['starts in term 1 with a snapshot up to 12 and 8 entries in its log'],
      ['won term 1, and leads with a snapshot up to 12 and 8 entries in its log'],
    ])
  })
})

describe('lines, where there is no terminal', () => {
  const happened = (at: number, text: string): Told => ({ _tag: 'Happened', at, server: 'n1', mood: 'Plain', text })

  it('repeat what happens again once a minute only', async () => {
    const told = [
      happened(0, 'a'),
      happened(1, 'a'),
      happened(2, 'b'),
      happened(59_999, 'a'),
      happened(60_000, 'a'),
      { _tag: 'Second', at: 1 } as const,
    ]
    const printed = await lastValueFrom(lines(from(told)).pipe(toArray()))
    expect(printed.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ''))).toEqual([' n1  a\n', ' n1  b\n', ' n1  a\n'])
  })
})
