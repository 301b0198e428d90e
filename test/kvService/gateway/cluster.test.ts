import { describe, expect, it } from '@jest/globals'
import { NEVER, of } from 'rxjs'
import type { Caller, KvRequest } from '../../../src/kv/command.js'
import { key } from '../../../src/kv/key.js'
import { emptyStore } from '../../../src/kv/store.js'
import { readKey } from '../../../src/kv/query.js'
import { gateway } from '../../../streams/kv/gateway/gateway.js'
import { VirtualScheduler } from '../../../streams/time/heapScheduler.js'
import { bytes, ids, record, text, virtualCluster } from '../cluster.js'
import { type MemoryAnswer, type MemoryGateway, memoryPeers } from './memoryPeers.js'

/** Three servers in virtual time, with a gateway before each. */
const gatewayCluster = (seed: number) => {
  const gateways = new Map<string, MemoryGateway>()
  const cluster = virtualCluster(seed)
  const { scheduler } = cluster
  const peers = memoryPeers((id) => (ids.some((known) => known === id) ? (gateways.get(id) ?? 'Gone') : undefined), scheduler)
  const options = { peers, scheduler, leaderWaitMs: 4_000, maxRequests: 1_000, maxWatches: 10, maxWatchBehind: 10, watchHeartbeatMs: 1_000 }
  const open = (id: string): void => {
    gateways.set(id, gateway<null, MemoryAnswer>({ ...options, server: cluster.server(id) }))
  }
  ids.forEach(open)
  return {
    ...cluster,
    gatewayOf: (id: string): MemoryGateway => gateways.get(id)!,
    crash: (id: string): void => {
      gateways.get(id)!.stop()
      gateways.delete(id)
      cluster.crash(id)
    },
    restart: (id: string): void => {
      cluster.start(id)
      open(id)
    },
    execute: (id: string, request: KvRequest) =>
      record(gateways.get(id)!.execute({ request, original: null, isForwarded: false, timeoutMs: 10_000 })),
  }
}

const append = (name: string, caller: Caller): KvRequest => ({
  caller,
  command: { _tag: 'Append', key: key('log'), value: bytes(`${name} `), prevKv: false },
})

describe('gateways before a cluster, without any protocol between them', () => {
  it('answer at every server what the leader answers', () => {
    const cluster = gatewayCluster(1)
    cluster.run(2_000)
    const outcomes = ids.map((id) => cluster.execute(id, append(id, { _tag: 'Once', idempotencyKey: key(id) })))
    cluster.run(200)
    const leader = cluster.leader().id
    expect(outcomes.map(({ values: [outcome] }) => outcome?._tag)).toEqual(ids.map((id) => (id === leader ? 'Replied' : 'Forwarded')))
    const others = ids.filter((id) => id !== leader)
    expect(others.map((id) => cluster.gatewayOf(id).counts().forwarded)).toEqual([1, 1])
    expect(cluster.gatewayOf(leader).counts().forwarded).toBe(0)
  })

  it.each([1, 2, 3, 4, 5])('do each write once, through changes of leader (seed %d)', (seed) => {
    const cluster = gatewayCluster(seed)
    const outcomes: { readonly name: string; readonly at: string; readonly outcome: ReturnType<typeof cluster.execute> }[] = []
    /** Servers, by the round in which they crashed: what they had not answered has no outcome. */
    const crashed = new Set<string>()
    cluster.run(2_000)
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 30; i++) {
        const name = `${round}.${i}`
        const at = cluster.servers()[i % cluster.servers().length]!.id
        outcomes.push({
          name,
          at: `${round} ${at}`,
          outcome: cluster.execute(at, append(name, { _tag: 'Once', idempotencyKey: key(name) })),
        })
        if (i === 10) cluster.network.isolate(cluster.leader().id)
        if (i === 20) cluster.network.heal()
        cluster.run(Math.floor(cluster.random() * 100))
      }
      cluster.run(4_000)
      const { id } = cluster.leader()
      cluster.crash(id)
      crashed.add(`${round} ${id}`)
      cluster.run(2_000)
      cluster.restart(id)
    }
    cluster.run(12_000)
    const log = readKey(cluster.leader().store(), { _tag: 'Get', key: key('log'), revision: null })
    const done = log._tag === 'Got' && log.kv !== null ? text(log.kv.value).trim().split(' ') : []
    expect(new Set(done).size).toBe(done.length)
    const acknowledged = outcomes.filter(({ outcome }) => outcome.values.some(({ _tag }) => _tag === 'Replied' || _tag === 'Forwarded'))
    expect(done).toEqual(expect.arrayContaining(acknowledged.map(({ name }) => name)))
    expect(acknowledged.length).toBeGreaterThan(100)
    expect(outcomes.filter(({ at, outcome }) => outcome.values.length !== 1 && !crashed.has(at))).toEqual([])
  })

  it('do not pass a request round where two take each other for the leader', () => {
    const scheduler = new VirtualScheduler()
    const gateways = new Map<string, MemoryGateway>()
    const hops: string[] = []
    const peers = memoryPeers((id) => {
      hops.push(id)
      return gateways.get(id)
    }, scheduler)
    const options = { peers, scheduler, leaderWaitMs: 1_000, maxRequests: 1, maxWatches: 1, maxWatchBehind: 1, watchHeartbeatMs: 1_000 }
    const store = emptyStore({})
    const before = (id: string, leader: string): MemoryGateway =>
      gateway<null, MemoryAnswer>({
        ...options,
        server: { id, raft: { leader$: of(leader) }, submit: () => NEVER, submitAll: () => NEVER, store: () => store, watch: () => NEVER },
      })
    gateways.set('n1', before('n1', 'n2')).set('n2', before('n2', 'n1'))
    const request = append('x', { _tag: 'Once', idempotencyKey: key('x') })
    const outcome = record(gateways.get('n1')!.execute({ request, original: null, isForwarded: false, timeoutMs: 10_000 }))
    scheduler.runUntil(1_000)
    expect(outcome.values).toEqual([{ _tag: 'NoLeader', waitedMs: 1_000 }])
    // One hop for each try, and one try for each sweep.
    expect(hops).toEqual(new Array(10).fill('n2'))
    expect(gateways.get('n2')!.counts()).toMatchObject({ requests: 0, forwarded: 0 })
  })
})
