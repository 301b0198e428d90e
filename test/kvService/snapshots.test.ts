import { describe, expect, it } from '@jest/globals'
import { EMPTY, type Observable, Subject } from 'rxjs'
import { applyAll } from '../../src/kv/apply.js'
import { anonymous, type Caller, type KvCommand } from '../../src/kv/command.js'
import { revision, serial } from '../../src/kv/ids.js'
import { everything, key } from '../../src/kv/key.js'
import { encodeRequest } from '../../src/kv/requestCodec.js'
import type { KvResult } from '../../src/kv/result.js'
import { encodeSnapshot } from '../../src/kv/snapshot.js'
import { emptyStore, type Store } from '../../src/kv/store.js'
import { logIndex, term } from '../../src/raft/ids.js'
import type { Applied, ApplyMsg } from '../../streams/sinks/stateMachine.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { createKvServer, type KvServer } from '../../streams/kv/server/kvServer.js'
import { kvStateMachine } from '../../streams/kv/server/stateMachine.js'
import { type Changes, WatchError } from '../../streams/kv/server/watch.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { bytes, ids, record, text, type VirtualCluster, virtualCluster } from './cluster.js'

const put = (name: string, value = name): KvCommand => ({ _tag: 'Put', key: key(name), value: bytes(value), prevKv: false })
const append = (value: string): KvCommand => ({ _tag: 'Append', key: key('log'), value: bytes(value), prevKv: false })
const once = (name: string): Caller => ({ _tag: 'Once', idempotencyKey: key(name) })

const everyEntries = 20
const snapshots = { everyEntries }

/** Writes k1, k2 … one at a time, so that there are as many entries; gives what was replied. */
const write = (cluster: VirtualCluster, count: number, from = 1): void => {
  for (let i = from; i < from + count; i++) {
    const reply = record(cluster.leader().submit({ caller: anonymous, command: put(`k${i}`) }))
    cluster.run(20)
    expect(reply.values).toMatchObject([{ _tag: 'Written' }])
  }
}

const started = (seed = 1, options: Parameters<typeof virtualCluster>[1] = {}): VirtualCluster => {
  const cluster = virtualCluster(seed, { snapshots, ...options })
  cluster.run(2_000)
  return cluster
}

const follower = (cluster: VirtualCluster): KvServer => cluster.servers().find(({ id }) => id !== cluster.leader().id)!
/** Others lead and crash until it is that one's turn. */
const makeLead = (cluster: VirtualCluster, { id }: KvServer): void => {
  for (let reigns = 0; cluster.leader().id !== id; reigns++) {
    expect(reigns).toBeLessThan(20)
    const former = cluster.leader().id
    cluster.crash(former)
    cluster.run(3_000)
    cluster.start(former)
    cluster.run(1_000)
  }
}
const metrics = (cluster: VirtualCluster, server: KvServer) => {
  const recorded = record(server.raft.metrics$)
  cluster.run(0)
  recorded.stop()
  return recorded.values[0]!
}
const stores = (cluster: VirtualCluster): ReadonlyArray<string> =>
  cluster.servers().map((server) => Buffer.from(encodeSnapshot(server.store())).toString('base64'))
const allEqual = (cluster: VirtualCluster): boolean => new Set(stores(cluster)).size === 1
const told = ({ values }: { readonly values: ReadonlyArray<Changes> }) => values.map(({ revision }) => revision as number)

