import { describe, expect, it } from '@jest/globals'
import { votersOnly } from '../../src/raft/state/configuration.js'
import type { Effect } from '../../src/raft/effect.js'
import { logIndex, type NodeId, snapshotRef, term } from '../../src/raft/ids.js'
import { type LogBase, logFrom } from '../../src/raft/state/log.js'
import { restart, type Server } from '../../src/raft/state/server.js'
import { defaultSettings } from '../../src/raft/settings.js'
import { step } from '../../src/raft/step.js'
import {
  after,
  appendEntries,
  appendEntriesReply,
  applied,
  armElectionTimer,
  ascii,
  chunkRead,
  chunkStored,
  entries,
  flush,
  follower,
  heartbeatDue,
  installSnapshot,
  installSnapshotReply,
  leader,
  n1,
  n2,
  n3,
  on,
  out,
  persist,
  persisted,
  progress,
  proposed,
  received,
  requestVote,
  scheduleFlush,
  send,
  snapshotStored,
  snapshotTaken,
  termsOf,
  timeout,
  unreachable,
} from './servers.js'

const base = (index: number, T: number): LogBase => ({
  index: logIndex(index),
  term: term(T),
  configuration: votersOnly([n1, n2, n3]),
})
const store = (ref: number, of: LogBase, offset: number, text: string, last: boolean, leader: NodeId | null = n2): Effect => ({
  _tag: 'StoreSnapshot',
  from: leader,
  ref: snapshotRef(ref),
  base: of,
  offset,
  data: ascii(text),
  last,
})
const pointer = (ref: number, size: number, of: LogBase, keepsSuffix: boolean) => ({ ref: snapshotRef(ref), size, base: of, keepsSuffix })
const discard = (refs: ReadonlyArray<number>, seq: number | null): Effect =>
  ({
    _tag: 'DiscardSnapshots',
    refs: refs.map(snapshotRef),
    after: seq,
  }) as Effect
const restore = (ref: number, size: number, of: LogBase): Effect => ({
  _tag: 'Restore',
  snapshot: { ref: snapshotRef(ref), size },
  base: of,
})
const read = (peer: NodeId, ref: number, offset: number): Effect => ({
  _tag: 'ReadChunk',
  peer,
  ref: snapshotRef(ref),
  offset,
  maxBytes: defaultSettings.maxSnapshotChunkBytes,
})
const wants = (re: number, T: number, offset: number): Effect => send(installSnapshotReply({ ...out, re, term: T, offset }))
const installed = (re: number, T: number, matchIndex: number, seq: number | null): Effect =>
  send(installSnapshotReply({ ...out, re, term: T, matchIndex }), seq)

/** Four entries, three of them committed, handed over and answered for. */
const appliedThree = after(follower({ log: [1, 1, 2, 2], commit: 3 }), applied(3))

