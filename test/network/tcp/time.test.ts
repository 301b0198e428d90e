import { afterEach, describe, expect, it } from '@jest/globals'
import { type AddressInfo, createServer } from 'node:net'
import { firstValueFrom, from, NEVER, ReplaySubject, take, toArray } from 'rxjs'
import { VirtualScheduler } from '../../../streams/time/heapScheduler.js'
import { Backoff } from '../../../streams/network/tcp/backoff.js'
import { frameOf, frameType } from '../../../streams/network/tcp/frame.js'
import type { Address } from '../../../src/raft/state/address.js'
import { tcpNetwork } from '../../../streams/network/tcp/tcpNetwork.js'
import {
  call,
  closeAll,
  greeting,
  hello,
  host,
  incarnationOf,
  jsonFrame,
  messageFrame,
  nowhere,
  raw,
  type Raw,
  start,
  vote,
} from './cluster.js'

afterEach(closeAll)

const alive = frameOf(frameType.alive, new Uint8Array(0))
const welcome = jsonFrame(frameType.welcome, { ...greeting, from: 'n2', to: 'n1' })
const isAlive = ({ type }: { readonly type: number }): boolean => type === frameType.alive

/** A port that takes connections, for a server of which we are the rest. */
const port = async () => {
  const connection$ = new ReplaySubject<Raw>(100)
  const server = createServer((socket) => connection$.next(raw(socket)))
  server.listen(0, host)
  await new Promise((resolve) => server.once('listening', resolve))
  const address: Address = { host, port: (server.address() as AddressInfo).port }
  closing.push(() => server.close())
  return { address, connection: async (n: number) => (await firstValueFrom(connection$.pipe(take(n), toArray())))[n - 1]! }
}
const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

describe('a connection on which nothing arrives', () => {
  it('is given up by the one that called, which calls again: the peer may be half-open, stopped or cut off', async () => {
    const time = new VirtualScheduler()
    const n2 = await port()
    const n1 = await start('n1', { n2: n2.address }, { scheduler: time, idleTimeoutMs: 300 })
    const first = await n2.connection(1)
    await first.json(frameType.hello)
    first.write(welcome)
    await n1.metrics(({ peers }) => peers[0]!.sending)

    time.runUntil(time.now() + 299)
    expect(n1.events).toEqual([])
    time.runUntil(time.now() + 1)
    expect(n1.events).toEqual([{ _tag: 'Unreachable', peer: 'n2' }])
    expect((await n1.metrics()).peers[0]).toMatchObject({ sending: false, trouble: `${host}:${n2.address.port} was silent for 300 ms` })
    await first.closed
    expect(first.frames.filter(isAlive)).toHaveLength(2)

    time.runUntil(time.now() + 1_000)
    const second = await n2.connection(2)
    await second.json(frameType.hello)
  })

  it('is closed by the one that was called; what arrives keeps it open', async () => {
    const time = new VirtualScheduler()
    const n1 = await start('n1', { n2: nowhere }, { scheduler: time, idleTimeoutMs: 300, handshakeTimeoutMs: 500 })
    const n2 = call(n1.address)
    n2.write(hello())
    await n2.json(frameType.welcome)
    for (const count of [1, 2, 3]) {
      time.runUntil(time.now() + 299)
      n2.write(Buffer.concat([alive, messageFrame(vote('n2', 'n1', count))]))
      await n1.received(count)
    }
    expect((await n1.metrics()).connections).toBe(1)
    time.runUntil(time.now() + 400)
    await n2.closed
    await n1.metrics(({ connections }) => connections === 0)
    expect(n2.frames.some(isAlive)).toBe(true)
  })

  it('is not one on which the other end says that it is there', async () => {
    const time = new VirtualScheduler()
    const n2 = await port()
    const n1 = await start('n1', { n2: n2.address }, { scheduler: time, idleTimeoutMs: 300 })
    const connection = await n2.connection(1)
    await connection.json(frameType.hello)
    connection.write(welcome)
    await n1.metrics(({ peers }) => peers[0]!.sending)
    for (const count of [1, 2, 3]) {
      time.runUntil(time.now() + 299)
      connection.write(alive)
      await n1.metrics(({ peers }) => peers[0]!.bytesIn === welcome.length + count * alive.length)
    }
    expect(n1.events).toEqual([])
    time.runUntil(time.now() + 400)
    expect(n1.events).toEqual([{ _tag: 'Unreachable', peer: 'n2' }])
  })
})

