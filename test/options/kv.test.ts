import { afterAll, describe, expect, it } from '@jest/globals'
import { EMPTY, of } from 'rxjs'
import { key, withPrefix } from '../../src/kv/key.js'
import { defaultLimits, limitsFrom } from '../../src/kv/limits.js'
import { revision } from '../../src/kv/ids.js'
import { emptyStore } from '../../src/kv/store.js'
import { type Client, createClient } from '../../streams/kv/client/createClient.js'
import { type KvHttpOptions, tunedHttp } from '../../streams/kv/http/options.js'
import { httpTransport } from '../../streams/kv/http/httpTransport.js'
import { memoryTransport } from '../../streams/kv/memoryTransport.js'
import { createKvServer } from '../../streams/kv/server/kvServer.js'
import { kvStateMachine } from '../../streams/kv/server/stateMachine.js'
import { watchStore } from '../../streams/kv/server/watch.js'
import { checkedStep } from '../../src/raft/invariants.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { defaultTuning } from '../../streams/server/options.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { realClock } from '../../streams/time/clock.js'
import { outcomeOf, rowsOf } from './table.js'

const network = memoryNetwork()
const server = createKvServer({ id: 'n1', network: network.join('n1'), storage: memoryStorage(['n1']) })
const random = (): number => 0

const { scheduler, server: _, ...httpDefaults } = tunedHttp({ server, port: 0 })

const tables = [
  rowsOf({
    name: 'createClient',
    build: createClient,
    works: {
      transport: memoryTransport([server]),
      endpoints: ['n1'],
      timeoutMs: 1,
      attemptTimeoutMs: 1,
      backoffMs: { min: 1, max: 2 },
      maxInFlight: 1,
      maxQueued: 1,
      maxBatch: 1,
      maxBatchBytes: 1,
      maxBatchesInFlight: 1,
      session: true,
      watchIdleMs: 1,
      scheduler: realClock,
      random,
    },
    required: ['transport', 'endpoints'],
    wrong: {
      endpoints: [[5]],
      backoffMs: [
        { min: '1', max: 2 },
        { min: 3, max: 2 },
        { min: 0, max: 2 },
      ],
      timeoutMs: [0],
      transport: [{}],
    },
  }),
  rowsOf<KvHttpOptions>({
    name: 'kvHttp',
    build: tunedHttp,
    works: { ...httpDefaults, scheduler, server },
    required: ['server', 'port'],
    wrong: { port: [65_536], peers: [[], { n1: 5 }, { n1: 'n1:80' }], hostNames: [[5], ['http://db']], maxRequests: [0], server: [{}] },
  }),
  rowsOf({
    name: 'httpTransport',
    build: (options: Parameters<typeof httpTransport>[0] & object) => httpTransport(options).close(),
    works: { maxFreeSockets: 1, keepAliveMs: 1, maxAnswerBytes: 1 },
  }),
  rowsOf({
    name: 'memoryTransport',
    build: (options: Parameters<typeof memoryTransport>[1] & object) => memoryTransport([server], options),
    works: { scheduler: realClock, progressMs: 1 },
  }),
  rowsOf({
    name: 'kvStateMachine',
    build: kvStateMachine,
    works: { limits: {}, scheduler: realClock, maxAppliesPerSlice: 1 },
    wrong: { limits: Object.keys(defaultLimits).flatMap((name) => ['5', Number.NaN, -1, null].map((limit) => ({ [name]: limit }))) },
  }),
  rowsOf({
    name: 'watchStore',
    build: (options: Parameters<typeof watchStore>[2]) => watchStore(of(emptyStore()), realClock, options),
    works: { range: withPrefix(key('')), fromRevision: revision(1), paused$: EMPTY, maxBehind: 1, progressMs: 1 },
    required: ['range'],
  }),
  rowsOf({
    name: 'createKvServer',
    build: createKvServer,
    works: {
      ...defaultTuning,
      id: 'n1',
      network: network.join('n1'),
      storage: memoryStorage(['n1']),
      scheduler: realClock,
      random,
      step: checkedStep,
      limits: {},
      sessionTtlMs: 1,
      maxReads: 1,
      maxRangeKeys: 1,
      maxRangeBytes: 1,
      maxBatchReplyBytes: 1,
      snapshots: {},
      compaction: { keepRevisions: 0, everyMs: 1 },
    },
    required: ['id', 'network', 'storage'],
    nullable: ['compaction'],
    wrong: {
      compaction: [{ keepRevisions: '5', everyMs: 1 }, { keepRevisions: 5 }, { keepRevisions: 5, everyMs: 0 }],
      limits: [{ maxKeyBytes: '5' }],
      snapshots: [{ everyEntries: '5' }, { everyBytes: Number.NaN }],
    },
  }),
]

