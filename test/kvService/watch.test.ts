import { describe, expect, it } from '@jest/globals'
import { BehaviorSubject, Subject } from 'rxjs'
import { applyAll } from '../../src/kv/apply.js'
import { anonymous, type KvCommand, type TxnOp } from '../../src/kv/command.js'
import { revision } from '../../src/kv/ids.js'
import { everything, key, withPrefix } from '../../src/kv/key.js'
import { encodeRequest } from '../../src/kv/requestCodec.js'
import { emptyStore } from '../../src/kv/store.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { type Changes, WatchError, type WatchOptions, watchStore } from '../../streams/kv/server/watch.js'
import { bytes, dice, ids, record, text, virtualCluster } from './cluster.js'

/** A store that is written to, and its watches, in virtual time. */
const written = () => {
  const scheduler = new VirtualScheduler()
  const store$ = new BehaviorSubject(emptyStore())
  const execute = (...commands: ReadonlyArray<KvCommand>): void => {
    const { appliedIndex } = store$.value
    const entries = commands.map((command, i) => ({ index: appliedIndex + i + 1, command: encodeRequest({ caller: anonymous, command }) }))
    store$.next(applyAll(store$.value, entries).store)
  }
  const put = (name: string): TxnOp => ({ _tag: 'Put', key: key(name), value: bytes(name), prevKv: false })
  return {
    store$,
    execute,
    put,
    write: (...names: ReadonlyArray<string>) => execute(...names.map(put)),
    watch: (options: Partial<WatchOptions> = {}) => record(watchStore(store$, scheduler, { range: everything, ...options })),
    run: (forMs = 0) => scheduler.runUntil(scheduler.now() + forMs),
  }
}

const told = ({ values }: { readonly values: ReadonlyArray<Changes> }) =>
  values.flatMap(({ revision, changes }) => changes.map((change) => `${revision}:${change.key}`))

describe('a watch', () => {
  it('tells the past, then the present, each revision once', () => {
    const { write, watch, run } = written()
    write('a', 'b', 'c')
    const fromThree = watch({ fromRevision: revision(3) })
    const fromNow = watch()
    write('d')
    run()
    write('e')
    run()
    expect(told(fromThree)).toEqual(['3:b', '4:c', '5:d', '6:e'])
    expect(told(fromNow)).toEqual(['5:d', '6:e'])
  })

  it('waits for a revision that is yet to come', () => {
    const { write, watch, run } = written()
    const ahead = watch({ fromRevision: revision(4) })
    for (const name of ['a', 'b', 'c', 'd']) {
      write(name)
      run()
    }
    expect(told(ahead)).toEqual(['4:c', '5:d'])
  })

  it('tells all that one revision changed at once', () => {
    const { put, execute, watch, run } = written()
    const all = watch()
    execute({ _tag: 'Txn', compares: [], success: [put('a1'), put('b'), put('a2')], failure: [] })
    run()
    expect(all.values.map(({ revision, changes }) => [revision, changes.length])).toEqual([[2, 3]])
  })

  it('tells nothing of other keys', () => {
    const { put, execute, write, watch, run } = written()
    const some = watch({ range: withPrefix(key('a')) })
    execute({ _tag: 'Txn', compares: [], success: [put('a1'), put('b'), put('a2')], failure: [] })
    write('c', 'a', 'bb')
    run()
    expect(told(some)).toEqual(['2:a1', '2:a2', '4:a'])
  })

  it('takes a long past a slice at a time', () => {
    const { write, watch, run } = written()
    write(...Array.from({ length: 5_000 }, (_, i) => `k${i}`))
    const all = watch({ fromRevision: revision(1) })
    expect(all.values).toEqual([])
    run()
    expect(all.values.map(({ revision }) => revision)).toEqual(Array.from({ length: 5_000 }, (_, i) => i + 2))
  })

  it('stands still while it is paused, also in the middle of the past', () => {
    const { write, watch, run } = written()
    write('a', 'b', 'c')
    const paused$ = new Subject<boolean>()
    const all = watch({ fromRevision: revision(1), paused$ })
    const pausing = watch({ fromRevision: revision(1), paused$ })
    paused$.next(true)
    run()
    write('d')
    run()
    expect(told(all)).toEqual([])
    paused$.next(false)
    run()
    expect([all, pausing].map(told)).toEqual([
      ['2:a', '3:b', '4:c', '5:d'],
      ['2:a', '3:b', '4:c', '5:d'],
    ])
  })

  it('is cut where its reader is paused too long, and can be resumed without a gap', () => {
    const { write, watch, run } = written()
    const slow = watch({ fromRevision: revision(1), paused$: new BehaviorSubject(true), maxBehind: 3 })
    write('a', 'b')
    run()
    expect(slow.error).toBeUndefined()
    write('c', 'd')
    run()
    expect(slow.error).toBeInstanceOf(WatchError)
    expect(slow.error).toMatchObject({ reason: { _tag: 'TooSlow', maxBehind: 3, nextRevision: 1 } })
    const resumed = watch({ fromRevision: revision(1) })
    run()
    expect(told(resumed)).toEqual(['2:a', '3:b', '4:c', '5:d'])
  })

  it('fails with what is still there, where that was compacted away which it would tell next', () => {
    const { write, watch, execute, run } = written()
    write('a', 'b', 'c', 'd')
    const paused$ = new BehaviorSubject(true)
    const late = watch({ fromRevision: revision(2), paused$ })
    const inTime = watch({ fromRevision: revision(4), paused$ })
    execute({ _tag: 'Compact', revision: revision(4) })
    paused$.next(false)
    run()
    expect(told(late)).toEqual([])
    expect(late.error).toMatchObject({ reason: { _tag: 'Compacted', compactRevision: 4 }, message: expect.stringContaining('4') })
    expect(told(inTime)).toEqual(['4:c', '5:d'])
  })

  it('says how far it is, so that one who is told nothing can resume as well', () => {
    const { write, watch, run } = written()
    const quiet = watch({ range: withPrefix(key('z')), fromRevision: revision(2), progressMs: 10 })
    write('a', 'b')
    run(10)
    write('z')
    run(5)
    expect(quiet.values.map(({ revision, changes }) => [revision, changes.length])).toEqual([
      [1, 0],
      [3, 0],
      [4, 1],
    ])
  })
})