describe('a deadline', () => {
  it('is set for the hello of somebody who called', async () => {
    const time = new VirtualScheduler()
    const n1 = await start('n1', { n2: nowhere }, { scheduler: time, handshakeTimeoutMs: 100 })
    const stranger = call(n1.address)
    stranger.write(Uint8Array.of(9, 0)) // the beginning of something
    await n1.metrics(({ connections }) => connections === 1)
    time.runUntil(time.now() + 99)
    expect(n1.events).toEqual([])
    time.runUntil(time.now() + 1)
    expect(n1.events).toMatchObject([{ _tag: 'Rejected', kind: 'handshake', reason: 'said no hello within 100 ms' }])
    expect(await stranger.json(frameType.close)).toEqual({ code: 'timeout' })
    await stranger.closed
  })

  it('is set for the end of somebody who was told to go and stays', async () => {
    const time = new VirtualScheduler()
    const n1 = await start('n1', {}, { scheduler: time, handshakeTimeoutMs: 100 })
    const stranger = call(n1.address)
    stranger.socket.pause()
    stranger.write(Buffer.alloc(100, 0xff))
    await n1.event('Rejected')
    expect((await n1.metrics()).connections).toBe(1)
    time.runUntil(time.now() + 100)
    await n1.metrics(({ connections }) => connections === 0)
  })

  it('is set for the welcome of a peer', async () => {
    const time = new VirtualScheduler()
    const n2 = await port()
    const n1 = await start('n1', { n2: n2.address }, { scheduler: time, handshakeTimeoutMs: 100 })
    const connection = await n2.connection(1)
    await connection.json(frameType.hello)
    time.runUntil(time.now() + 100)
    await connection.closed
    expect((await n1.metrics()).peers[0]).toMatchObject({
      sending: false,
      trouble: `${host}:${n2.address.port} did not welcome us within 100 ms`,
    })
  })

  it('is set for the connection itself', async () => {
    const time = new VirtualScheduler()
    const n2 = await port()
    const options = {
      id: 'n1',
      clusterId: 'test',
      incarnation: incarnationOf('a'),
      listen: { host, port: 0 },
      peers: { n2: n2.address },
      scheduler: time,
    }
    const network = tcpNetwork({ ...options, connectTimeoutMs: 100 })
    const run = from(network(NEVER)).subscribe()
    time.runUntil(100) // before the host had a turn to connect
    expect((await firstValueFrom(network.metrics$)).peers[0]).toMatchObject({
      attempts: 1,
      trouble: `${host}:${n2.address.port} did not answer within 100 ms`,
    })
    run.unsubscribe()
  })
})

describe('a peer that answers as it should not', () => {
  it.each([
    [
      'as another server',
      jsonFrame(frameType.welcome, { ...greeting, from: 'n3', to: 'n1' }),
      'name',
      /should be n2, but n3 answers there: correct the address\.$/,
    ],
    [
      'of another cluster',
      jsonFrame(frameType.welcome, { ...greeting, clusterId: 'shop' }),
      'cluster',
      /^n1 belongs to cluster "test" and n2 to cluster "shop"/,
    ],
    ['with an alive instead of a welcome', alive, 'frame', /^frame 4 has no place before a welcome$/],
    ['with two welcomes', Buffer.concat([welcome, welcome]), 'frame', /^frame 2 has no place after a welcome$/],
    ['with more noise than is read at once', Buffer.alloc(5 << 20, 0xff), 'frame', /^a frame of 4294967295 bytes/],
  ])('%s: is rejected once, told, and not called again soon', async (_, answer, code, reason) => {
    const time = new VirtualScheduler()
    const n2 = await port()
    const n1 = await start('n1', { n2: n2.address }, { scheduler: time, random: () => 0, backoffMs: { min: 1, max: 60_000 } })
    const connection = await n2.connection(1)
    await connection.json(frameType.hello)
    connection.write(answer)
    const kind = code === 'frame' ? 'frame' : 'handshake'
    expect(await n1.event('Rejected')).toEqual({ _tag: 'Rejected', from: 'n2', kind, reason: expect.stringMatching(reason) })
    expect(await connection.json(frameType.close)).toEqual({ code })
    await connection.closed

    time.runUntil(time.now() + 59_999)
    expect((await n1.metrics()).peers[0]!.attempts).toBe(1)
    time.runUntil(time.now() + 1)
    expect((await n1.metrics()).peers[0]!.attempts).toBe(2)
    expect(n1.events.filter(({ _tag }) => _tag === 'Rejected')).toHaveLength(1)
  })

  it('with a close: its code is understood', async () => {
    const n2 = await port()
    const n1 = await start('n1', { n2: n2.address }, { scheduler: new VirtualScheduler() })
    const connection = await n2.connection(1)
    connection.write(jsonFrame(frameType.close, { code: 'limit' }))
    expect(await n1.event('Rejected')).toEqual({
      _tag: 'Rejected',
      from: 'n2',
      kind: 'limit',
      reason: 'n2 hung up: n2 takes no more connections: see who else calls it, or raise its maxConnections.',
    })
  })
})

