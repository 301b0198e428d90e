import { describe, expect, it } from '@jest/globals'
import { Subject } from 'rxjs'
import { anonymous, type Caller, type KvCommand } from '../../src/kv/command.js'
import { revision, serial, type SessionId } from '../../src/kv/ids.js'
import { key } from '../../src/kv/key.js'
import { encodeRequest } from '../../src/kv/requestCodec.js'
import type { KvResult } from '../../src/kv/result.js'
import { logIndex, term } from '../../src/raft/ids.js'
import type { Applied, ApplyMsg } from '../../streams/sinks/stateMachine.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { createKvServer } from '../../streams/kv/server/kvServer.js'
import { kvStateMachine } from '../../streams/kv/server/stateMachine.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { bytes, last, record, text, virtualCluster } from './cluster.js'

const put = (name: string, value = ''): KvCommand => ({ _tag: 'Put', key: key(name), value: bytes(value), prevKv: false })
const append = (value: string): KvCommand => ({ _tag: 'Append', key: key('log'), value: bytes(value), prevKv: false })
const get = (name: string): KvCommand => ({ _tag: 'Get', key: key(name), revision: null })
const once = (name: string): Caller => ({ _tag: 'Once', idempotencyKey: key(name) })
const under = (session: SessionId, n: number): Caller => ({ _tag: 'Session', session, serial: serial(n), firstUnanswered: serial(0) })

describe('the state machine', () => {
  it('applies what is handed over in one turn in the next, a slice at a time, and answers each command in order', () => {
    const scheduler = new VirtualScheduler()
    const { stateMachine, store$ } = kvStateMachine({ scheduler, maxAppliesPerSlice: 2 })
    const apply$ = new Subject<ApplyMsg>()
    const answers: Applied<KvResult>[] = []
    const stores: number[] = []
    store$.subscribe(({ revision }) => stores.push(revision))
    const answered = stateMachine(apply$, null) as Subject<Applied<KvResult>>
    answered.subscribe((answer) => {
      answers.push(answer)
      expect(store$.value.appliedIndex).toBeGreaterThanOrEqual(answer.index)
    })
    const command = (name: string) => encodeRequest({ caller: anonymous, command: put(name) })
    ;['a', 'b', 'c'].forEach((name, i) => apply$.next({ index: logIndex(i + 2), term: term(1), command: command(name) }))
    expect(answers).toEqual([])
    scheduler.runUntil(0)
    expect(answers.map(({ index }) => index)).toEqual([2, 3, 4])
    expect(stores).toEqual([1, 3, 4])
  })

  it('answers for bytes that are no command, and goes on', () => {
    const scheduler = new VirtualScheduler()
    const { stateMachine } = kvStateMachine({ scheduler })
    const apply$ = new Subject<ApplyMsg>()
    const recorded = record(stateMachine(apply$, null) as Subject<Applied<KvResult>>)
    apply$.next({ index: logIndex(1), term: term(1), command: new Uint8Array([99]) })
    scheduler.runUntil(0)
    expect(recorded.values).toMatchObject([{ index: 1, result: { _tag: 'Malformed' } }])
  })
})

describe('the replies to a batch', () => {
  const putAll = (cluster: ReturnType<typeof virtualCluster>): void => {
    for (const name of ['a', 'b', 'c']) cluster.leader().submit({ caller: anonymous, command: put(name, name) })
    cluster.run(500)
  }

  it('carry values up to a bound: later reads can be asked again, later writes were done', () => {
    const cluster = virtualCluster(1, { maxBatchReplyBytes: 1 })
    cluster.run(1_000)
    putAll(cluster)
    const batch = (...commands: ReadonlyArray<KvCommand>) => {
      const recorded = record(cluster.leader().submitAll(commands.map((command) => encodeRequest({ caller: anonymous, command }))))
      cluster.run(500)
      return recorded.values[0]
    }
    const full = { _tag: 'Overloaded', limit: 'maxBatchReplyBytes' }
    expect(batch(get('a'), get('b'), get('c'))).toMatchObject([{ kv: { key: 'a' } }, full, full])
    const writes = batch({ ...put('a'), prevKv: true } as KvCommand, { ...put('b', '2'), prevKv: true } as KvCommand, put('c'))
    expect(writes).toMatchObject([{ prevKv: { key: 'a' } }, { _tag: 'Indeterminate' }, { _tag: 'Written' }])
    expect(text(cluster.leader().store().keys.get(key('b'))!.value)).toBe('2')
  })

  it('come to a client all the same', () => {
    const cluster = virtualCluster(1, { maxBatchReplyBytes: 1 })
    cluster.run(1_000)
    putAll(cluster)
    const client = cluster.client()
    const outcomes = ['a', 'b', 'c', 'a'].map((name) => record(client.execute(get(name))))
    cluster.run(20_000)
    expect(outcomes.map(({ values }) => values[0])).toMatchObject(
      ['a', 'b', 'c', 'a'].map((name) => ({ _tag: 'Done', answer: { kv: { key: name } } })),
    )
  })
})