describe('§7 "Each server takes snapshots independently, covering just the committed entries in its log"', () => {
  it('the state goes to the disk first; then the log forgets what it replaces, and the write says so', () => {
    const taken = on(appliedThree, snapshotTaken(3, 'abc'))
    expect(taken.effects).toEqual([store(1, base(3, 2), 0, 'abc', true, null)])
    expect(termsOf(taken.server)).toEqual([1, 1, 2, 2])

    const stored = on(taken.server, snapshotStored(1, 3))
    expect(stored.effects).toEqual([persist(1, { snapshot: pointer(1, 3, base(3, 2), true), firstIndex: 5, commitIndex: 3 })])
    expect(stored.server.log.base).toEqual(base(3, 2))
    expect(termsOf(stored.server)).toEqual([2])
  })

  it.each([
    { what: 'what the state machine was not given yet', index: 4 },
    { what: 'nothing', index: 0 },
    { what: 'what is beyond the log', index: 9 },
  ])('a snapshot of $what is none', ({ index }) => {
    expect(on(appliedThree, snapshotTaken(index, 'abc'))).toEqual({ server: appliedThree, effects: [] })
  })

  it.each([2, 3])('one of index %i, up to where the log begins already, changes nothing', (index) => {
    const compacted = after(appliedThree, snapshotTaken(3, 'abc'), snapshotStored(1, 3))
    expect(step(compacted, snapshotTaken(index, 'ab'), 0)).toEqual({ server: compacted, effects: [] })
  })

  it('one at a time: while one is being stored, another changes nothing', () => {
    const taking = after(appliedThree, snapshotTaken(2, 'ab'))
    expect(step(taking, snapshotTaken(3, 'abc'), 0)).toEqual({ server: taking, effects: [] })
  })

  it('from within the apply of its index: who gives its state has answered for all in it', () => {
    const handed = follower({ log: [1, 1, 2, 2], commit: 3 })
    const stored = after(handed, snapshotTaken(2, 'ab'), snapshotStored(1, 2))
    expect([stored.lastApplied, stored.applyingIndex]).toEqual([2, 3])
    expect(on(stored, applied(2)).effects).toEqual([])
    expect(after(stored, applied(3)).lastApplied).toBe(3)
  })

  it('the former snapshot goes when the write that points to the new one is on disk, and not before', () => {
    const first = after(appliedThree, snapshotTaken(2, 'ab'), snapshotStored(1, 2), persisted(1))
    const second = on(first, snapshotTaken(3, 'abc'), snapshotStored(2, 3))
    expect(second.effects).toEqual([
      persist(2, { snapshot: pointer(2, 3, base(3, 2), true), firstIndex: 5, commitIndex: 3 }),
      discard([1], 2),
    ])
  })

  it('the answer of a disk that was told to give it up changes nothing', () => {
    expect(step(appliedThree, snapshotStored(7, 3), 0)).toEqual({ server: appliedThree, effects: [] })
    expect(step(appliedThree, chunkStored(7, 3), 0)).toEqual({ server: appliedThree, effects: [] })
  })
})

describe('§7 after a restart', () => {
  const recovered = {
    currentTerm: term(2),
    votedFor: null,
    log: logFrom(base(3, 2), entries(2, 2)),
    commitIndex: logIndex(4),
    snapshot: { ref: snapshotRef(6), size: 3 },
  }
  const restarted = on(restart(n1, { ...defaultSettings, leaderNoop: false }, recovered), { _tag: 'Started' })

  it('the state machine begins with the snapshot, and goes on with what is known to be committed', () => {
    expect(restarted.effects).toEqual([
      armElectionTimer(1),
      restore(6, 3, base(3, 2)),
      { _tag: 'Apply', firstIndex: 4, entries: entries(2) },
    ])
    expect([restarted.server.lastApplied, restarted.server.applyingIndex]).toEqual([0, 4])
    expect(after(restarted.server, applied(3)).lastApplied).toBe(3)
  })

  it('numbers go on after that of the snapshot', () => {
    const server = after(restarted.server, applied(3), applied(4))
    expect(on(server, snapshotTaken(4, 'abcd')).effects).toEqual([store(7, base(4, 2), 0, 'abcd', true, null)])
  })
})

