import { afterEach, describe, expect, it } from '@jest/globals'
import { type AddressInfo, createServer } from 'node:net'
import { firstValueFrom, from, NEVER } from 'rxjs'
import { commandEntry } from '../../../src/raft/state/entry.js'
import { logIndex, messageSeq, nodeId, term } from '../../../src/raft/ids.js'
import type { AppendEntries } from '../../../src/raft/messages.js'
import { VirtualScheduler } from '../../../streams/time/heapScheduler.js'
import type { Address } from '../../../src/raft/state/address.js'
import { messageFrameLength, messageHeaderBytes } from '../../../streams/network/tcp/frame.js'
import { tcpSettings } from '../../../streams/network/tcp/options.js'
import { tcpNetwork } from '../../../streams/network/tcp/tcpNetwork.js'
import { messageByteLength } from '../../../streams/wire/message.js'
import { call, closeAll, connected, host, incarnationOf, nowhere, pair, start, vote } from './cluster.js'

afterEach(closeAll)

const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

const append = (seq: number, commandBytes: number): AppendEntries => ({
  _tag: 'AppendEntries',
  from: nodeId('n1'),
  to: nodeId('n2'),
  seq: messageSeq(seq),
  term: term(1),
  leaderId: nodeId('n1'),
  prevLogIndex: logIndex(0),
  prevLogTerm: term(0),
  leaderCommit: logIndex(0),
  entries: [commandEntry(term(1), new Uint8Array(commandBytes).fill(seq))],
})

describe('two servers', () => {
  it('talk to each other, each over the connection it made', async () => {
    const [n1, n2] = await pair()
    n1.send(vote('n1', 'n2', 7))
    n2.send(vote('n2', 'n1', 8))
    expect(await n2.event('Received')).toEqual({ _tag: 'Received', message: vote('n1', 'n2', 7), incarnation: incarnationOf('a') })
    expect(await n1.event('Received')).toEqual({ _tag: 'Received', message: vote('n2', 'n1', 8), incarnation: incarnationOf('a') })
  })

  it('get thousands of messages in the order in which they were sent', async () => {
    const [n1, n2] = await pair()
    for (const i of upTo(4_000)) n1.send(vote('n1', 'n2', i))
    expect(await n2.received(4_000)).toEqual(upTo(4_000))
    const {
      peers: [out],
    } = await n1.metrics()
    expect(out).toMatchObject({ framesOut: 4_000, queuedMessages: 0, queuedBytes: 0, dropped: 0 })
  })

  it('get messages that are larger than anything a socket takes at once, unchanged', async () => {
    const [n1, n2] = await pair()
    for (const i of upTo(12)) n1.send(append(i, 1_000_000))
    expect(await n2.received(12)).toEqual(upTo(12))
    const commands = n2.events.flatMap((event) =>
      event._tag === 'Received' && event.message._tag === 'AppendEntries' ? event.message.entries : [],
    )
    expect(commands.map(({ command }) => [command.length, command.every((byte) => byte === command[0]), command[0]])).toEqual(
      upTo(12).map((i) => [1_000_000, true, i]),
    )
  })

  it('keep of a message no more memory than it needs', async () => {
    const [n1, n2] = await pair()
    for (const i of upTo(100)) n1.send(append(i, 200))
    await n2.received(100)
    for (const event of n2.events) {
      if (event._tag !== 'Received' || event.message._tag !== 'AppendEntries') continue
      expect(event.message.entries[0]!.command.buffer.byteLength).toBeLessThan(300)
    }
  })

  it('deliver nothing within the call that sent it', async () => {
    const [n1, n2] = await pair()
    n1.send(vote('n1', 'n2', 1))
    n1.send(vote('n1', 'nobody', 1))
    expect([...n1.events, ...n2.events]).toEqual([])
    expect(await n1.event('Unreachable')).toEqual({ _tag: 'Unreachable', peer: 'nobody' })
    await n2.received(1)
  })
})

describe('a peer that goes', () => {
  it('is Unreachable, and is found again when it comes back elsewhere', async () => {
    const peersOfN1: Record<string, Address> = { n2: nowhere }
    const n1 = await start('n1', peersOfN1)
    const first = await start('n2', { n1: n1.address })
    peersOfN1['n2'] = first.address
    await connected(n1)
    first.stop()
    expect(await n1.event('Unreachable')).toEqual({ _tag: 'Unreachable', peer: 'n2' })
    await n1.metrics(({ peers }) => peers[0]!.trouble !== null && !peers[0]!.receiving)

    const second = await start('n2', { n1: n1.address })
    peersOfN1['n2'] = second.address
    await connected(n1)
    n1.send(vote('n1', 'n2', 1))
    second.send(vote('n2', 'n1', 2))
    expect(await second.received(1)).toEqual([1])
    expect(await n1.received(1)).toEqual([2])
  })

  it('is called back at once when it calls, however long the back-off is', async () => {
    const peersOfN1: Record<string, Address> = { n2: nowhere }
    const n1 = await start('n1', peersOfN1, { scheduler: new VirtualScheduler() }) // time stands still
    await n1.metrics(({ peers }) => peers[0]!.trouble?.includes('ECONNREFUSED') === true)
    const n2 = await start('n2', { n1: n1.address })
    peersOfN1['n2'] = n2.address
    expect((await n1.metrics(({ peers }) => peers[0]!.sending)).peers[0]!.attempts).toBe(2)
  })

  it('loses what waited for it when an attempt fails, and that is told', async () => {
    const n1 = await start('n1', { n2: nowhere })
    n1.send(vote('n1', 'n2', 1))
    expect(await n1.event('Unreachable')).toEqual({ _tag: 'Unreachable', peer: 'n2' })
    const { peers } = await n1.metrics(({ peers }) => peers[0]!.dropped > 0)
    expect(peers).toMatchObject([{ peer: 'n2', sending: false, dropped: 1, queuedMessages: 0, queuedBytes: 0 }])
  })
})