describe('a cluster that takes snapshots', () => {
  it('keeps the log short on every server', () => {
    const cluster = started()
    write(cluster, 100)
    for (const server of cluster.servers()) {
      const { snapshotIndex, logEntries, snapshotsTaken, snapshotsInstalled, snapshotBytes } = metrics(cluster, server)
      expect(snapshotIndex).toBeGreaterThanOrEqual(80)
      expect(logEntries).toBeLessThanOrEqual(everyEntries)
      expect([snapshotsTaken, snapshotsInstalled]).toEqual([5, 0])
      expect(snapshotBytes).toBeGreaterThan(0)
    }
    expect(allEqual(cluster)).toBe(true)
  })

  it('brings a server that was away for long up to date with a snapshot', () => {
    const cluster = started()
    const away = follower(cluster)
    write(cluster, 10)
    cluster.network.isolate(away.id)
    write(cluster, 100, 11)
    expect(away.store().revision).toBe(11)
    cluster.network.heal()
    cluster.run(2_000)
    expect(metrics(cluster, away)).toMatchObject({ snapshotsInstalled: 1 })
    expect(away.store().revision).toBe(111)
    expect(allEqual(cluster)).toBe(true)
    write(cluster, 30, 111)
    cluster.run(100)
    expect(allEqual(cluster)).toBe(true)
    expect(metrics(cluster, away).snapshotsTaken).toBeGreaterThan(0)
  })

  it('finds everything again when it is started anew, on some servers or on all', () => {
    const cluster = started()
    write(cluster, 50)
    const before = stores(cluster)
    for (const id of ids) cluster.crash(id)
    for (const id of ids) cluster.start(id)
    const restored = ids.map((id) => record(cluster.server(id).raft.restore$))
    cluster.run(2_000)
    expect(stores(cluster)).toEqual(before)
    expect(restored.map(({ values }) => values.length)).toEqual([1, 1, 1])
    write(cluster, 50, 51)
    cluster.run(100)
    expect(allEqual(cluster)).toBe(true)
    expect(cluster.leader().store().keys.size).toBe(100)
  })

  it('answers reads through the log, also at a leader that began with a snapshot', () => {
    const cluster = started()
    const away = follower(cluster)
    cluster.network.isolate(away.id)
    write(cluster, 60)
    cluster.network.heal()
    cluster.run(2_000)
    makeLead(cluster, away)
    const read = record(away.submit({ caller: anonymous, command: { _tag: 'Get', key: key('k7'), revision: null } }))
    const past = record(away.submit({ caller: anonymous, command: { _tag: 'Get', key: key('k7'), revision: revision(2) } }))
    cluster.run(100)
    expect(read.values.map((reply) => reply._tag === 'Got' && text(reply.kv!.value))).toEqual(['k7'])
    expect(past.values).toMatchObject([{ _tag: 'Got', kv: null }])
  })

  it('carries out once what was asked for twice, across a snapshot and a change of leader', () => {
    const cluster = started()
    const away = follower(cluster)
    cluster.network.isolate(away.id)
    const registered = record(cluster.leader().submit({ caller: anonymous, command: { _tag: 'Register' } }))
    cluster.run(100)
    const session = (registered.values[0] as Extract<KvResult, { _tag: 'Registered' }>).session
    const calls: ReadonlyArray<Caller> = [once('a'), { _tag: 'Session', session, serial: serial(0), firstUnanswered: serial(0) }]
    const ask = () => calls.map((caller) => record(cluster.leader().submit({ caller, command: append('x') })))
    const first = ask()
    cluster.run(100)
    write(cluster, 60)
    cluster.network.heal()
    cluster.run(2_000)
    expect(metrics(cluster, away).snapshotsInstalled).toBe(1)
    makeLead(cluster, away)
    const again = ask()
    cluster.run(100)
    expect(first.map(({ values }) => values[0]?._tag)).toEqual(['Written', 'Written'])
    expect(again.map(({ values }) => values)).toEqual(first.map(({ values }) => values))
    expect(text(away.store().keys.get(key('log'))!.value)).toBe('xx')
  })
})

