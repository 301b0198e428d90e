import { describe, expect, it } from '@jest/globals'
import { firstValueFrom, from, map, NEVER, type ObservableInput, take, timeout, toArray } from 'rxjs'
import { logIndex, messageSeq, nodeId, term } from '../../src/raft/ids.js'
import type { AppendEntries, Message } from '../../src/raft/messages.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { admit } from '../../streams/sinks/inbound.js'
import {
  type ApplyMsg,
  labNetwork,
  type LabOptions,
  make,
  type MemoryPersister,
  memoryPersister,
  type PeerEnd,
  type Rf,
  UnreadableRaftState,
} from '../../streams/lab.js'
import { InvalidOption } from '../../streams/options/invalidOption.js'
import { encodeMessage } from '../../streams/wire/message.js'
import { seeded } from '../../streams/testing/random.js'

/** Servers on a reliable lab network in virtual time. */
const cluster = (servers = 3) => {
  const scheduler = new VirtualScheduler()
  const random = seeded(3)
  const network = labNetwork({ servers, scheduler, random })
  const persisters = Array.from({ length: servers }, () => memoryPersister())
  const applied: ApplyMsg[][] = persisters.map(() => [])
  const start = (me: number, applyCh: Parameters<typeof make>[3] = { next: (msg) => applied[me]!.push(msg) }): Rf => {
    const rf = make(network.ends(me), me, persisters[me]!, applyCh, { scheduler, random })
    network.serve(me, (request) => rf.receive(request))
    return rf
  }
  const run = (ms: number) => scheduler.runUntil(scheduler.now() + ms)
  return { scheduler, network, persisters, applied, start, run }
}

const elect = ({ run }: Pick<ReturnType<typeof cluster>, 'run'>, servers: ReadonlyArray<Rf>): Rf => {
  run(1_000)
  const leader = servers.find((rf) => rf.getState().isLeader)
  if (leader === undefined) throw new Error('nobody leads')
  return leader
}

const command = (command: unknown, commandIndex: number): ApplyMsg => ({ commandValid: true, snapshotValid: false, command, commandIndex })

describe('start and getState', () => {
  it('answer at once: the first command gets index 1, and a burst of them consecutive ones', () => {
    const lab = cluster()
    const servers = [0, 1, 2].map((me) => lab.start(me))
    const leader = elect(lab, servers)
    const { term } = leader.getState()
    expect(['a', 'b', 'c'].map((it) => leader.start(it))).toEqual([1, 2, 3].map((index) => ({ index, term, isLeader: true })))
    lab.run(100)
    expect(lab.applied).toEqual([0, 1, 2].map(() => [command('a', 1), command('b', 2), command('c', 3)]))
  })

  it('a burst is one request to each follower, and its commit one more', () => {
    const lab = cluster()
    const leader = elect(
      lab,
      [0, 1, 2].map((me) => lab.start(me)),
    )
    lab.run(60)
    const before = lab.network.counts().requests
    for (let i = 0; i < 100; i++) leader.start(i)
    lab.run(20)
    expect(lab.network.counts().requests - before).toBe(4)
  })

  it('elsewhere nothing is appended, and the answer says so', () => {
    const lab = cluster()
    const servers = [0, 1, 2].map((me) => lab.start(me))
    const leader = elect(lab, servers)
    const refused = { index: -1, term: leader.getState().term, isLeader: false }
    const others = servers.filter((rf) => rf !== leader)
    expect(others.map((rf) => rf.start('a'))).toEqual([refused, refused])
  })

  it('answer inside applyCh: what is started there is at the next index already', () => {
    const lab = cluster(1)
    const answers: unknown[] = []
    const rf = lab.start(0, {
      next: (msg) => {
        if (msg.commandValid && msg.commandIndex < 3) answers.push(rf.start(msg.commandIndex), rf.getState())
      },
    })
    elect(lab, [rf])
    rf.start(0)
    lab.run(1)
    expect(answers).toEqual([
      { index: 2, term: 1, isLeader: true },
      { term: 1, isLeader: true },
      { index: 3, term: 1, isLeader: true },
      { term: 1, isLeader: true },
    ])
  })

  it('answer after kill(), which ends applyCh', () => {
    const lab = cluster(1)
    const ended: string[] = []
    const rf = lab.start(0, { complete: () => ended.push('applyCh') })
    rf.apply$.subscribe({ complete: () => ended.push('apply$') })
    rf.stopped$.subscribe(({ _tag }) => ended.push(_tag))
    elect(lab, [rf])
    expect(rf.killed()).toBe(false)
    rf.kill()
    rf.kill()
    expect(ended).toEqual(['applyCh', 'apply$', 'Killed'])
    expect([rf.killed(), rf.getState(), rf.start('x')]).toEqual([
      true,
      { term: 1, isLeader: false },
      { index: -1, term: 1, isLeader: false },
    ])
    rf.snapshot(1, new Uint8Array(1))
    lab.run(1_000)
    expect(lab.applied).toEqual([[]])
  })

  it('kill() inside applyCh: nothing more is applied', () => {
    const lab = cluster(1)
    const seen: ApplyMsg[] = []
    const rf = lab.start(0, {
      next: (msg) => {
        seen.push(msg)
        rf.kill()
      },
    })
    elect(lab, [rf])
    for (const it of ['a', 'b']) rf.start(it)
    lab.run(1_000)
    expect(seen).toEqual([command('a', 1)])
  })

  it('apply$ is the stream that applyCh is given', async () => {
    const lab = cluster(1)
    const rf = lab.start(0)
    const seen = firstValueFrom(rf.apply$.pipe(take(2), toArray()))
    elect(lab, [rf])
    for (const it of [{ any: 'json' }, null]) rf.start(it)
    lab.run(1)
    expect(await seen).toEqual([command({ any: 'json' }, 1), command(null, 2)])
    expect(lab.applied).toEqual([await seen])
  })
})

