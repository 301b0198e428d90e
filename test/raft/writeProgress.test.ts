import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { WriteProgress } from '../../src/raft/state/writeProgress.js'
import { logIndex, type NodeId, writeSeq } from '../../src/raft/ids.js'
import type { Server } from '../../src/raft/state/server.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  armElectionTimer,
  entries,
  flush,
  follower,
  leader,
  n2,
  n3,
  on,
  out,
  persist,
  persisted,
  proposed,
  received,
  requestVote,
  requestVoteReply,
  send,
  termsOf,
  timeout,
} from './servers.js'

/** The leader of term T gives n1 what comes after four entries of term 1. */
const fifth = (from: NodeId, T: number, entryTerm: number) =>
  received(appendEntries({ from, term: T, prevLogIndex: 4, prevLogTerm: 1, entries: entries(entryTerm) }))
const heartbeat = (T: number) => received(appendEntries({ seq: 9, term: T, prevLogIndex: 5, prevLogTerm: 2 }))
const lastAnswer = (server: Server, T: number) => on(server, heartbeat(T)).effects.at(-1)
const holding = (T: number, matchIndex: number) => send(appendEntriesReply({ ...out, re: 9, term: T, matchIndex }))

describe('5@2 is written, truncated for 5@3, and written again: what the disk says of the first write says nothing about the third', () => {
  // Each new term is taken up in the same write as its entry.
  const written = follower({ T: 1, log: [1, 1, 1, 1] })
  const first = after(written, fifth(n2, 2, 2))
  const second = after(first, fifth(n3, 3, 3))
  const third = after(second, fifth(n2, 4, 2))

  it('the log ends as it was after the first write', () => {
    expect(termsOf(third)).toEqual([1, 1, 1, 1, 2])
    expect(third.writeProgress.pending).toEqual([
      { seq: 1, lastIndex: 4 },
      { seq: 2, lastIndex: 4 },
      { seq: 3, lastIndex: 5 },
    ])
  })

  it.each([
    { done: 0, durable: 4 },
    { done: 1, durable: 4 },
    { done: 2, durable: 4 },
    { done: 3, durable: 5 },
  ])('when $done writes are done, $durable entries are durable', ({ done, durable }) => {
    const told = after(third, persisted(done))
    expect(told.writeProgress.index).toBe(durable)
    expect(lastAnswer(told, 4)).toEqual(holding(4, durable))
  })

  it('the ack of the first write must not be taken for an ack of the third: each waits for its own', () => {
    const acks = [on(written, fifth(n2, 2, 2)), on(first, fifth(n3, 3, 3)), on(second, fifth(n2, 4, 2))].map(({ effects }) =>
      effects.at(-1),
    )
    expect(acks).toEqual([
      send(appendEntriesReply({ ...out, term: 2, matchIndex: 5 }), 1),
      send(appendEntriesReply({ ...out, to: n3, term: 3, matchIndex: 5 }), 2),
      send(appendEntriesReply({ ...out, term: 4, matchIndex: 5 }), 3),
    ])
  })

  it('a truncation takes back what was durable long ago', () => {
    const durable = after(first, persisted(1))
    expect(durable.writeProgress.index).toBe(5)
    expect(after(durable, fifth(n3, 3, 3)).writeProgress.index).toBe(4)
    expect(after(durable, fifth(n3, 3, 3), fifth(n2, 4, 2)).writeProgress.index).toBe(4)
  })

  it('one who becomes leader meanwhile counts itself by its disk alone', () => {
    const leads = after(
      third,
      timeout(4),
      persisted(2),
      received(requestVoteReply({ term: 5, voteGranted: true })),
      received(requestVoteReply({ from: n3, term: 5, voteGranted: true })),
    )
    expect(leads.role._tag).toBe('Leader')
    expect(leads.writeProgress.index).toBe(4)
  })
})