describe('writing', () => {
  it('sends what one turn brings in one piece, and nothing before the turn ends', async () => {
    const time = new VirtualScheduler()
    const n2 = await port()
    const n1 = await start('n1', { n2: n2.address }, { scheduler: time })
    const connection = await n2.connection(1)
    await connection.json(frameType.hello)
    connection.write(welcome)
    await n1.metrics(({ peers }) => peers[0]!.sending)
    for (const re of [1, 2, 3]) n1.send(vote('n1', 'n2', re))
    expect((await n1.metrics()).peers[0]).toMatchObject({ queuedMessages: 3, framesOut: 0 })

    const chunk = new Promise<Buffer>((resolve) => connection.socket.once('data', resolve))
    time.runUntil(time.now())
    expect((await n1.metrics()).peers[0]).toMatchObject({ queuedMessages: 0, framesOut: 3 })
    const frame = messageFrame(vote('n1', 'n2', 1))
    expect((await chunk).length).toBe(3 * frame.length)
  })
})

describe('ending', () => {
  it('leaves no timer behind', async () => {
    const time = new VirtualScheduler()
    const [n2, silent] = [await port(), await port()]
    const n1 = await start('n1', { n2: n2.address, n3: silent.address }, { scheduler: time })
    const connection = await n2.connection(1)
    connection.write(welcome)
    await silent.connection(1)
    const [caller, stranger, refused] = [call(n1.address), call(n1.address), call(n1.address)]
    caller.write(hello())
    refused.write(Buffer.alloc(4, 0xff))
    await refused.closed
    await n1.metrics(({ connections, peers }) => connections === 2 && peers[0]!.sending && peers[0]!.receiving)
    n1.stop()
    await Promise.all([connection, caller, stranger].map(({ closed }) => closed))
    expect(time.step()).toBe(false)
  })
})

describe('after a connection was lost', () => {
  it('the peer is called again soon, then less often, and soon again when a connection has lasted', async () => {
    const time = new VirtualScheduler()
    const n2 = await port()
    const n1 = await start('n1', { n2: n2.address }, { scheduler: time, random: () => 0, backoffMs: { min: 10, max: 100 } })
    const attempts = async (): Promise<number> => (await n1.metrics()).peers[0]!.attempts
    for (const [lastsMs, backoffMs] of [
      [0, 10],
      [99, 20],
      [100, 10],
      [0, 20],
    ] as const) {
      const before = await attempts()
      const connection = await n2.connection(before)
      connection.write(welcome)
      await n1.metrics(({ peers }) => peers[0]!.sending)
      time.runUntil(time.now() + lastsMs)
      connection.socket.destroy()
      await n1.metrics(({ peers }) => !peers[0]!.sending)
      time.runUntil(time.now() + backoffMs - 1)
      expect(await attempts()).toBe(before)
      time.runUntil(time.now() + 1)
      expect(await attempts()).toBe(before + 1)
    }
  })
})

describe('the back-off', () => {
  it('doubles from min to max, less a random half, and starts over when told to', () => {
    const dice = [0, 0, 0, 0.999, 0.5, 0, 0]
    const backoff = new Backoff({ min: 50, max: 300, random: () => dice.shift()! })
    expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).toEqual([50, 100, 200, 151, 225])
    backoff.reset()
    expect(backoff.nextMs()).toBe(50)
    backoff.exhaust()
    expect(backoff.nextMs()).toBe(300)
  })
})