describe('a watch of a server that goes on with a snapshot', () => {
  it('is told what it missed, each revision once', () => {
    const cluster = started()
    const away = follower(cluster)
    const watched = record(away.watch({ range: everything }))
    const ahead = record(away.watch({ range: everything, fromRevision: revision(50) }))
    write(cluster, 10)
    cluster.network.isolate(away.id)
    write(cluster, 60, 11)
    expect(told(watched)).toEqual(Array.from({ length: 10 }, (_, i) => i + 2))
    cluster.network.heal()
    cluster.run(2_000)
    write(cluster, 10, 71)
    cluster.run(100)
    expect(metrics(cluster, away).snapshotsInstalled).toBe(1)
    expect(told(watched)).toEqual(Array.from({ length: 80 }, (_, i) => i + 2))
    expect(told(ahead)).toEqual(Array.from({ length: 32 }, (_, i) => i + 50))
  })

  it('ends with what is the oldest there is, where the snapshot has forgotten what it would be told next', () => {
    const cluster = started(1, { limits: { maxHistoryRevisions: 16 } })
    const away = follower(cluster)
    const watched = record(away.watch({ range: everything }))
    write(cluster, 10)
    cluster.network.isolate(away.id)
    write(cluster, 60, 11)
    cluster.network.heal()
    cluster.run(2_000)
    expect(watched.error).toBeInstanceOf(WatchError)
    expect(watched.error).toMatchObject({ reason: { _tag: 'Compacted', compactRevision: expect.any(Number) } })
    const { compactRevision } = away.store()
    expect(told(watched)).toEqual(Array.from({ length: 10 }, (_, i) => i + 2))
    const resumed = record(away.watch({ range: everything, fromRevision: compactRevision }))
    cluster.run(0)
    expect(told(resumed)).toEqual(Array.from({ length: 72 - compactRevision }, (_, i) => i + compactRevision))
  })
})

/** A store of so many keys, and commands for it. */
const storeOf = (count: number): Store =>
  applyAll(
    emptyStore(),
    Array.from({ length: count }, (_, i) => ({ index: i + 1, command: encodeRequest({ caller: anonymous, command: put(`k${i}`) }) })),
  ).store