describe('a client that watches', () => {
  it.each([1, 2, 3])('is told everything once and in order, whichever servers crash or forget (seed %i)', (seed) => {
    const cluster = virtualCluster(seed, { compaction: { keepRevisions: 60, everyMs: 200 } })
    const random = dice(seed)
    cluster.run(1_000)
    const client = cluster.client({ timeoutMs: 60_000, watchIdleMs: 3_000 })
    const watched = record(client.watch('k', { fromRevision: 1 }))
    let next = 0
    const write = (): void => {
      if (next === 300) return
      client
        .execute({ _tag: 'Put', key: key(next % 3 === 0 ? 'other' : 'k'), value: bytes(String(next++)), prevKv: false })
        .subscribe(write)
    }
    for (let i = 0; i < 4; i++) write()
    for (let crashes = 0; crashes < 6; crashes++) {
      cluster.run(150)
      const id = ids[Math.floor(random() * ids.length)]!
      cluster.crash(id)
      cluster.run(100)
      cluster.start(id)
      cluster.run(900)
    }
    cluster.run(10_000)

    expect(watched.error).toBeUndefined()
    const found = watched.values.flatMap(({ events }) =>
      events.map((event) => (event._tag === 'Put' ? Number(text(event.item.value)) : null)),
    )
    const expected = Array.from({ length: 300 }, (_, i) => i).filter((i) => i % 3 !== 0)
    expect([...found].sort((a, b) => a! - b!)).toEqual(expected)
    const revisions = watched.values.map(({ revision }) => revision)
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
    expect(cluster.leader().store().compactRevision).toBeGreaterThan(200)
  })

  it('from now on misses nothing that is written after the call, though the server it asks knows little', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    const client = cluster.client()
    const before = record(client.execute({ _tag: 'Put', key: key('k'), value: bytes('before'), prevKv: false }))
    cluster.run(200)
    expect(before.values).toMatchObject([{ _tag: 'Done' }])
    const follower = ids.find((id) => id !== cluster.leader().id)!
    cluster.network.isolate(follower)
    cluster.run(2_000)
    // The reads go to the leader, the watch to a server that was cut off before the second write.
    record(client.execute({ _tag: 'Put', key: key('k'), value: bytes('meanwhile'), prevKv: false }))
    cluster.run(500)
    const watcher = cluster.client({ random: () => ids.indexOf(follower) / ids.length + 0.01 })
    const watched = record(watcher.watch('k'))
    cluster.run(500)
    record(client.execute({ _tag: 'Put', key: key('k'), value: bytes('after'), prevKv: false }))
    cluster.run(500)
    cluster.network.heal()
    cluster.run(3_000)
    expect(watched.values.map(({ events }) => events.map((event) => event._tag === 'Put' && text(event.item.value)))).toEqual([['after']])
  })

  it('is told that the past is gone, as an error that says from where to go on', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    const client = cluster.client()
    record(client.load(Array.from({ length: 20 }, (_, i) => ({ key: 'k', value: String(i) }))))
    cluster.run(200)
    record(client.execute({ _tag: 'Compact', revision: revision(10) }))
    cluster.run(200)
    const watched = record(client.watch('k', { fromRevision: 5 }))
    cluster.run(200)
    expect(watched.error).toMatchObject({ name: 'WatchError', reason: { _tag: 'Compacted', compactRevision: 10 } })
  })

  it('from half a revision is refused', () => {
    expect(() => virtualCluster().client().watch('k', { fromRevision: 1.5 })).toThrow('fromRevision')
  })

  it('goes to another server when one falls silent', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    const asked: string[] = []
    const { transport } = cluster
    const client = cluster.client({
      transport: {
        ...transport,
        watch: (id, ...rest) => {
          asked.push(id)
          return asked.length === 1 ? new Subject() : transport.watch(id, ...rest)
        },
      },
      watchIdleMs: 2_000,
    })
    const watched = record(client.watch('k'))
    cluster.run(1_000)
    record(client.execute({ _tag: 'Put', key: key('k'), value: bytes('v'), prevKv: false }))
    cluster.run(4_000)
    expect(asked).toHaveLength(2)
    expect(asked[0]).not.toBe(asked[1])
    expect(watched.values).toHaveLength(1)
  })
})
