import { afterEach, describe, expect, it } from '@jest/globals'
import { BehaviorSubject } from 'rxjs'
import type { Address } from '../../../src/raft/state/address.js'
import { type Configuration, votersOnly } from '../../../src/raft/state/configuration.js'
import { type Incarnation, nodeId } from '../../../src/raft/ids.js'
import { frameType } from '../../../streams/network/tcp/frame.js'
import { call, closeAll, greeting, hello, incarnationOf, messageFrame, nowhere, type Peer, start, vote } from './cluster.js'

afterEach(closeAll)

/** The configuration of members at these addresses, all with the data directory `a`. */
const members = (addresses: Readonly<Record<string, Address | null>>): Configuration => {
  const made = votersOnly(Object.entries(addresses).map(([id, peerAddress]) => ({ id: nodeId(id), ...(peerAddress && { peerAddress }) })))
  return { ...made, voters: made.voters.map((member) => ({ ...member, incarnation: incarnationOf('a') as Incarnation })) }
}

/** A server whose peers are told by its configuration alone. */
const following = async (id: string, configuration: Configuration) => {
  const configuration$ = new BehaviorSubject(configuration)
  return { server: await start(id, {}, {}, { incarnation: null, configuration$ }), configuration$ }
}
const isSending = (peer: string) => (metrics: Awaited<ReturnType<Peer['metrics']>>) =>
  metrics.peers.some((it) => it.peer === peer && it.sending)

describe('the address book of a server', () => {
  it('follows the configuration: a member that appears is called', async () => {
    const { server: n2 } = await following('n2', members({ n1: null, n2: null }))
    const { server: n1, configuration$ } = await following('n1', members({ n1: null }))
    n1.send(vote('n1', 'n2', 1))
    expect(await n1.event('Unreachable')).toEqual({ _tag: 'Unreachable', peer: 'n2' })
    configuration$.next(members({ n1: null, n2: n2.address }))
    await n1.metrics(isSending('n2'))
    n1.send(vote('n1', 'n2', 2))
    expect(await n2.received(1)).toEqual([2])
  })

  it('the same address again changes nothing', async () => {
    const { server: n2 } = await following('n2', members({ n1: null, n2: null }))
    const { server: n1, configuration$ } = await following('n1', members({ n1: null, n2: n2.address }))
    await n1.metrics(isSending('n2'))
    configuration$.next(members({ n1: null, n2: { ...n2.address }, n3: null }))
    n1.send(vote('n1', 'n2', 1))
    await n2.received(1)
    expect((await n1.metrics()).peers).toMatchObject([{ peer: 'n2', sending: true, attempts: 1, dropped: 0 }])
    expect(n1.events).toEqual([])
  })

  it('a member that moves is called at its new address, and what may be lost is told', async () => {
    const { server: before } = await following('n2', members({ n1: null, n2: null }))
    const { server: n1, configuration$ } = await following('n1', members({ n1: null, n2: before.address }))
    await n1.metrics(isSending('n2'))
    const { server: n2 } = await following('n2', members({ n1: null, n2: null }))
    configuration$.next(members({ n1: null, n2: n2.address }))
    expect(n1.events).toEqual([]) // not within the call
    expect(await n1.event('Unreachable')).toEqual({ _tag: 'Unreachable', peer: 'n2' })
    await n1.metrics(isSending('n2'))
    n1.send(vote('n1', 'n2', 2))
    expect(await n2.received(1)).toEqual([2])
    await before.metrics(({ connections }) => connections === 0)
  })

  it('a member that is removed is called no longer, and what waited for it is dropped', async () => {
    const { server: n1, configuration$ } = await following('n1', members({ n1: null, n2: nowhere }))
    await n1.metrics(({ peers }) => peers.length === 1)
    configuration$.next(members({ n1: null }))
    expect(await n1.event('Unreachable')).toEqual({ _tag: 'Unreachable', peer: 'n2' })
    expect((await n1.metrics()).peers).toEqual([])
    n1.send(vote('n1', 'n2', 1))
    await n1.event('Unreachable')
    expect((await n1.metrics()).peers).toEqual([])
  })

  it('goes by `peers` where these name a member: an operator can correct an address', async () => {
    const { server: n2 } = await following('n2', members({ n1: null, n2: null }))
    const configuration$ = new BehaviorSubject(members({ n1: null, n2: nowhere }))
    const n1 = await start('n1', { n2: n2.address }, {}, { incarnation: null, configuration$ })
    await n1.metrics(isSending('n2'))
    expect((await n1.metrics()).peers).toMatchObject([{ peer: 'n2', version: 3 }])
  })
})