describe('the state machine', () => {
  const begun = (
    apply$: Observable<ApplyMsg>,
    store: Store,
    snapshot = { index: logIndex(store.appliedIndex), data: encodeSnapshot(store) },
  ) => {
    const scheduler = new VirtualScheduler()
    const machine = kvStateMachine({ scheduler })
    return { ...machine, scheduler, answers: record(machine.stateMachine(apply$, snapshot) as Observable<Applied<KvResult>>) }
  }

  it('reads a snapshot in slices, with turns for others between; commands wait for it', () => {
    const store = storeOf(10_000)
    const apply$ = new Subject<ApplyMsg>()
    const { scheduler, store$, take, answers } = begun(apply$, store)
    apply$.next({ index: logIndex(10_001), term: term(1), command: encodeRequest({ caller: anonymous, command: put('k0', 'new') }) })
    const seen: number[] = []
    const other = (): void => {
      seen.push(store$.value.revision)
      if (answers.values.length === 0) scheduler.schedule(other)
    }
    scheduler.schedule(other)
    expect(record(take())).toMatchObject({ values: [], completed: true })
    scheduler.runUntil(0)
    expect(seen.filter((revision) => revision === 1).length).toBeGreaterThan(10)
    expect(answers.values).toMatchObject([{ index: 10_001, result: { _tag: 'Written', revision: 10_002 } }])
    const right = applyAll(store, [{ index: 10_001, command: encodeRequest({ caller: anonymous, command: put('k0', 'new') }) }]).store
    expect(Buffer.compare(encodeSnapshot(store$.value), encodeSnapshot(right))).toBe(0)
  })

  it('takes a snapshot in slices, of the store as it was when it began', () => {
    const scheduler = new VirtualScheduler()
    const { stateMachine, store$, take } = kvStateMachine({ scheduler })
    const apply$ = new Subject<ApplyMsg>()
    record(stateMachine(apply$, null) as Observable<Applied<KvResult>>)
    const give = (i: number) =>
      apply$.next({
        index: logIndex(i),
        term: term(1),
        command: encodeRequest({ caller: anonymous, command: put(`k${i}`, 'v'.repeat(100)) }),
      })
    for (let i = 1; i <= 10_000; i++) give(i)
    scheduler.runUntil(0)
    const before = store$.value
    const taken = record(take())
    let turns = 0
    const other = (): void => {
      if (++turns === 2) give(10_001)
      if (taken.values.length === 0) scheduler.schedule(other)
    }
    scheduler.schedule(other)
    scheduler.runUntil(0)
    expect(turns).toBeGreaterThan(10)
    expect(store$.value.appliedIndex).toBe(10_001)
    expect(taken.values.map(({ index }) => index)).toEqual([10_000])
    expect(Buffer.compare(taken.values[0]!.data, encodeSnapshot(before))).toBe(0)
  })

  it('makes no snapshot of what one holds already', () => {
    const { scheduler, take } = begun(EMPTY, storeOf(3))
    scheduler.runUntil(0)
    expect(record(take())).toMatchObject({ values: [], completed: true })
  })

  const whole = encodeSnapshot(storeOf(3))
  const changed = (at: number, to: number): Uint8Array => whole.map((byte, i) => (i === at ? to : byte))
  it.each([
    { what: 'that is none', data: bytes('a letter'), message: /^These bytes are no snapshot of a key\/value store/ },
    { what: 'of another version', data: changed(4, 9), message: /^This snapshot has format 9, this program reads format 1/ },
    { what: 'with a bad byte', data: changed(9, 0xff), message: /^The snapshot is damaged: .* Take it from another server\.$/ },
    { what: 'that was cut', data: whole.subarray(0, -1), message: /^The snapshot is damaged/ },
    { what: 'of a later index than it says', data: whole, index: 2, message: /^The snapshot of index 2 holds the store after index 3/ },
  ])('fails with a sentence on a snapshot $what', ({ data, index = 3, message }) => {
    const { scheduler, answers } = begun(EMPTY, emptyStore(), { index: logIndex(index), data })
    scheduler.runUntil(0)
    expect(answers.error).toMatchObject({ _tag: 'StateMachineFailed', message: expect.stringMatching(message) })
  })
})

it('a server stops with that sentence', () => {
  const scheduler = new VirtualScheduler()
  const storage = memoryStorage(['n1'])
  const run = () => {
    const server = createKvServer({
      id: 'n1',
      network: memoryNetwork({ scheduler }).join('n1'),
      storage,
      snapshots,
      scheduler,
      random: () => 0,
    })
    server.start()
    const stopped = record(server.raft.stopped$)
    scheduler.runUntil(scheduler.now() + 1_000)
    return { server, stopped }
  }
  const { server } = run()
  server.submit({ caller: anonymous, command: put('a') })
  scheduler.runUntil(scheduler.now() + 100)
  expect(server.raft.snapshot(2, bytes('a letter'))).toEqual({ _tag: 'Taking' })
  scheduler.runUntil(scheduler.now() + 100)
  server.kill()
  expect(run().stopped.values).toMatchObject([
    { _tag: 'StateMachineFailed', message: 'These bytes are no snapshot of a key/value store: give the bytes that encodeSnapshot made.' },
  ])
})

it('refuses snapshots that could never be taken', () => {
  const options = { id: 'n1', network: memoryNetwork().join('n1'), storage: memoryStorage(['n1']) }
  expect(() => createKvServer({ ...options, snapshots: { everyEntries: 0 } })).toThrow('snapshots.everyEntries')
  expect(() => createKvServer({ ...options, snapshots: { everyBytes: 1.5 } })).toThrow('snapshots.everyBytes')
  expect(() => createKvServer({ ...options, maxLogBytes: 16 << 20, snapshots: { everyBytes: 16 << 20 } })).toThrow('snapshots.everyBytes')
})