describe('a server', () => {
  it('has each request answered in its place', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    const requests = [put('a', '1'), get('a'), { _tag: 'Expire', unusedSince: 9, limit: 9 } as const, put('', '2')]
    const replies = record(
      cluster.leader().submitAll([...requests.map((command) => encodeRequest({ caller: anonymous, command })), new Uint8Array([7])]),
    )
    cluster.run(100)
    expect(replies.values.flat().map(({ _tag }) => _tag)).toEqual(['Written', 'Got', 'Malformed', 'KeyEmpty', 'Malformed'])
    expect(replies.completed).toBe(true)
  })

  it('answers nothing to no requests', () => {
    expect(record(virtualCluster().server('n1').submitAll([])).values).toEqual([[]])
  })

  it('that follows says who leads, for reads too', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    const leader = cluster.leader().id
    const follower = cluster.servers().find(({ id }) => id !== leader)!
    const replies = [put('a'), get('a')].map((command) => record(follower.submit({ caller: anonymous, command })))
    cluster.run(100)
    expect(replies.map(({ values }) => values)).toEqual([[{ _tag: 'NotLeader', leader }], [{ _tag: 'NotLeader', leader }]])
  })

  it('that is deposed says what it does not know of a write, and that a read was not done', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    const leader = cluster.leader()
    cluster.network.isolate(leader.id)
    const replies = [put('a'), get('a')].map((command) => record(leader.submit({ caller: anonymous, command })))
    cluster.run(2_000)
    cluster.network.heal()
    cluster.run(2_000)
    expect(replies.map(({ values }) => values.map(({ _tag }) => _tag))).toEqual([['Indeterminate'], ['NotLeader']])
  })

  it('takes so many reads and no more', () => {
    const cluster = virtualCluster(1, { maxReads: 3 })
    cluster.run(1_000)
    const replies = Array.from({ length: 4 }, () => record(cluster.leader().submit({ caller: anonymous, command: get('a') })))
    expect(replies[3]!.values).toEqual([{ _tag: 'Overloaded', limit: 'maxReads' }])
    cluster.run(100)
    expect(replies.slice(0, 3).every(({ values }) => values[0]?._tag === 'Got')).toBe(true)
    const again = record(cluster.leader().submit({ caller: anonymous, command: get('a') }))
    cluster.run(100)
    expect(again.values).toMatchObject([{ _tag: 'Got' }])
  })

  it('completes its streams when it stops', () => {
    const cluster = virtualCluster()
    const server = cluster.server('n1')
    cluster.run(1_000)
    const store = record(server.store$)
    const watched = record(server.watch({ range: { start: key(''), end: null } }))
    server.close()
    expect([store.completed, watched.completed]).toEqual([true, true])
  })

  it.each(['sessionTtlMs', 'maxReads', 'maxRangeKeys', 'maxRangeBytes'] as const)('refuses a %s that cannot work', (name) => {
    const options = { id: 'n1', network: memoryNetwork().join('n1'), storage: memoryStorage(['n1']) }
    expect(() => createKvServer({ ...options, [name]: 0 })).toThrow(name)
  })
})