describe('Figure 13, InstallSnapshot RPC, receiver', () => {
  const behind = follower({ log: [1, 1], T: 2, commit: 1 })
  const chunk = (seq: number, offset: number, data: string, done: boolean, fields = {}) =>
    received(installSnapshot({ seq, term: 2, lastIncludedIndex: 5, lastIncludedTerm: 2, offset, data, done, ...fields }))
  const arm = (server: Server): Effect => armElectionTimer(server.counters.electionTimer + 1)

  describe('a leader’s snapshot that the state machine cannot begin with', () => {
    const storing = after(behind, chunk(9, 0, 'abc', true))

    it('is given up and told; the log, the state machine and the term stay', () => {
      const { server, effects } = on(storing, { _tag: 'SnapshotRefused', ref: snapshotRef(1) })
      expect(effects).toEqual([{ _tag: 'Ignored', from: n2, why: 'UnreadableSnapshot' }, discard([1], null)])
      expect({ ...server, snapshots: null }).toEqual({ ...storing, snapshots: null })
      expect(server.snapshots.current).toBe(storing.snapshots.current)
    })

    it('may come again, from its beginning', () => {
      const refused = after(storing, { _tag: 'SnapshotRefused', ref: snapshotRef(1) })
      expect(on(refused, chunk(10, 0, 'ABC', true)).effects).toContainEqual(store(2, base(5, 2), 0, 'ABC', true))
    })

    it('is another one than what is refused late', () => {
      expect(after(storing, { _tag: 'SnapshotRefused', ref: snapshotRef(7) })).toBe(storing)
      expect(after(behind, { _tag: 'SnapshotRefused', ref: snapshotRef(1) })).toBe(behind)
    })
  })

  it('1. "Reply immediately if term < currentTerm"', () => {
    const server = follower({ T: 3 })
    expect(on(server, chunk(9, 0, 'abc', true))).toEqual({ server, effects: [wants(9, 3, 0)] })
  })

  it('2. "Create new snapshot file if first chunk (offset is 0)"; 3. "Write data into snapshot file at given offset"; 4. "Reply and wait for more"', () => {
    const first = on(behind, chunk(9, 0, 'abc', false))
    expect(first.effects).toEqual([arm(behind), store(1, base(5, 2), 0, 'abc', false)])
    const stored = on(first.server, chunkStored(1, 3))
    expect(stored.effects).toEqual([wants(9, 2, 3)])
    expect(on(stored.server, chunk(10, 3, 'de', true)).effects).toEqual([arm(stored.server), store(1, base(5, 2), 3, 'de', true)])
  })

  it.each([
    { what: 'the middle of one that it knows nothing of', events: [], offset: 3, wanted: 0 },
    { what: 'a chunk that it has', events: [chunk(1, 0, 'abc', false), chunkStored(1, 3)], offset: 0, wanted: 3 },
    { what: 'one after a gap', events: [chunk(1, 0, 'abc', false), chunkStored(1, 3)], offset: 5, wanted: 3 },
  ])('"Leaders always send chunks in order": of $what it stores nothing, and says what it wants', ({ events, offset, wanted }) => {
    const server = after(behind, ...events)
    expect(on(server, chunk(9, offset, 'xyz', false)).effects).toEqual([arm(server), wants(9, 2, wanted)])
  })

  it.each([
    { how: 'hears of it', newTerm: () => received(requestVote({ term: 3 })) },
    {
      how: 'stands for election in it',
      newTerm: ({ counters }: Server) => timeout(counters.electionTimer),
    },
  ])(
    'what a former term’s leader began is forgotten in a new term, also by one that $how: no snapshot is of two leaders',
    ({ newTerm }) => {
      const begun = after(behind, chunk(9, 0, 'abc', false), chunkStored(1, 3))
      const later = after(begun, newTerm(begun))
      const of3 = { from: n3, leaderId: n3, term: 3 }
      expect(on(later, chunk(1, 3, 'de', true, of3)).effects).toContainEqual(
        send(installSnapshotReply({ ...out, to: n3, re: 1, term: 3, offset: 0 })),
      )
      expect(on(later, chunk(1, 0, 'ABC', false, of3)).effects).toContainEqual(store(2, base(5, 2), 0, 'ABC', false, n3))
    },
  )

  it('a chunk that comes again while it is being stored is stored once, and its answer is for the last that asked', () => {
    const again = on(behind, chunk(9, 0, 'abc', false), chunk(10, 0, 'abc', false))
    expect(again.effects).toEqual([armElectionTimer(3)])
    expect(on(again.server, chunkStored(1, 3)).effects).toEqual([wants(10, 2, 3)])
  })

  it('7. "Discard the entire log"; 8. "Reset state machine using snapshot contents": when the write that points to it is on disk', () => {
    const whole = on(behind, chunk(9, 0, 'abc', true), snapshotStored(1, 3))
    expect(whole.effects).toEqual([
      persist(1, { snapshot: pointer(1, 3, base(5, 2), false), firstIndex: 6, commitIndex: 5 }),
      installed(9, 2, 5, 1),
    ])
    expect(whole.server).toMatchObject({ commitIndex: 5, applyingIndex: 1 })
    expect(whole.server.writeProgress.index).toBeLessThan(5)
    expect(on(whole.server, persisted(1)).effects).toEqual([restore(1, 3, base(5, 2))])
  })

  it('entries that it holds beyond the snapshot, of another leader, go too', () => {
    const other = follower({ log: [1, 1, 1, 1, 1, 1, 1], T: 2, commit: 1 })
    const { server: whole, effects } = on(other, chunk(9, 0, 'abc', true), snapshotStored(1, 3))
    expect([whole.log.lastIndex, whole.log.lastTerm]).toEqual([5, 2])
    expect(effects[0]).toEqual(persist(1, { snapshot: pointer(1, 3, base(5, 2), false), firstIndex: 6, commitIndex: 5 }))
    expect(on(whole, persisted(1)).effects).toEqual([restore(1, 3, base(5, 2))])
  })

  it('commands that it was to hand over next are in the snapshot: nothing of the log goes before it', () => {
    const slow = follower({ log: [1, 1, 1], T: 2, commit: 3, settings: { maxApplying: 1 } })
    const whole = on(slow, chunk(9, 0, 'abc', true), snapshotStored(1, 3))
    expect(whole.effects.map(({ _tag }) => _tag)).toEqual(['Persist', 'Send'])
    const next = received(appendEntries({ seq: 10, term: 2, prevLogIndex: 5, prevLogTerm: 2, entries: entries(2), leaderCommit: 5 }))
    expect(on(whole.server, next, applied(1)).effects).toEqual([])
    expect(on(whole.server, next, applied(1), persisted(1)).effects).toEqual([restore(1, 3, base(5, 2))])
  })

  it('one that is older than what its log begins after changes nothing either', () => {
    const compacted = after(appliedThree, snapshotTaken(3, 'abc'), snapshotStored(1, 3), persisted(1))
    const old = on(compacted, chunk(9, 0, 'ab', true, { lastIncludedIndex: 2, lastIncludedTerm: 1 }))
    expect(old.effects).toEqual([arm(compacted), installed(9, 2, 2, null)])
    expect(old.server.log).toBe(compacted.log)
  })

  it('6. "If existing log entry has same index and term as snapshot’s last included entry, retain log entries following it and reply"', () => {
    const server = follower({ log: [1, 1, 2, 2, 2, 2], commit: 1 })
    const { server: kept, effects } = on(server, chunk(9, 0, 'abc', true))
    expect(effects).toEqual([arm(server), installed(9, 2, 5, null), { _tag: 'Apply', firstIndex: 2, entries: entries(1, 2, 2, 2) }])
    expect(termsOf(kept)).toEqual([1, 1, 2, 2, 2, 2])
    expect(kept.commitIndex).toBe(5)
  })

  it.each([
    { what: 'older than what it has committed', lastIncludedIndex: 2, lastIncludedTerm: 1 },
    { what: 'of what its state machine is at', lastIncludedIndex: 3, lastIncludedTerm: 2 },
  ])('one that is $what never steps its state machine back', ({ lastIncludedIndex, lastIncludedTerm }) => {
    const { server, effects } = on(appliedThree, chunk(9, 0, 'abc', true, { lastIncludedIndex, lastIncludedTerm }))
    expect(effects).toEqual([arm(appliedThree), installed(9, 2, lastIncludedIndex, null)])
    expect(termsOf(server)).toEqual([1, 1, 2, 2])
  })

  it('one that is stored when the log has come that far by itself is given up', () => {
    const caughtUp = after(
      behind,
      chunk(9, 0, 'abc', true),
      received(appendEntries({ seq: 10, term: 2, prevLogIndex: 2, prevLogTerm: 1, entries: entries(2, 2, 2), leaderCommit: 5 })),
    )
    const { server, effects } = on(caughtUp, snapshotStored(1, 3))
    expect(effects).toEqual([installed(9, 2, 5, 1), discard([1], 1)])
    expect(termsOf(server)).toEqual([1, 1, 2, 2, 2])
  })

  it('what a leader of a former term began is given up', () => {
    const receiving = after(behind, chunk(9, 0, 'abc', false))
    expect(on(receiving, received(requestVote({ from: n3, term: 4 }))).effects).toContainEqual(discard([1], 1))
  })

  it('nor is a newer one of the same leader put together with an older one that it never got all of', () => {
    const receiving = after(behind, chunk(9, 0, 'abc', false), chunkStored(1, 3))
    const { effects } = on(receiving, chunk(12, 0, 'xyz', false, { lastIncludedIndex: 7 }))
    expect(effects).toContainEqual(store(2, base(7, 2), 0, 'xyz', false))
    expect(effects).toContainEqual(discard([1], null))
  })

  it('the own snapshot under way is overtaken by a leader’s', () => {
    const taking = after(after(behind, applied(1)), snapshotTaken(1, 'a'))
    const { server, effects } = on(taking, chunk(9, 0, 'abc', true), snapshotStored(2, 3))
    expect(effects).toEqual([
      persist(1, { snapshot: pointer(2, 3, base(5, 2), false), firstIndex: 6, commitIndex: 5 }),
      installed(9, 2, 5, 1),
      discard([1], 1),
    ])
    expect(step(server, snapshotStored(1, 1), 0)).toEqual({ server, effects: [] })
  })

  it('one that arrives while the state machine is at work waits for its turn; the machine’s late answers change nothing', () => {
    const busy = follower({ log: [1, 1], T: 2, commit: 2 })
    const restoring = on(busy, chunk(9, 0, 'abc', true), snapshotStored(1, 3), persisted(1))
    expect(restoring.effects).toEqual([restore(1, 3, base(5, 2))])
    expect(after(restoring.server, applied(2))).toMatchObject({ lastApplied: 2, applyingIndex: 5 })
    expect(after(restoring.server, applied(5))).toMatchObject({ lastApplied: 5, applyingIndex: 5 })
  })

  it('of two in quick order the second waits until the machine has begun with the first, which is kept until then', () => {
    const busy = follower({ log: [1, 1], T: 2, commit: 2 })
    const first = after(busy, chunk(9, 0, 'abc', true), snapshotStored(1, 3), persisted(1))
    const second = on(first, chunk(10, 0, 'abcd', true, { lastIncludedIndex: 7 }), snapshotStored(2, 4), persisted(2))
    expect(second.effects).toEqual([])
    expect(second.server.snapshots.refs).toEqual([2, 1])
    expect(on(second.server, applied(2)).effects).toEqual([])
    expect(on(second.server, applied(5)).effects).toEqual([restore(2, 4, base(7, 2)), discard([1], null)])
  })

  it('a leader in its own term ignores it', () => {
    const server = leader({ log: [1], T: 2 })
    expect(on(server, chunk(9, 0, 'abc', true))).toEqual({ server, effects: [] })
  })
})

