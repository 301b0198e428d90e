import { describe, expect, it } from '@jest/globals'
import { defer, EMPTY, NEVER, of, repeat, tap, timer } from 'rxjs'
import type { KvCommand } from '../../src/kv/command.js'
import { revision } from '../../src/kv/ids.js'
import { key, single } from '../../src/kv/key.js'
import { type ClientError, createClient } from '../../streams/kv.js'
import type { Delivery, Transport } from '../../streams/kv/transport.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { bytes, ids, last, record, text, virtualCluster } from './cluster.js'
import { lossy } from './lossy.js'

const append = (value: string): KvCommand => ({ _tag: 'Append', key: key('log'), value: bytes(value), prevKv: false })
const get = (name: string): KvCommand => ({ _tag: 'Get', key: key(name), revision: null })
const put = (name: string, value = ''): KvCommand => ({ _tag: 'Put', key: key(name), value: bytes(value), prevKv: false })

describe('§8: "each client ... assign unique serial numbers to every command"', () => {
  it.each([1, 2, 3, 4])('appends 300 times, each once, while answers are lost and leaders crash (seed %i)', (seed) => {
    const cluster = virtualCluster(seed)
    cluster.run(1_000)
    const faults = { ...cluster, request: 0.1, answer: 0.2, duplicate: 0.2 }
    const { transport, counts } = lossy(cluster.transport, faults)
    const client = cluster.client({ transport, timeoutMs: 60_000, maxBatch: 8 })

    const outcomes = Array.from({ length: 300 }, (_, i) => record(client.execute(append(`${i},`))))
    for (let crashes = 0; crashes < 4; crashes++) {
      cluster.run(150)
      const { id } = cluster.leader()
      cluster.crash(id)
      cluster.run(300)
      cluster.start(id)
      cluster.run(1_500)
    }
    cluster.run(30_000)

    expect(outcomes.map(({ values }) => values[0]?._tag)).toEqual(outcomes.map(() => 'Done'))
    const kv = cluster.leader().store().keys.get(key('log'))!
    const found = text(kv.value).split(',').slice(0, -1).map(Number)
    expect(found.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i))
    expect(kv.version).toBe(300)
    expect(Math.min(counts.requests, counts.answers, counts.duplicates)).toBeGreaterThan(0)
  })

  it('a retry gets the answer that was lost', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    let answersLost = 0
    const { transport } = lossy(cluster.transport, { ...cluster, answer: 1 })
    const once: Transport = {
      ...cluster.transport,
      send: (...batch) => (answersLost++ === 1 ? transport : cluster.transport).send(...batch),
    }
    const client = cluster.client({ transport: once, endpoints: [cluster.leader().id] })
    const outcome = record(client.execute(put('a')))
    cluster.run(1_000)
    expect(answersLost).toBeGreaterThan(2) // the registration, the put, the put again
    expect(outcome.values).toEqual([{ _tag: 'Done', answer: { _tag: 'Written', revision: 2, prevKv: null } }])
    expect(cluster.leader().store().revision).toBe(2)
  })

  it('without a session nothing that may have arrived is sent again: its outcome is unknown', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    const { transport } = lossy(cluster.transport, { ...cluster, answer: 1 })
    const client = cluster.client({ transport, session: false, endpoints: [cluster.leader().id] })
    const outcome = record(client.execute(append('x')))
    cluster.run(1_000)
    expect(outcome.values).toMatchObject([{ _tag: 'Indeterminate' }])
    expect(text(cluster.leader().store().keys.get(key('log'))!.value)).toBe('x')
  })

  it('a session that ended is replaced, and what had not arrived goes under the new one', () => {
    const cluster = virtualCluster(1, { sessionTtlMs: 800 })
    cluster.run(1_000)
    const client = cluster.client()
    const first = record(client.execute(append('1')))
    cluster.run(3_000)
    expect(cluster.leader().store().clients.sessions.size).toBe(0)
    const second = record(client.execute(append('2')))
    cluster.run(300)
    expect([first, second].map(({ values }) => values[0]?._tag)).toEqual(['Done', 'Done'])
    expect(cluster.leader().store().clients.sessions.size).toBe(1)
    expect(text(cluster.leader().store().keys.get(key('log'))!.value)).toBe('12')
  })

  it('what may have arrived under a session that ended is unknown', () => {
    const cluster = virtualCluster(1, { sessionTtlMs: 800 })
    cluster.run(1_000)
    let sent = 0
    const { transport: deaf } = lossy(cluster.transport, { ...cluster, answer: 1, silent: true })
    const transport: Transport = { ...cluster.transport, send: (...batch) => (sent++ === 1 ? deaf : cluster.transport).send(...batch) }
    const client = cluster.client({ transport, attemptTimeoutMs: 3_000, endpoints: [cluster.leader().id] })
    const outcome = record(client.execute(append('1')))
    cluster.run(6_000)
    expect(outcome.values).toMatchObject([{ _tag: 'Indeterminate', message: expect.stringContaining('session') }])
  })
})