describe('what clients leave behind', () => {
  const registered = (cluster: ReturnType<typeof virtualCluster>): SessionId => {
    const reply = record(cluster.leader().submit({ caller: anonymous, command: { _tag: 'Register' } }))
    cluster.run(100)
    const [answer] = reply.values
    if (answer?._tag !== 'Registered') throw new Error('not registered')
    return answer.session
  }

  it('a session that is not used ends after its time to live, on every server; one that is used stays', () => {
    const cluster = virtualCluster(1, { sessionTtlMs: 4_000 })
    cluster.run(1_000)
    const [idle, busy] = [registered(cluster), registered(cluster)]
    for (let n = 0; n < 7; n++) {
      cluster.leader().submit({ caller: under(busy, n), command: append('x') })
      cluster.run(1_000)
    }
    for (const server of cluster.servers()) {
      expect(server.store().clients.sessions.get(idle)).toBeUndefined()
      expect(server.store().clients.sessions.get(busy)).toBeDefined()
    }
  })

  it('not before: what is not used lives its whole time, and longer where the leader changes', () => {
    const cluster = virtualCluster(1, { sessionTtlMs: 4_000 })
    cluster.run(1_000)
    const idle = registered(cluster)
    cluster.run(3_000)
    cluster.crash(cluster.leader().id)
    cluster.run(3_900)
    expect(cluster.leader().store().clients.sessions.get(idle)).toBeDefined()
    cluster.run(2_500)
    expect(cluster.leader().store().clients.sessions.get(idle)).toBeUndefined()
  })

  it('all of them, however many they are', () => {
    const cluster = virtualCluster(1, { sessionTtlMs: 4_000 })
    cluster.run(1_000)
    for (let i = 0; i < 2_500; i++) cluster.leader().submit({ caller: once(`key-${i}`), command: put('k') })
    cluster.run(1_000)
    expect(cluster.leader().store().clients.idempotencyKeys.size).toBe(2_500)
    cluster.run(4_500)
    expect(cluster.leader().store().clients.idempotencyKeys.size).toBe(0)
  })

  it('and an idle cluster writes nothing more', () => {
    const cluster = virtualCluster(1, { sessionTtlMs: 1_000 })
    cluster.run(1_000)
    registered(cluster)
    cluster.run(3_000)
    const { lastIndex } = last(cluster.leader().raft.state$)!.log
    cluster.run(20_000)
    expect(last(cluster.leader().raft.state$)!.log.lastIndex).toBe(lastIndex)
  })

  it('an idempotency key makes a retried write apply once, through a change of leader, for its time to live', () => {
    const cluster = virtualCluster(1, { sessionTtlMs: 4_000 })
    cluster.run(1_000)
    const write = () => record(cluster.leader().submit({ caller: once('order-7'), command: append('x') }))
    const first = write()
    cluster.run(100)
    cluster.crash(cluster.leader().id)
    cluster.run(2_000)
    const second = write()
    cluster.run(100)
    expect(second.values).toEqual(first.values)
    const log = () => text(cluster.leader().store().keys.get(key('log'))!.value)
    expect(log()).toBe('x')
    const other = record(cluster.leader().submit({ caller: once('order-7'), command: append('y') }))
    cluster.run(100)
    expect(other.values).toEqual([{ _tag: 'DifferentCommand' }])
    cluster.run(6_000)
    write()
    cluster.run(100)
    expect(log()).toBe('xx')
  })

  it('a policy forgets old revisions, and keeps what it was told to keep', () => {
    const cluster = virtualCluster(1, { compaction: { keepRevisions: 10, everyMs: 500 } })
    cluster.run(1_000)
    for (let i = 0; i < 30; i++) cluster.leader().submit({ caller: anonymous, command: put('k', String(i)) })
    cluster.run(2_000)
    for (const server of cluster.servers()) expect(server.store()).toMatchObject({ revision: 31, compactRevision: 21 })
    const reads = [20, 21].map((at) =>
      record(cluster.leader().submit({ caller: anonymous, command: { _tag: 'Get', key: key('k'), revision: revision(at) } })),
    )
    cluster.run(100)
    expect(reads.map(({ values }) => values[0]?._tag)).toEqual(['Compacted', 'Got'])
  })
})