describe('§7 "The leader must occasionally send snapshots to followers that lag behind"', () => {
  /** n1 leads term 2; its log begins after 3 of 4 entries; n2 has all of them, n3 has been away. */
  const compacted = (() => {
    const onDisk = (server: Server) => after(server, persisted(server.writeProgress.written))
    const ack = (server: Server, matchIndex: number) =>
      received(appendEntriesReply({ from: n2, re: progress(server, n2).inflight.at(-1)!.seq, term: 2, matchIndex }))
    const elected = onDisk(after(leader({ log: [1, 1], T: 2 }), proposed(1, 'x', 'y')))
    const probed = after(elected, ack(elected, 2), flush)
    return onDisk(after(probed, ack(probed, 4), applied(4), snapshotTaken(3, 'abcdefg'), snapshotStored(1, 7)))
  })()
  const inflight = (server: Server) => progress(server, n3).inflight.at(-1)!.seq
  const refuse = (server: Server) =>
    received(appendEntriesReply({ from: n3, re: inflight(server), term: 2, success: false, conflict: { term: null, index: 1 } }))
  const heartbeat = (server: Server) => after(server, heartbeatDue(server.counters.heartbeat))
  /** n3's refusal, the flush that it asks for, and the chunk read. */
  const sending = (() => {
    const probed = heartbeat(compacted)
    return after(probed, refuse(probed), flush, chunkRead(n3, 1, 0, 'abcd'))
  })()

  it('when a follower refuses, and what it needs next is not in the log any more: read from the disk, then sent', () => {
    const probed = heartbeat(compacted)
    const refused = on(probed, refuse(probed))
    expect(refused.effects).toEqual([scheduleFlush])
    const flushed = on(refused.server, flush)
    expect(flushed.effects).toContainEqual(read(n3, 1, 0))
    expect(progress(flushed.server, n3)).toMatchObject({ flow: 'Snapshot', nextIndex: 4 })
    const seq = flushed.server.counters.messages + 1
    expect(on(flushed.server, chunkRead(n3, 1, 0, 'abcd')).effects).toEqual([
      send(
        installSnapshot({
          ...out,
          to: n3,
          leaderId: n1,
          seq,
          term: 2,
          lastIncludedIndex: 3,
          lastIncludedTerm: 2,
          data: 'abcd',
          done: false,
        }),
      ),
    ])
  })

  it('a chunk knows when it was sent: at the time of its step', () => {
    const probed = heartbeat(compacted)
    const { role } = step(after(probed, refuse(probed), flush), chunkRead(n3, 1, 0, 'abcd'), 700).server
    expect(role).toMatchObject({ sendings: [{ to: n3, chunk: { sentAt: 700, otherAnswers: 0 } }] })
  })

  it('a chunk is at most maxSnapshotChunkBytes, and the follower’s answer asks for the next', () => {
    const { server, effects } = on(sending, received(installSnapshotReply({ from: n3, re: sending.counters.messages, term: 2, offset: 4 })))
    expect(effects).toEqual([read(n3, 1, 4)])
    const [last] = on(server, chunkRead(n3, 1, 4, 'efg')).effects
    expect(last).toMatchObject({ message: { offset: 4, done: true } })
  })

  it('once it is installed, entries follow from there', () => {
    const done = on(sending, received(installSnapshotReply({ from: n3, re: sending.counters.messages, term: 2, matchIndex: 3 })))
    expect(done.effects).toEqual([scheduleFlush])
    expect(progress(done.server, n3)).toMatchObject({ flow: 'Replicate', nextIndex: 4, matchIndex: 3 })
    expect(on(done.server, flush).effects).toMatchObject([{ message: { to: n3, prevLogIndex: 3, prevLogTerm: 2 } }])
  })

  it('heartbeats go on meanwhile, from where the log begins; their refusals ask for nothing until three came and the chunk’s answer did not', () => {
    let server = sending
    for (const effects of [[], [], [read(n3, 1, 0)]]) {
      server = heartbeat(server)
      const refused = on(server, refuse(server))
      expect(refused.effects).toEqual(effects)
      server = refused.server
    }
  })

  it('a follower that is not heard of is sent nothing but heartbeats', () => {
    let server = sending
    for (let i = 0; i < 20; i++) {
      const { server: beaten, effects } = on(server, heartbeatDue(server.counters.heartbeat))
      expect(effects.filter(({ _tag }) => _tag === 'ReadChunk')).toEqual([])
      server = beaten
    }
  })

  it('after a broken line the chunk is sent again as soon as the follower is heard of', () => {
    const broken = heartbeat(after(sending, unreachable(n3)))
    expect(on(broken, refuse(broken)).effects).toEqual([read(n3, 1, 0)])
  })

  it('a heartbeat that succeeds ends it: the answer to the last chunk was lost', () => {
    const beaten = heartbeat(sending)
    const { server } = on(beaten, received(appendEntriesReply({ from: n3, re: inflight(beaten), term: 2, matchIndex: 3 })))
    expect(progress(server, n3)).toMatchObject({ flow: 'Replicate', matchIndex: 3, nextIndex: 4 })
    expect(server.role).toMatchObject({ sendings: [] })
  })

  it('what is being sent is kept while newer snapshots are taken, and given up when it is through', () => {
    const newer = on(sending, snapshotTaken(4, 'abcdefgh'), snapshotStored(2, 8))
    expect(newer.effects.map(({ _tag }) => _tag)).toEqual(['Persist'])
    const written = after(newer.server, persisted(newer.server.writeProgress.written))
    const through = on(written, received(installSnapshotReply({ from: n3, re: sending.counters.messages, term: 2, matchIndex: 3 })))
    expect(through.effects).toEqual([scheduleFlush, discard([1], null)])
    // What comes after 3 is not in the log any more either.
    expect(on(through.server, flush).effects).toContainEqual(read(n3, 2, 0))
  })

  it('a leader that steps down gives up what it was sending, but for what its own log begins after', () => {
    const newer = after(sending, snapshotTaken(4, 'abcdefgh'), snapshotStored(2, 8))
    const { effects } = on(newer, received(requestVote({ from: n3, term: 9 })))
    expect(effects).toContainEqual(discard([1], newer.writeProgress.written + 1))
  })

  it.each([
    { what: 'that was given up', re: 1, offset: 4 },
    { what: 'that goes beyond the end', re: sending.counters.messages, offset: 700 },
  ])('an answer $what changes nothing', ({ re, offset }) => {
    expect(step(sending, received(installSnapshotReply({ from: n3, re, term: 2, offset })), 0)).toEqual({ server: sending, effects: [] })
  })

  it('nor does one that was read for another place of it', () => {
    const wanted = after(sending, received(installSnapshotReply({ from: n3, re: sending.counters.messages, term: 2, offset: 4 })))
    const caughtUp = heartbeat(wanted)
    // It has the entries, and not on its disk yet; then it crashes.
    const ended = after(caughtUp, received(appendEntriesReply({ from: n3, re: inflight(caughtUp), term: 2, matchIndex: 0 })))
    const beaten = heartbeat(ended)
    const anew = on(beaten, refuse(beaten), flush)
    expect(anew.effects).toContainEqual(read(n3, 1, 0))
    expect(step(anew.server, chunkRead(n3, 1, 4, 'efg'), 0)).toEqual({ server: anew.server, effects: [] })
  })

  it('a broken line is no reason for one: where the log begins, the follower is asked first', () => {
    const acked = heartbeat(compacted)
    const replicating = after(acked, received(appendEntriesReply({ from: n3, re: inflight(acked), term: 2, matchIndex: 3 })), flush)
    const further = after(replicating, snapshotTaken(4, 'abcdefgh'), snapshotStored(2, 8))
    const broken = on(further, unreachable(n3), flush)
    expect(broken.effects.filter(({ _tag }) => _tag === 'ReadChunk')).toEqual([])
    expect(progress(broken.server, n3)).toMatchObject({ flow: 'Probe', nextIndex: 5 })
  })

  it('a chunk that was read for a transfer that is over goes nowhere', () => {
    const done = after(sending, received(installSnapshotReply({ from: n3, re: sending.counters.messages, term: 2, matchIndex: 3 })))
    expect(step(done, chunkRead(n3, 1, 0, 'abcd'), 0)).toEqual({ server: done, effects: [] })
  })
})