describe.each(tables)('options of $name: undefined is left out, another kind of value is InvalidOption', ({ rows }) => {
  it.each(rows)('$option', ({ tried, expected }) => {
    expect(tried()).toEqual(expected)
  })
})

describe('limits that are undefined are left out', () => {
  const none = Object.fromEntries(Object.keys(defaultLimits).map((name) => [name, undefined])) as object
  it('by the store', () => expect(limitsFrom(none)).toEqual(defaultLimits))
  it('by createKvServer', () => {
    const options = { id: 'n1', network: network.join('n1'), storage: memoryStorage(['n1']), limits: none }
    expect(outcomeOf(() => createKvServer(options))).toBe('works')
  })
})

describe('options of a call', () => {
  afterAll(() => client.close())
  const client = createClient({ transport: memoryTransport([server]), endpoints: ['n1'] })
  const wrong: ReadonlyArray<unknown> = ['5', Number.NaN, -1, 0, null]
  const withTimeout = (timeoutMs: unknown) => ({ timeoutMs }) as { readonly timeoutMs: number }

  it.each<[string, (client: Client, options: { readonly timeoutMs: number }) => Promise<unknown>]>([
    ['put', (made, options) => made.put('k', 'v', options)],
    ['append', (made, options) => made.append('k', 'v', options)],
    ['delete', (made, options) => made.delete('k', options)],
    ['compareAndSet', (made, options) => made.compareAndSet('k', 'v', { ...options, revision: 0 })],
    ['get', (made, options) => made.get('k', options)],
    ['range', (made, options) => made.range('k', options)],
  ])('%s rejects with InvalidOption', async (__, call) => {
    for (const value of wrong)
      await expect(call(client, withTimeout(value))).rejects.toMatchObject({ name: 'InvalidOption', option: 'timeoutMs' })
  })

  it.each<[string, string, (value: unknown) => unknown]>([
    ['execute', 'timeoutMs', (value) => client.execute({ _tag: 'Register' }, withTimeout(value))],
    ['scan', 'timeoutMs', (value) => client.scan('k', withTimeout(value))],
    ['load', 'timeoutMs', (value) => client.load([], withTimeout(value))],
    ['load', 'maxInFlight', (value) => client.load([], { maxInFlight: value } as object)],
    ['watch', 'fromRevision', (value) => client.watch('k', { fromRevision: value === 0 ? -1 : value } as object)],
  ])('%s throws InvalidOption: %s', (__, option, call) => {
    for (const value of wrong) expect(() => call(value)).toThrow(expect.objectContaining({ name: 'InvalidOption', option }))
  })

  it.each<[string, () => unknown]>([
    ['execute', () => client.execute({ _tag: 'Register' }, withTimeout(undefined))],
    ['scan', () => client.scan('k', withTimeout(undefined))],
    ['load', () => client.load([], { ...withTimeout(undefined), maxInFlight: undefined } as object)],
    ['watch', () => client.watch('k', { fromRevision: undefined } as object)],
  ])('%s takes undefined for an option that is left out', (__, call) => {
    expect(outcomeOf(call)).toBe('works')
  })
})