describe('persister and snapshots', () => {
  it('a restart goes on from what was saved, and applies again what it knows to be committed', () => {
    const lab = cluster(1)
    elect(lab, [lab.start(0)])
    const first = lab.start(0)
    elect(lab, [first])
    first.start('a')
    lab.run(1)
    first.kill()
    const again = lab.start(0)
    elect(lab, [again])
    expect(again.start('b')).toEqual({ index: 2, term: 3, isLeader: true })
    lab.run(1)
    expect(lab.applied[0]).toEqual([command('a', 1), command('a', 1), command('b', 2)])
  })

  it('a snapshot takes the place of what it stands for, in the same save; the service reads it at the next start', () => {
    const lab = cluster(1)
    const rf = lab.start(0)
    elect(lab, [rf])
    for (let i = 1; i <= 10; i++) rf.start(i)
    lab.run(1)
    const before = lab.persisters[0]!.raftStateSize()
    rf.snapshot(8, Uint8Array.of(1, 2, 3))
    rf.snapshot(7, Uint8Array.of(9)) // not newer
    rf.snapshot(11, Uint8Array.of(9)) // not there
    expect(lab.persisters[0]!.raftStateSize()).toBeLessThan(before / 2)
    expect(lab.persisters[0]!.readSnapshot()).toEqual(Uint8Array.of(1, 2, 3))
    rf.kill()
    lab.applied[0] = []
    const again = lab.start(0)
    elect(lab, [again])
    expect(again.start('next').index).toBe(11)
    lab.run(1)
    expect(lab.applied[0]).toEqual([command(9, 9), command(10, 10), command('next', 11)])
    expect(lab.persisters[0]!.readSnapshot()).toEqual(Uint8Array.of(1, 2, 3)) // saves after a restart keep it
  })

  it('a follower that was away is given the snapshot, and then what follows it', () => {
    const lab = cluster()
    const servers = [0, 1, 2].map((me) => lab.start(me))
    const leader = elect(lab, servers)
    const away = servers.findIndex((rf) => rf !== leader)
    lab.network.cut(away)
    for (let i = 1; i <= 10; i++) leader.start(i)
    lab.run(20)
    leader.snapshot(8, Uint8Array.of(1, 2, 3))
    lab.network.connect(away)
    lab.run(5_000)
    const { term } = leader.getState()
    expect(lab.applied[away]).toEqual([
      { commandValid: false, snapshotValid: true, snapshot: Uint8Array.of(1, 2, 3), snapshotTerm: expect.any(Number), snapshotIndex: 8 },
      command(9, 9),
      command(10, 10),
    ])
    expect(term).toBeGreaterThan(0)
    expect(lab.persisters[away]!.readSnapshot()).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('copy() is what a crash leaves, whatever the former life saves later', () => {
    const persister = memoryPersister()
    persister.save(Uint8Array.of(1), Uint8Array.of(2))
    const copy: MemoryPersister = persister.copy()
    persister.save(Uint8Array.of(3, 3), Uint8Array.of(4))
    expect([copy.readRaftState(), copy.readSnapshot(), copy.raftStateSize()]).toEqual([Uint8Array.of(1), Uint8Array.of(2), 1])
  })

  it('what is none of its own is refused', () => {
    expect(() => make([], 0, memoryPersister(), {})).toThrow(InvalidOption)
    const ends: ReadonlyArray<PeerEnd> = [{ call: () => NEVER }]
    expect(() => make(ends, 0, memoryPersister(), {}, { heartbeatMs: 900 })).toThrow(InvalidOption)
    expect(() => make(ends, 0, memoryPersister(Uint8Array.of(7, 7)), {})).toThrow(UnreadableRaftState)
  })
})

type Request = Extract<Message, { readonly seq: unknown }>

/** Server 0 with peers that the test speaks for. */
const alone = (peers: number, options: Partial<LabOptions> = {}) => {
  const scheduler = new VirtualScheduler()
  const asked: Request[] = []
  const given: { to: number; answer: (request: Request) => ObservableInput<Uint8Array> } = { to: 0, answer: () => NEVER }
  const call = (request: Uint8Array): ObservableInput<Uint8Array> => {
    const event = admit(request)
    if (event._tag !== 'Received' || !('seq' in event.message)) throw new Error('not a request')
    asked.push(event.message)
    return given.answer(event.message)
  }
  const ends = Array.from({ length: peers + 1 }, () => ({ call }))
  const rf = make(ends, 0, memoryPersister(), {}, { scheduler, random: () => 0, ...options })
  return { rf, scheduler, asked, given }
}

const granted = ({ from: to, to: from, seq: re, term }: Request): ReadonlyArray<Uint8Array> => [
  encodeMessage({ _tag: 'RequestVoteReply', from, to, re, term, voteGranted: true }),
]

const heartbeatFrom = (peer: number, seq: number, T = 1): AppendEntries => ({
  _tag: 'AppendEntries',
  from: nodeId(`s${peer}`),
  to: nodeId('s0'),
  seq: messageSeq(seq),
  term: term(T),
  leaderId: nodeId(`s${peer}`),
  prevLogIndex: logIndex(0),
  prevLogTerm: term(0),
  entries: [],
  leaderCommit: logIndex(0),
})

describe('request and response', () => {
  const replyTo = (rf: Rf, request: Message): ReadonlyArray<string> => {
    const heard: string[] = []
    rf.receive(encodeMessage(request)).subscribe({
      next: (bytes) => {
        const event = admit(bytes)
        if (event._tag === 'Received' && 're' in event.message) heard.push(`${event.message.to} ${event.message.re}`)
      },
      complete: () => heard.push('|'),
    })
    return heard
  }

  it('a reply goes to the request of its (from, re): two peers may use the same numbers', () => {
    const { rf } = alone(2)
    expect([replyTo(rf, heartbeatFrom(1, 5)), replyTo(rf, heartbeatFrom(2, 5, 2)), replyTo(rf, heartbeatFrom(1, 6))]).toEqual([
      ['s1 5', '|'],
      ['s2 5', '|'],
      ['s1 6', '|'],
    ])
  })

  it('what is no request of a peer is told, and its call ends without a reply', () => {
    const { rf } = alone(2)
    const reasons: string[] = []
    rf.rejected$.subscribe(({ reason }) => reasons.push(reason))
    const ended: string[] = []
    for (const bytes of [
      Uint8Array.of(99),
      encodeMessage(heartbeatFrom(9, 1)),
      encodeMessage({ ...heartbeatFrom(1, 1), to: nodeId('s2') }),
    ])
      rf.receive(bytes).subscribe({ next: () => ended.push('reply'), complete: () => ended.push('|') })
    expect(ended).toEqual(['|', '|', '|'])
    expect(reasons).toEqual(['1 bytes end in the middle of a message', 'not a request of one of the peers', 'to is s2, but this is s0'])
  })

  it('a reply to another request than the one that was made is told, and counts for nothing', () => {
    const { rf, given, scheduler } = alone(2)
    const reasons: string[] = []
    rf.rejected$.subscribe(({ reason }) => reasons.push(reason))
    given.answer = (request) => granted({ ...request, seq: messageSeq(request.seq + 10) })
    scheduler.runUntil(400)
    expect(rf.getState().isLeader).toBe(false)
    expect(reasons).toEqual(['not the reply to request 1', 'not the reply to request 2'])
  })

  it('a request that is never answered gives way to the 256th after it', () => {
    const { rf, given, scheduler } = alone(2)
    given.answer = (request) => (request._tag === 'RequestVote' ? granted(request) : NEVER)
    scheduler.runUntil(400)
    expect(rf.getState().isLeader).toBe(true)
    // A leader ignores another one of its term (§5.2): nobody may say so.
    const calls = Array.from({ length: 257 }, (_, i) => replyTo(rf, heartbeatFrom(1, i + 1)))
    expect(calls.map((heard) => heard.join(''))).toEqual(calls.map((_, i) => (i === 0 ? '|' : '')))
    rf.kill()
    expect(calls.every((heard) => heard.join('') === '|')).toBe(true)
  })

  it('so does a call that never ends, one for each peer: kill() lets go of all of them', () => {
    const { rf, given, scheduler, asked } = alone(1)
    let underWay = 0
    let most = 0
    given.answer = (request) =>
      request._tag === 'RequestVote'
        ? granted(request)
        : ({
            // As any other library's observable.
            [Symbol.observable ?? '@@observable']: () => ({
              subscribe: () => {
                most = Math.max(most, ++underWay)
                return { unsubscribe: () => underWay-- }
              },
            }),
          } as unknown as ObservableInput<Uint8Array>)
    scheduler.runUntil(60_000)
    expect(asked.length).toBeGreaterThan(400)
    expect([underWay, most]).toEqual([256, 256])
    rf.kill()
    expect(underWay).toBe(0)
  })

  it('goes over promises and another network as well', async () => {
    const servers: Rf[] = []
    const endTo = (to: number): PeerEnd => ({
      // A call that resolves with the reply, or rejects where there is none.
      call: (request) => Promise.resolve().then(() => firstValueFrom(servers[to]!.receive(request))),
    })
    for (const me of [0, 1, 2])
      servers.push(make([0, 1, 2].map(endTo), me, memoryPersister(), {}, { electionTimeoutMs: { min: 60, max: 120 }, heartbeatMs: 20 }))
    const applied = servers.map((rf) => firstValueFrom(rf.apply$.pipe(timeout(10_000))))
    const offer = setInterval(() => servers.find((rf) => rf.getState().isLeader)?.start('over promises'), 10)
    const first = await Promise.all(applied)
    clearInterval(offer)
    for (const rf of servers) rf.kill()
    expect(first).toEqual(first.map(() => command('over promises', 1)))
  })

  it('a call that throws is one that is lost', () => {
    const { rf, given, scheduler, asked } = alone(1)
    given.answer = () => {
      throw new Error('no line')
    }
    scheduler.runUntil(1_000)
    expect(asked.length).toBeGreaterThan(1)
    expect(rf.killed()).toBe(false)
  })

  it('is not asked before it is subscribed to', () => {
    const { rf } = alone(2)
    const replies = from(rf.receive(encodeMessage(heartbeatFrom(1, 1, 7)))).pipe(map((bytes) => bytes.length))
    expect(rf.getState().term).toBe(0)
    replies.subscribe()
    expect(rf.getState().term).toBe(7)
  })
})
