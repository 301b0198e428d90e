import { afterEach, describe, expect, it } from '@jest/globals'
import { BehaviorSubject } from 'rxjs'
import { type Configuration, votersOnly } from '../../../src/raft/state/configuration.js'
import { nodeId } from '../../../src/raft/ids.js'
import type { NetworkUser } from '../../../streams/network/network.js'
import { frameOf, frameType } from '../../../streams/network/tcp/frame.js'
import {
  call,
  closeAll,
  connected,
  greeting,
  hello,
  incarnationOf,
  jsonFrame,
  messageFrame,
  named,
  nowhere,
  type Peer,
  type Raw,
  start,
  vote,
} from './cluster.js'

afterEach(closeAll)

const message = (sender: string, to: string, re: number): Uint8Array => messageFrame(vote(sender, to, re))
const alive = frameOf(frameType.alive, new Uint8Array(0))

/** n1, which knows n2. */
const n1Alone = (options: Parameters<typeof start>[2] = {}): Promise<Peer> => start('n1', { n2: nowhere }, options)

const expectRejectedOnce = async (
  n1: Peer,
  caller: Raw,
  expected: { readonly from: unknown; readonly kind: string; readonly reason: unknown },
  code: string = expected.kind,
): Promise<void> => {
  expect(await n1.event('Rejected')).toEqual({ _tag: 'Rejected', ...expected })
  // Nothing of what the operator is told: a stranger must not learn what to say next.
  expect(await caller.json(frameType.close)).toEqual({ code })
  await caller.closed
  expect(n1.events.filter(({ _tag }) => _tag === 'Rejected')).toHaveLength(1)
  expect((await n1.metrics(({ connections }) => connections === 0)).rejected).toEqual({
    frame: 0,
    message: 0,
    handshake: 0,
    limit: 0,
    [expected.kind]: 1,
  })
}

describe('somebody who is no server', () => {
  const anAddress = expect.stringMatching(/^127\.0\.0\.1:\d+$/)

  it.each([
    [
      'speaks HTTP',
      Buffer.from('GET / HTTP/1.1\r\nhost: n1\r\n\r\n'),
      'a frame of 542393671 bytes, where 1 to 4096 are allowed before a hello: this port is for rxraft servers',
    ],
    [
      'sends more noise than is read at once',
      Buffer.alloc(5 << 20, 0x9c),
      'a frame of 2627509404 bytes, where 1 to 4096 are allowed before a hello: this port is for rxraft servers',
    ],
    [
      'claims a length beyond the limit of a greeting',
      Buffer.from([0x01, 0x10, 0x00, 0x00]),
      'a frame of 4097 bytes, where 1 to 4096 are allowed before a hello: this port is for rxraft servers',
    ],
    ['sends a message first', message('n2', 'n1', 1), 'frame 5 has no place before a hello'],
    ['only says to be there', alive, 'frame 4 has no place before a hello'],
  ])('%s: is told, and rejected once', async (_, bytes, reason) => {
    const n1 = await n1Alone()
    const caller = call(n1.address)
    caller.write(bytes)
    await expectRejectedOnce(n1, caller, { from: anAddress, kind: 'frame', reason })
  })

  it('hangs up without a word: nobody minds', async () => {
    const n1 = await n1Alone()
    const caller = call(n1.address)
    await n1.metrics(({ connections }) => connections === 1)
    caller.socket.destroy()
    expect((await n1.metrics(({ connections }) => connections === 0)).rejected).toEqual({ frame: 0, message: 0, handshake: 0, limit: 0 })
  })

  it.each([
    [
      'version',
      { ...greeting, rxraft: 2, oldest: undefined },
      'version',
      /^n1 speaks version 3 of the protocol and was greeted in version 2/,
    ],
    ['cluster', { ...greeting, clusterId: 'shop' }, 'cluster', /^n1 belongs to cluster "test" and n2 to cluster "shop"/],
    ['receiver', { ...greeting, to: 'n3' }, 'name', /^this is n1, but n2 meant to reach "n3"/],
    ['constants', { ...greeting, constants: {} }, 'constants', /^maxFrameBytes is 16777216 at n1 and not set at n2/],
    [
      'data directory',
      { ...greeting, incarnation: incarnationOf('b') },
      'incarnation',
      /^n2 comes with the data directory b+, but a+ belongs/,
    ],
    ['shape', { ...greeting, from: 'N 2' }, 'frame', /^the greeting is not understood: from is a string of 3 characters, not NodeId/],
  ])('greets with a wrong %s: is told, and rejected once', async (_, wrong, code, reason) => {
    const n1 = await n1Alone()
    const caller = call(n1.address)
    caller.write(hello(wrong))
    const kind = code === 'frame' ? 'frame' : 'handshake'
    await expectRejectedOnce(n1, caller, { from: anAddress, kind, reason: expect.stringMatching(reason) }, code)
  })
})