describe('the queue of a peer', () => {
  /** n1, which has tried to reach n2, failed, and will not try again: its time stands still. */
  const alone = async (limits: Parameters<typeof start>[2], peers: Record<string, Address> = { n2: nowhere }) => {
    const time = new VirtualScheduler()
    const n1 = await start('n1', peers, { scheduler: time, ...limits })
    await n1.metrics(({ peers }) => peers[0]!.trouble?.includes('ECONNREFUSED') === true)
    return { n1, endTurn: () => time.runUntil(time.now()) }
  }

  it('takes its limit of messages; one more is dropped and told, and the first ones stay', async () => {
    const peersOfN1 = { n2: nowhere }
    const { n1, endTurn } = await alone({ maxQueueMessages: 3 }, peersOfN1)
    for (const i of upTo(3)) n1.send(vote('n1', 'n2', i))
    expect((await n1.metrics()).peers[0]).toMatchObject({ queuedMessages: 3, dropped: 0 })
    n1.send(vote('n1', 'n2', 3))
    n1.send(vote('n1', 'n2', 4))
    expect(n1.events).toEqual([])
    endTurn()
    expect((await n1.metrics()).peers[0]).toMatchObject({ queuedMessages: 3, dropped: 2 })
    expect(n1.events).toEqual([{ _tag: 'Unreachable', peer: 'n2' }])

    const n2 = await start('n2', { n1: n1.address })
    peersOfN1.n2 = n2.address
    expect(await n2.received(3)).toEqual([0, 1, 2])
  })

  it('takes its limit of bytes; one byte more is dropped and told', async () => {
    const framed = messageHeaderBytes + messageByteLength(append(0, 100))
    const { n1, endTurn } = await alone({ maxQueueBytes: 2 * framed })
    n1.send(append(0, 100))
    n1.send(append(1, 100))
    expect((await n1.metrics()).peers[0]).toMatchObject({ queuedBytes: 2 * framed, dropped: 0 })
    n1.send(vote('n1', 'n2', 2))
    endTurn()
    expect(n1.events).toEqual([{ _tag: 'Unreachable', peer: 'n2' }])

    const { n1: tight } = await alone({ maxQueueBytes: 2 * framed - 1 })
    tight.send(append(0, 100))
    tight.send(append(1, 100))
    expect((await tight.metrics()).peers[0]).toMatchObject({ queuedMessages: 1, dropped: 1 })
  })
})

describe('a message that is longer than a frame may be', () => {
  it('ends the network with a sentence, at the limit it does not', async () => {
    const limit = messageFrameLength(messageByteLength(append(1, 1_000)))
    const peersOfN1: Record<string, Address> = { n2: nowhere }
    const n1 = await start('n1', peersOfN1, { maxFrameBytes: limit })
    const n2 = await start('n2', { n1: n1.address }, { maxFrameBytes: limit })
    peersOfN1['n2'] = n2.address
    await connected(n1)
    n1.send(append(1, 1_000))
    expect(await n2.received(1)).toEqual([1])
    const ended = n1.event('Unreachable', () => false)
    n1.send(append(1, 1_001))
    await expect(ended).rejects.toMatchObject({
      _tag: 'NetworkFailed',
      peer: 'n2',
      message: expect.stringContaining('raise that on every server'),
    })
  })
})

describe('a term that no frame can hold', () => {
  it('ends the network with a sentence', async () => {
    const n1 = await start('n1', { n2: nowhere })
    const ended = n1.event('Unreachable', () => false)
    n1.send({ ...vote('n1', 'n2', 1), term: term(2 ** 48) })
    await expect(ended).rejects.toMatchObject({
      _tag: 'NetworkFailed',
      peer: 'n2',
      message: expect.stringContaining('Term 281474976710656 is beyond'),
    })
  })
})