describe('a read', () => {
  it.each([1, 2, 3])('sees every write that was acknowledged before it began, whoever leads (seed %i)', (seed) => {
    const cluster = virtualCluster(seed)
    cluster.run(1_000)
    const writer = cluster.client({ timeoutMs: 30_000 })
    const reader = cluster.client({ timeoutMs: 30_000, endpoints: [...ids].reverse() })
    let acknowledged = 0
    let reads = 0
    const write = (n: number): void => {
      writer.execute(put('n', String(n))).subscribe((outcome) => {
        if (outcome._tag === 'Done') acknowledged = n
        if (n < 400) write(n + 1)
      })
    }
    const stale: string[] = []
    const read$ = defer(() => {
      const atLeast = acknowledged
      return reader.execute(get('n')).pipe(
        tap((outcome) => {
          if (outcome._tag !== 'Done' || outcome.answer._tag !== 'Got') return
          const seen = outcome.answer.kv === null ? 0 : Number(text(outcome.answer.kv.value))
          reads++
          if (seen < atLeast) stale.push(`${seen} where ${atLeast} was acknowledged`)
        }),
      )
    })
    write(1)
    read$.pipe(repeat({ delay: () => (acknowledged < 400 ? timer(1, cluster.scheduler) : EMPTY) })).subscribe()
    for (let i = 0; i < 5; i++) {
      cluster.run(200)
      // Cut off, the old leader goes on believing for a while that it leads; it must not answer.
      const { id } = cluster.leader()
      cluster.network.isolate(id)
      cluster.run(1_500)
      cluster.network.heal()
    }
    cluster.run(20_000)
    expect(stale).toEqual([])
    expect(acknowledged).toBe(400)
    expect(reads).toBeGreaterThan(100)
  })

  it('of which there are many in one turn puts one entry in the log', () => {
    const cluster = virtualCluster()
    cluster.run(1_000)
    const leader = cluster.leader()
    const before = last(leader.raft.state$)!.log.lastIndex
    const answers = Array.from({ length: 100 }, () => record(leader.submit({ caller: { _tag: 'Anonymous' }, command: get('a') })))
    cluster.run(100)
    expect(answers.every(({ values }) => values[0]?._tag === 'Got')).toBe(true)
    expect(last(leader.raft.state$)!.log.lastIndex - before).toBe(1)
  })

  it('of a whole range is cut at the bounds of the server, and scanned in pages as of one revision', () => {
    const cluster = virtualCluster(1, { maxRangeKeys: 7, maxRangeBytes: 40 })
    cluster.run(1_000)
    const client = cluster.client()
    const load = record(client.load(Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(i % 20) }))))
    cluster.run(500)
    expect(load.completed).toBe(true)
    const range: KvCommand = {
      _tag: 'Range',
      range: { start: key('k'), end: key('l') },
      limit: null,
      revision: null,
      keysOnly: false,
      count: false,
    }
    const whole = record(client.execute(range))
    const scanned = record(client.scan('k'))
    cluster.run(5)
    client.execute({ _tag: 'Delete', range: single(key('k9')), prevKv: false })
    cluster.run(500)
    expect(whole.values).toMatchObject([{ answer: { more: true } }])
    expect(scanned.completed).toBe(true)
    expect(scanned.values.map((item) => item.key)).toEqual(Array.from({ length: 50 }, (_, i) => `k${i}`).sort())
  })
})