describe('a server that was let in', () => {
  const admitted = async (options: Parameters<typeof start>[2] = {}) => {
    const n1 = await n1Alone(options)
    const n2 = call(n1.address)
    n2.write(hello(options.maxFrameBytes === undefined ? greeting : { ...greeting, constants: { maxFrameBytes: options.maxFrameBytes } }))
    expect(await n2.json(frameType.welcome)).toMatchObject({
      rxraft: 3,
      oldest: 3,
      clusterId: 'test',
      from: 'n1',
      to: 'n2',
      incarnation: incarnationOf('a'),
    })
    return { n1, n2 }
  }

  it('may send a byte at a time', async () => {
    const { n1, n2 } = await admitted()
    for (const byte of Buffer.concat([message('n2', 'n1', 1), alive, message('n2', 'n1', 2)])) {
      await new Promise((resolve) => n2.socket.write(Uint8Array.of(byte), resolve))
    }
    expect(await n1.received(2)).toEqual([1, 2])
  })

  it('may send many frames in one write', async () => {
    const { n1, n2 } = await admitted()
    n2.write(Buffer.concat(Array.from({ length: 500 }, (_, i) => message('n2', 'n1', i))))
    expect(await n1.received(500)).toEqual(Array.from({ length: 500 }, (_, i) => i))
  })

  it('may send frames up to the limit', async () => {
    const longest = message('n2', 'n1', 1)
    const { n1, n2 } = await admitted({ maxFrameBytes: longest.length - 4 })
    n2.write(longest)
    expect(await n1.received(1)).toEqual([1])
  })

  it.each([
    [
      'a longer frame',
      Buffer.concat([Uint8Array.of(101, 0, 0, 0), new Uint8Array(500)]),
      'frame',
      'a frame of 101 bytes, where 1 to 100 are allowed',
    ],
    [
      'what is no message',
      frameOf(frameType.message, Uint8Array.of(0, 0, 0, 0, 9, 9, 9)),
      'message',
      '3 bytes end in the middle of a message',
    ],
    ['half a group', frameOf(frameType.message, Uint8Array.of(0, 0, 0)), 'message', '3 bytes end in the middle of a group'],
    [
      'a message for a group',
      messageFrame(vote('n2', 'n1', 1), 7),
      'message',
      'it is for group 7, and this version of rxraft knows no group but 0',
    ],
    ['in the name of another', message('n3', 'n1', 1), 'message', 'from is n3, but the link is that of n2'],
    ['to another', message('n2', 'n3', 1), 'message', 'to is n3, but this is n1'],
    ['a second hello', hello(), 'frame', 'frame 1 has no place after a hello'],
    ['a frame of an unknown type', frameOf(99, new Uint8Array(1)), 'frame', 'frame 99 has no place after a hello'],
  ])('and sends %s: is told, and rejected once, whatever comes after', async (_, bytes, kind, reason) => {
    const { n1, n2 } = await admitted({ maxFrameBytes: kind === 'frame' && reason.includes('100') ? 100 : 16 << 20 })
    n2.write(Buffer.concat([message('n2', 'n1', 1), bytes, bytes, message('n2', 'n1', 2)]))
    await expectRejectedOnce(n1, n2, { from: 'n2', kind, reason })
    expect(n1.events.filter(({ _tag }) => _tag === 'Received')).toHaveLength(1)
  })

  it('and calls again has one connection, its last', async () => {
    const { n1, n2 } = await admitted()
    const again = call(n1.address)
    again.write(hello())
    await n2.closed
    again.write(message('n2', 'n1', 1))
    await n1.event('Received')
    expect(await n1.metrics(({ connections }) => connections === 1)).toMatchObject({ peers: [{ peer: 'n2', receiving: true }] })
    expect(n1.events.filter(({ _tag }) => _tag === 'Rejected')).toEqual([])
  })

  it('and comes back with another data directory is refused', async () => {
    const { n1 } = await admitted()
    const again = call(n1.address)
    again.write(hello({ ...greeting, incarnation: incarnationOf('b') }))
    expect((await n1.event('Rejected')).reason).toContain(
      `n2 comes with the data directory ${incarnationOf('b')}, but ${incarnationOf('a')} belongs to that name.`,
    )
  })

  it('and says why it hangs up is understood, and never quoted', async () => {
    const { n1, n2 } = await admitted()
    n2.write(jsonFrame(frameType.close, { code: 'cluster', reason: 'I do not like you' }))
    expect(await n1.event('Rejected')).toEqual({
      _tag: 'Rejected',
      from: 'n2',
      kind: 'handshake',
      reason: 'n2 hung up: n2 belongs to another cluster: correct its address, or the cluster of one of the two data directories.',
    })
  })
})