describe('more entries than a message may have', () => {
  it('end the network with a sentence', async () => {
    const n1 = await start('n1', { n2: nowhere })
    const ended = n1.event('Unreachable', () => false)
    const {
      entries: [entry],
      ...rest
    } = append(1, 0)
    n1.send({ ...rest, entries: Array.from({ length: 16_385 }, () => entry!) })
    await expect(ended).rejects.toMatchObject({
      _tag: 'NetworkFailed',
      peer: 'n2',
      message: expect.stringContaining('lower maxEntriesPerMessage'),
    })
  })
})

describe('the port', () => {
  it('is free again when the network has ended', async () => {
    const n1 = await start('n1', {})
    n1.stop()
    const again = await start('n1', {}, { listen: n1.address })
    expect(again.address).toEqual(n1.address)
  })

  it('that is taken is an error that names it and says what to do', async () => {
    const n1 = await start('n1', {})
    const { port } = n1.address
    await expect(start('n2', {}, { listen: n1.address })).rejects.toEqual({
      _tag: 'AddressInUse',
      message: `Port ${port} of 127.0.0.1 is in use: stop the program that listens there (perhaps n2 runs already), or give n2 another port.`,
    })
  })

  it('of another machine is an error too', async () => {
    await expect(start('n1', {}, { listen: { host: '192.0.2.1', port: 7_501 } })).rejects.toMatchObject({
      _tag: 'NetworkFailed',
      message: expect.stringMatching(/^n1 cannot listen on 192\.0\.2\.1:7501 \(.*EADDRNOTAVAIL.*\): give it an address of this machine/),
    })
  })

  it('is opened by subscribing, not by making the network', async () => {
    const taken = createServer().listen(0, host)
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as AddressInfo
    const network = tcpNetwork({ id: 'n1', clusterId: 'test', incarnation: incarnationOf('a'), listen: { host, port }, peers: {} })
    taken.close()
    const run = from(network(NEVER)).subscribe()
    expect(await firstValueFrom(network.listening$)).toEqual({ host, port })
    run.unsubscribe()
  })
})

describe('a server among its own peers', () => {
  it('does not call itself', async () => {
    const n1 = await start('n1', { n1: nowhere, n2: nowhere })
    expect((await n1.metrics()).peers.map(({ peer }) => peer)).toEqual(['n2'])
  })
})

describe('unsubscribing', () => {
  it('forgets where it listened and what was to be sent', async () => {
    const n1 = await start('n1', { n2: nowhere }, { scheduler: new VirtualScheduler() })
    await n1.metrics(({ peers }) => peers[0]!.trouble?.includes('ECONNREFUSED') === true)
    n1.send(vote('n1', 'n2', 1))
    expect((await n1.metrics()).peers[0]!.queuedMessages).toBe(1)
    n1.stop()
    expect((await n1.metrics()).peers[0]).toMatchObject({ queuedMessages: 0, queuedBytes: 0 })
    const addresses: Address[] = []
    n1.network.listening$.subscribe((address) => addresses.push(address)).unsubscribe()
    expect(addresses).toEqual([])
  })

  it('closes every connection, those of strangers too', async () => {
    const [n1, n2] = await pair()
    const stranger = call(n1.address)
    await n1.metrics(({ connections }) => connections === 2)
    n1.stop()
    await stranger.closed
    expect(await n2.event('Unreachable')).toEqual({ _tag: 'Unreachable', peer: 'n1' })
    await n2.metrics(({ connections }) => connections === 0)
  })
})

describe('options', () => {
  const options = { id: 'n1', clusterId: 'test', incarnation: incarnationOf('a'), listen: { host, port: 0 }, peers: {} }
  it.each([
    ['id', { id: 'N 1' }],
    ['incarnation', { incarnation: 'x' }],
    ['clusterId', { clusterId: '' }],
    ['clusterId', { clusterId: 'c'.repeat(129) }],
    ['listen', { listen: { host, port: 65_536 } }],
    ['peers', { peers: { n2: { host, port: -1 } } }],
    ['peers', { peers: { N2: { host, port: 1 } } }],
    ['maxQueueBytes', { maxQueueBytes: 0.5 }],
    ['idleTimeoutMs', { idleTimeoutMs: 0 }],
    ['maxConnections', { maxConnections: '64' as never }],
    ['backoffMs', { backoffMs: { min: 1, max: Number.NaN } }],
    ['listen', { listen: undefined as never }],
    ['peers', { peers: { n2: { host: '', port: 1 } } }],
    ['peers', { peers: null as never }],
    ['clusterId', { clusterId: undefined as never }],
  ])('%s is checked', (option, wrong) => {
    expect(() => tcpNetwork({ ...options, ...wrong })).toThrow(expect.objectContaining({ name: 'InvalidOption', option }))
  })

  it('given as `undefined` are left out', () => {
    const { random, scheduler, ...numbers } = tcpSettings(options)
    const left = Object.fromEntries(Object.keys({ random, scheduler, ...numbers }).map((name) => [name, undefined]))
    expect(tcpSettings({ ...left, ...options })).toEqual(tcpSettings(options))
  })
})