describe('how an operation ends', () => {
  const silent: Transport = { send: () => NEVER, watch: () => NEVER }
  const answering = (delivery: Delivery): Transport => ({ ...silent, send: () => of(delivery) })
  const outcomeOf = (transport: Transport, command: KvCommand, session = true) => {
    const scheduler = new VirtualScheduler()
    const client = createClient({ transport, endpoints: ['a', 'b'], scheduler, timeoutMs: 5_000, session })
    const recorded = record(client.execute(command))
    scheduler.runUntil(10_000)
    return recorded.values
  }

  it.each([
    ['a read that nobody answers', silent, get('a'), true, 'Unavailable'],
    ['a write that nobody answers', silent, put('a'), false, 'Indeterminate'],
    ['a write for whose session nobody answers', silent, put('a'), true, 'Unavailable'],
    ['a write that never left', answering({ _tag: 'NeverSent', message: 'refused' }), put('a'), false, 'Unavailable'],
    ['a write that nobody leads', answering({ _tag: 'Misdirected', leader: null }), put('a'), false, 'Unavailable'],
    ['a write that was lost', answering({ _tag: 'Lost', message: 'reset' }), put('a'), false, 'Indeterminate'],
    ['a read that was lost', answering({ _tag: 'Lost', message: 'reset' }), get('a'), false, 'Unavailable'],
    ['a write at a busy server', answering({ _tag: 'Busy', message: 'busy' }), put('a'), false, 'Unavailable'],
    ['a write that was answered with too little', answering({ _tag: 'Answered', replies: [] }), put('a'), false, 'Indeterminate'],
    [
      'a write that the server lost track of',
      answering({ _tag: 'Answered', replies: [{ _tag: 'Indeterminate' }] }),
      put('a'),
      false,
      'Indeterminate',
    ],
    ['a write that the store refused', answering({ _tag: 'Answered', replies: [{ _tag: 'KeyEmpty' }] }), put(''), false, 'Refused'],
  ] as const)('%s', (_, transport, command, session, expected) => {
    expect(outcomeOf(transport, command, session)).toMatchObject([{ _tag: expected }])
  })

  it('sends smaller batches where they are too large, and gives up what is too large alone', () => {
    const scheduler = new VirtualScheduler()
    const sizes: number[] = []
    const transport: Transport = {
      ...silent,
      send: (_, requests) => {
        sizes.push(requests.length)
        const tooLarge = requests.length > 2 || requests.some((request) => request.length > 100)
        return of<Delivery>(
          tooLarge
            ? { _tag: 'TooLarge', message: 'Split it.' }
            : { _tag: 'Answered', replies: requests.map(() => ({ _tag: 'Written', revision: revision(2), prevKv: null })) },
        )
      },
    }
    const client = createClient({ transport, endpoints: ['a'], scheduler, session: false })
    const outcomes = ['1', '2', '3', '4', '5', 'x'.repeat(200)].map((value) => record(client.execute(put('a', value))))
    scheduler.runUntil(100)
    expect(outcomes.map(({ values }) => values[0]?._tag)).toEqual(['Done', 'Done', 'Done', 'Done', 'Done', 'Refused'])
    expect(sizes).toEqual([6, 3, 1, 1, 1, 1, 1, 1])
  })

  it('of those that wait beyond the bound, one more is refused at once', () => {
    const scheduler = new VirtualScheduler()
    const client = createClient({ transport: silent, endpoints: ['a'], scheduler, maxQueued: 2 })
    const outcomes = [1, 2, 3].map(() => record(client.execute(get('a'))))
    expect(outcomes.map(({ values }) => values[0]?._tag)).toEqual([undefined, undefined, 'Overloaded'])
  })

  it('closing tells what was never sent from what may have been done', () => {
    const scheduler = new VirtualScheduler()
    const client = createClient({ transport: silent, endpoints: ['a'], scheduler, session: false, maxInFlight: 1 })
    const outcomes = [put('a'), put('b')].map((command) => record(client.execute(command)))
    scheduler.runUntil(10)
    const watched = record(client.watch('a', { fromRevision: 1 }))
    client.close()
    expect([watched, record(client.watch('a'))].map(({ completed }) => completed)).toEqual([true, true])
    const late = record(client.execute(put('c')))
    expect([...outcomes, late].map(({ values }) => values[0]?._tag)).toEqual(['Indeterminate', 'Closed', 'Closed'])
  })

  it('of what is no command: it is refused before it is sent, and the others are not', () => {
    const scheduler = new VirtualScheduler()
    const client = createClient({
      transport: answering({ _tag: 'Answered', replies: [{ _tag: 'KeyEmpty' }] }),
      endpoints: ['a'],
      scheduler,
      session: false,
    })
    const half: KvCommand = { _tag: 'CompareAndSet', key: key('a'), modRevision: revision(1.5), value: bytes(''), prevKv: false }
    const outcomes = [half, put('')].map((command) => record(client.execute(command)))
    scheduler.runUntil(10)
    expect(outcomes.map(({ values }) => values)).toMatchObject([
      [{ _tag: 'Refused', refusal: { _tag: 'Malformed' } }],
      [{ _tag: 'Refused', refusal: { _tag: 'KeyEmpty' } }],
    ])
  })

  it('a promise rejects with what is known', async () => {
    const client = createClient({ transport: silent, endpoints: ['a'], maxQueued: 1 })
    const rejected = client.put('\ud800', 'half a pair').catch((error: unknown) => error as ClientError)
    expect(await rejected).toMatchObject({ name: 'ClientError', reason: { _tag: 'Refused', refusal: { _tag: 'Malformed' } } })
    client.close()
  })
})