describe('what waits for the disk, and what does not', () => {
  it('an ack of entries waits for their write', () => {
    expect(on(follower({ T: 1 }), received(appendEntries({ entries: entries(1) }))).effects).toEqual([
      persist(1, { firstIndex: 1, entries: entries(1) }),
      armElectionTimer(2),
      send(appendEntriesReply({ ...out, matchIndex: 1 }), 1),
    ])
  })

  it('a granted vote waits, a refused one does not', () => {
    const { effects } = on(follower(), received(requestVote({})))
    expect(effects.at(-1)).toEqual(send(requestVoteReply({ ...out, voteGranted: true }), 1))
    expect(on(follower({ T: 1, votedFor: n3 }), received(requestVote({}))).effects).toEqual([send(requestVoteReply({ ...out }))])
  })

  it('a candidate asks for votes when its own is on disk, and counts that then', () => {
    const { server, effects } = on(follower(), timeout(1))
    expect(effects.flatMap((effect) => (effect._tag === 'Send' ? [effect.after] : []))).toEqual([1, 1])
    expect(on(server, received(requestVoteReply({ voteGranted: true }))).server.role._tag).toBe('Candidate')
    expect(on(server, received(requestVoteReply({ voteGranted: true })), persisted(1)).server.role._tag).toBe('Leader')
  })

  it('a leader sends its entries at once and counts itself later', () => {
    const proposing = after(leader(), received(appendEntriesReply({ re: 3 })), proposed(1, 'x'))
    const sent = on(proposing, flush)
    expect(sent.effects.flatMap((effect) => (effect._tag === 'Send' ? [effect.after] : []))).toEqual([null])
    expect(after(sent.server, received(appendEntriesReply({ re: 5, matchIndex: 1 }))).commitIndex).toBe(0)
    expect(after(sent.server, received(appendEntriesReply({ re: 5, matchIndex: 1 })), persisted(2)).commitIndex).toBe(1)
  })

  it('a vote outlives a crash: it is part of the write', () => {
    const { effects } = on(follower({ T: 1 }), received(requestVote({ from: n3 })))
    expect(effects[0]).toEqual(persist(1, { hardState: { currentTerm: 1, votedFor: n3 }, firstIndex: 1 }))
  })

  it('the commit hint rides along and causes no write', () => {
    const committed = on(follower({ T: 1, log: [1] }), received(appendEntries({ prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1 })))
    expect(committed.effects.filter(({ _tag }) => _tag === 'Persist')).toEqual([])
    const next = on(committed.server, received(appendEntries({ prevLogIndex: 1, prevLogTerm: 1, entries: entries(1), leaderCommit: 1 })))
    expect(next.effects[0]).toEqual(persist(1, { firstIndex: 2, entries: entries(1), commitIndex: 1 }))
  })
})

describe('Durable, by counting writes', () => {
  /** The slow, obvious twin: a disk that does the writes one by one, where each entry has a number of its own. */
  const change = fc.oneof(fc.record({ keep: fc.nat(8), append: fc.nat(3) }), fc.record({ acknowledge: fc.nat(6) }))

  it('says of how much of the log the disk holds the very same entries', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        let durable = new WriteProgress(logIndex(0), writeSeq(0), writeSeq(0), [])
        let log: ReadonlyArray<number> = []
        let made = 0
        const writes: ReadonlyArray<number>[] = [log]
        let done = 0
        for (const it of changes) {
          if ('acknowledge' in it) {
            done = Math.max(done, Math.min(it.acknowledge + done, writes.length - 1))
            durable = durable.acknowledge(writeSeq(done))
          } else {
            const kept = Math.min(it.keep, log.length)
            const truncates = kept < log.length
            log = [...log.slice(0, kept), ...Array.from({ length: it.append }, () => ++made)]
            durable = (truncates ? durable.truncate(logIndex(kept)) : durable).write(logIndex(log.length))
            writes.push(log)
          }
          const disk = writes[done]!
          // What no later write, still under way, takes away again either.
          const survives = (n: number): boolean => writes.slice(done).every((held) => held[n] === log[n])
          const same = log.findIndex((entry, n) => disk[n] !== entry || !survives(n))
          expect(durable.index).toBe(same < 0 ? log.length : same)
          expect(durable.pending.map(({ seq }) => Number(seq))).toEqual(writes.map((_, seq) => seq).slice(done + 1))
          expect(durable.isComplete).toBe(done === writes.length - 1)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is itself where nothing is new', () => {
    const durable = new WriteProgress(logIndex(0), writeSeq(0), writeSeq(0), []).write(logIndex(2))
    expect(durable.acknowledge(writeSeq(0))).toBe(durable)
    expect(durable.acknowledge(writeSeq(2))).toBe(durable)
    const done = durable.acknowledge(writeSeq(1))
    expect(done.acknowledge(writeSeq(1))).toBe(done)
  })
})