describe('before the first leader has named the data directories', () => {
  const anonymous = (): NetworkUser & { readonly configuration$: BehaviorSubject<Configuration> } => ({
    incarnation: null,
    configuration$: new BehaviorSubject<Configuration>(votersOnly([nodeId('n1'), nodeId('n2')])),
  })
  const messagesOf = ({ events }: Peer) => events.filter(({ _tag }) => _tag === 'Received')

  it('a caller whose address nobody has reached is welcome, and its messages are not believed', async () => {
    const n1 = await start('n1', { n2: nowhere }, {}, anonymous())
    const caller = call(n1.address)
    caller.write(Buffer.concat([hello(), message('n2', 'n1', 1)]))
    await caller.json(frameType.welcome)
    await n1.metrics(({ peers }) => peers[0]!.unauthenticated === 1)
    expect(messagesOf(n1)).toEqual([])
  })

  it('a caller is believed once the same data directory has answered at the address of its name, and told with its messages', async () => {
    const peersOfN1 = { n2: nowhere }
    const n1 = await start('n1', peersOfN1, {}, anonymous())
    const n2 = await start('n2', { n1: n1.address }, { incarnation: incarnationOf('b') }, anonymous())
    peersOfN1.n2 = n2.address
    await connected(n1)
    n2.send(vote('n2', 'n1', 7))
    expect(await n1.event('Received', ({ message }) => 're' in message && message.re === 7)).toMatchObject({
      incarnation: incarnationOf('b'),
    })
  })

  it('a false greeting teaches nothing: the server that owns the name is let in', async () => {
    const peersOfN1 = { n2: nowhere }
    const n1 = await start('n1', peersOfN1, {}, anonymous())
    const liar = call(n1.address)
    liar.write(hello({ ...greeting, incarnation: incarnationOf('f') }))
    await liar.json(frameType.welcome)
    const n2 = await start('n2', { n1: n1.address }, {}, anonymous())
    peersOfN1.n2 = n2.address
    await connected(n1)
    n2.send(vote('n2', 'n1', 1))
    await n1.event('Received')
    // It is contradicted, and goes.
    await liar.closed
    expect(messagesOf(n1)).toHaveLength(1)
  })

  it('a connection ends when the configuration comes to name another data directory', async () => {
    const user = anonymous()
    const n1 = await start('n1', { n2: nowhere }, {}, user)
    const caller = call(n1.address)
    caller.write(hello())
    await caller.json(frameType.welcome)
    user.configuration$.next(named({ n1: 'a', n2: 'b' }))
    expect(await caller.json(frameType.close)).toEqual({ code: 'incarnation' })
    expect(await n1.event('Rejected')).toMatchObject({ from: 'n2', kind: 'handshake' })
  })

  it('a server that we call ends likewise', async () => {
    const user = anonymous()
    const peersOfN1 = { n2: nowhere }
    const n1 = await start('n1', peersOfN1, {}, user)
    const n2 = await start('n2', { n1: n1.address }, {}, anonymous())
    peersOfN1.n2 = n2.address
    await connected(n1)
    user.configuration$.next(named({ n1: 'a', n2: 'b' }))
    expect((await n2.event('Rejected')).reason).toBe(
      'n1 hung up: another data directory belongs to the name n2, as n1 knows: start n2 with that one. A server that lost its disk must not vote under its old name again.',
    )
  })
})