describe('whom a client asks', () => {
  it('follows the hint to the leader, and goes round where there is none', () => {
    const scheduler = new VirtualScheduler()
    const asked: string[] = []
    const transport: Transport = {
      watch: () => NEVER,
      send: (endpoint) => {
        asked.push(endpoint)
        if (endpoint === 'c') return of<Delivery>({ _tag: 'Answered', replies: [{ _tag: 'Got', revision: 1 as never, kv: null }] })
        return of<Delivery>({ _tag: 'Misdirected', leader: endpoint === 'b' ? 'c' : null })
      },
    }
    const client = createClient({ transport, endpoints: ['a', 'b'], scheduler })
    const outcome = record(client.execute(get('k')))
    scheduler.runUntil(100)
    expect(outcome.values).toMatchObject([{ _tag: 'Done' }])
    expect(asked).toEqual(['a', 'b', 'c'])
    expect(last(client.endpoint$)).toBe('c')
  })

  it('two servers that each take the other for the leader make no storm', () => {
    const scheduler = new VirtualScheduler()
    let asked = 0
    const transport: Transport = {
      watch: () => NEVER,
      send: (endpoint) => {
        asked++
        return of<Delivery>({ _tag: 'Misdirected', leader: endpoint === 'a' ? 'b' : 'a' })
      },
    }
    const client = createClient({ transport, endpoints: ['a', 'b'], scheduler, timeoutMs: 10_000 })
    record(client.execute(get('k')))
    scheduler.runUntil(10_000)
    expect(asked).toBeLessThan(80)
  })
})