describe('a server without an address', () => {
  it('is heard, and answered over the connection by which it called: one that is no member', async () => {
    const { server: n1 } = await following('n1', members({ n1: null }))
    const { server: n9 } = await following('n9', members({ n1: n1.address }))
    await n9.metrics(isSending('n1'))
    n9.send(vote('n9', 'n1', 1))
    expect(await n1.event('Received')).toEqual({ _tag: 'Received', message: vote('n9', 'n1', 1), incarnation: incarnationOf('a') })
    n1.send(vote('n1', 'n9', 2))
    expect(await n9.event('Received')).toEqual({ _tag: 'Received', message: vote('n1', 'n9', 2), incarnation: incarnationOf('a') })
  })

  it('is heard after it was removed, over the connection that it has', async () => {
    const n2 = { address: nowhere }
    const { server: n1, configuration$ } = await following('n1', members({ n1: null, n2: n2.address }))
    const caller = call(n1.address)
    caller.write(hello())
    await caller.json(frameType.welcome)
    configuration$.next(members({ n1: null }))
    caller.write(messageFrame(vote('n2', 'n1', 5)))
    expect(await n1.received(1)).toEqual([5])
    n1.send(vote('n1', 'n2', 6))
    await new Promise<void>((resolve) => {
      const look = (): void => (caller.frames.some(({ type }) => type === frameType.message) ? resolve() : void setImmediate(look))
      look()
    })
  })

  it('is forgotten when it goes: no name that a stranger makes up is kept', async () => {
    const { server: n1 } = await following('n1', members({ n1: null }))
    for (const from of ['n7', 'n8', 'n9'].map(nodeId)) {
      const caller = call(n1.address)
      caller.write(hello({ ...greeting, from }))
      await caller.json(frameType.welcome)
      caller.socket.destroy()
      await n1.metrics(({ connections }) => connections === 0)
    }
    n1.send(vote('n1', 'n9', 1))
    await n1.event('Unreachable')
    expect((await n1.metrics()).peers).toEqual([])
  })

  it('makes room for a member when there are too many connections', async () => {
    const configuration$ = new BehaviorSubject(members({ n1: null, n2: null }))
    const n1 = await start('n1', {}, { maxConnections: 2 }, { incarnation: null, configuration$ })
    const [n8, n9] = await Promise.all(
      ['n8', 'n9'].map(async (id) => {
        const caller = call(n1.address)
        caller.write(hello({ ...greeting, from: nodeId(id) }))
        await caller.json(frameType.welcome)
        return caller
      }),
    )
    const n2 = call(n1.address)
    n2.write(hello())
    await n2.json(frameType.welcome)
    const evicted = await Promise.race([n8!, n9!].map(async (caller) => ({ caller, code: await caller.json(frameType.close) })))
    expect(evicted.code).toEqual({ code: 'limit' })
    n2.write(messageFrame(vote('n2', 'n1', 1)))
    await n1.event('Received')
  })

  it('that is a member, before a leader has named its data directory, is refused with a sentence', async () => {
    const configuration$ = new BehaviorSubject<Configuration>(votersOnly([nodeId('n1'), nodeId('n2')]))
    const n1 = await start('n1', {}, {}, { incarnation: null, configuration$ })
    const n2 = call(n1.address)
    n2.write(hello())
    expect(await n2.json(frameType.close)).toEqual({ code: 'name' })
    expect((await n1.event('Rejected')).reason).toBe(
      'n1 has no address of n2, whose data directory no leader has named yet: add n2 to the peers of n1.',
    )
  })
})