describe('the number of connections', () => {
  it('is bounded: at the limit the oldest stranger makes room', async () => {
    const n1 = await n1Alone({ maxConnections: 2 })
    const strangers: Raw[] = []
    for (const count of [1, 2]) {
      strangers.push(call(n1.address))
      await n1.metrics(({ connections }) => connections === count)
    }
    const n2 = call(n1.address)
    n2.write(hello())
    await n2.json(frameType.welcome)
    await strangers[0]!.closed
    expect(await n1.event('Rejected')).toMatchObject({ kind: 'limit', reason: expect.stringContaining('made room for a newer connection') })
    expect((await n1.metrics(({ connections }) => connections === 2)).rejected.limit).toBe(1)
    expect(strangers[1]!.socket.destroyed).toBe(false)
  })

  it('is bounded for each address: its oldest stranger makes room, and strangers of other addresses stay', async () => {
    const n1 = await n1Alone({ maxConnectionsPerAddress: 2, listen: { host: '0.0.0.0', port: 0 } })
    const elsewhere = call(n1.address, '127.0.0.2')
    await n1.metrics(({ connections }) => connections === 1)
    const strangers: Raw[] = []
    for (const count of [2, 3]) {
      strangers.push(call(n1.address))
      await n1.metrics(({ connections }) => connections === count)
    }
    call(n1.address)
    await strangers[0]!.closed
    expect((await n1.metrics(({ connections }) => connections === 3)).rejected.limit).toBe(1)
    expect([elsewhere, strangers[1]!].map(({ socket }) => socket.destroyed)).toEqual([false, false])
  })

  it('is bounded for each address: where servers have all of them, a stranger is refused', async () => {
    const n1 = await n1Alone({ maxConnectionsPerAddress: 1 })
    const n2 = call(n1.address)
    n2.write(hello())
    await n2.json(frameType.welcome)
    const late = call(n1.address)
    expect(await late.json(frameType.close)).toEqual({ code: 'limit' })
    expect((await n1.event('Rejected')).reason).toBe(
      'all 1 connections that n1 takes from 127.0.0.1 are in use: raise maxConnectionsPerAddress',
    )
    await late.closed
    n2.write(message('n2', 'n1', 1))
    await n1.event('Received')
  })

  it('is bounded: when all are servers, a stranger is refused', async () => {
    const n1 = await n1Alone({ maxConnections: 1 })
    const n2 = call(n1.address)
    n2.write(hello())
    await n2.json(frameType.welcome)
    const late = call(n1.address)
    expect(await late.json(frameType.close)).toEqual({ code: 'limit' })
    expect((await n1.event('Rejected')).reason).toBe('all 1 connections of n1 are in use by servers: raise maxConnections')
    await late.closed
    n2.write(message('n2', 'n1', 1))
    await n1.event('Received')

    n2.socket.destroy()
    await n1.metrics(({ connections }) => connections === 0)
    const next = call(n1.address)
    await n1.metrics(({ connections }) => connections === 1)
    expect(next.frames).toEqual([])
    expect((await n1.metrics()).rejected.limit).toBe(1)
  })
})

describe('two servers that should not talk', () => {
  it.each<[string, Parameters<typeof start>[2], RegExp]>([
    ['of different clusters', { clusterId: 'shop' }, /belongs to (another )?cluster/],
    ['with different constants', { constants: { electionTimeoutMinMs: 150 } }, /give all servers of the cluster the same/],
    ['with different limits', { maxFrameBytes: 1_000 }, /give all servers of the cluster the same/],
  ])('%s: both say so', async (_, different, reason) => {
    const n1 = await n1Alone()
    const n2 = await start('n2', { n1: n1.address }, different)
    expect(await n1.event('Rejected')).toMatchObject({ kind: 'handshake', reason: expect.stringMatching(reason) })
    expect(await n2.event('Rejected')).toMatchObject({ from: 'n1', kind: 'handshake', reason: expect.stringMatching(reason) })
    expect([...n1.events, ...n2.events].filter(({ _tag }) => _tag === 'Received')).toEqual([])
  })

  it('because one has lost its disk: the other does not take it back', async () => {
    const peersOfN1 = { n2: nowhere }
    const n1 = await start('n1', peersOfN1)
    const first = await start('n2', { n1: n1.address })
    peersOfN1.n2 = first.address
    await connected(n1)
    first.stop()
    const second = await start('n2', { n1: n1.address }, { incarnation: incarnationOf('b') })
    peersOfN1.n2 = second.address
    expect(await second.event('Rejected')).toMatchObject({
      from: 'n1',
      kind: 'handshake',
      reason: expect.stringContaining('A server that lost its disk must not vote under its old name again'),
    })
    expect(await n1.event('Rejected')).toMatchObject({
      kind: 'handshake',
      reason: expect.stringContaining('n2 comes with the data directory'),
    })
    second.send(vote('n2', 'n1', 1))
    await second.event('Unreachable')
    expect(n1.events.filter(({ _tag }) => _tag === 'Received')).toEqual([])
  })

  it('because both are called the same', async () => {
    const n1 = await n1Alone()
    const other = call(n1.address)
    other.write(hello({ ...greeting, from: nodeId('n1') }))
    expect((await n1.event('Rejected')).reason).toBe(
      'there are two servers called n1: stop one of them, or give it another id and data directory.',
    )
  })
})
