import { afterEach, describe, expect, it } from '@jest/globals'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { firstValueFrom, from, take, toArray } from 'rxjs'
import { anonymous, type KvCommand } from '../../src/kv/command.js'
import { revision } from '../../src/kv/ids.js'
import { key } from '../../src/kv/key.js'
import { encodeRequest } from '../../src/kv/requestCodec.js'
import { encodeReplies, encodeRequests } from '../../streams/kv/batchCodec.js'
import { httpTransport } from '../../streams/kv/http/httpTransport.js'
import { createClient } from '../../streams/kv.js'
import type { Delivery } from '../../streams/kv/transport.js'
import { bytes, record, text } from './cluster.js'
import { errorOf, httpCluster, type HttpCluster } from './httpCluster.js'

let cleanUp: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanUp) clean()
  cleanUp = []
})
const started = async (...options: Parameters<typeof httpCluster>): Promise<HttpCluster> => {
  const cluster = await httpCluster(...options)
  cleanUp.push(() => cluster.close())
  return cluster
}
const transported = (): ReturnType<typeof httpTransport> => {
  const transport = httpTransport()
  cleanUp.push(() => transport.close())
  return transport
}
const urlOf = async (handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> => {
  const server = createServer(handle)
  cleanUp.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const put = (name: string): KvCommand => ({ _tag: 'Put', key: key(name), value: bytes(name), prevKv: false })
const requests = [encodeRequest({ caller: anonymous, command: put('a') })]
const send = (url: string, batch = requests): Promise<Delivery> => firstValueFrom(from(transported().send(url, batch)))

describe('a batch over HTTP', () => {
  it('is answered by the leader, request by request', async () => {
    const cluster = await started()
    const url = cluster.urlOf(await cluster.leader())
    const delivery = await send(url, [
      ...requests,
      encodeRequest({ caller: anonymous, command: { _tag: 'Get', key: key('nothing'), revision: null } }),
      bytes('junk'),
    ])
    expect(delivery).toMatchObject({
      _tag: 'Answered',
      replies: [{ _tag: 'Written', revision: 2 }, { _tag: 'Got' }, { _tag: 'Malformed' }],
    })
  })

  it('is told where the leader is by another', async () => {
    const cluster = await started()
    const leader = await cluster.leader()
    const other = [...cluster.servers.keys()].find((id) => id !== leader)!
    expect(await send(cluster.urlOf(other))).toEqual({ _tag: 'Misdirected', leader: cluster.urlOf(leader) })
  })

  it.each([
    ['beyond its bytes', { maxBatchBytes: 10 }, new Uint8Array(11), 413, 'BodyTooLarge'],
    ['beyond its requests', { maxBatch: 1 }, encodeRequests([bytes('a'), bytes('b')]), 400, 'BadBatch'],
    ['that makes no sense', {}, new Uint8Array([200]), 400, 'BadBatch'],
  ])('%s is refused', async (_, options, body, status, tag) => {
    const cluster = await started(options)
    const answer = await cluster.ask(await cluster.leader(), { method: 'POST', path: '/v1/batch', body })
    expect([answer.status, errorOf(answer).tag]).toEqual([status, tag])
  })

  it('that cannot be sent is known not to have been', async () => {
    const url = await urlOf(() => undefined)
    for (const clean of cleanUp.splice(0)) clean()
    expect(await send(url)).toMatchObject({ _tag: 'NeverSent', message: expect.stringContaining('ECONNREFUSED') })
  })

  it.each<[string, (req: IncomingMessage, res: ServerResponse) => void, Delivery['_tag']]>([
    ['whose connection breaks', (req) => void req.socket.destroy(), 'Lost'],
    ['whose answer breaks off', (_, res) => void res.writeHead(200, { 'content-length': 100 }).write('x', () => res.destroy()), 'Lost'],
    ['whose answer makes no sense', (_, res) => void res.end('what?'), 'Lost'],
    ['whose outcome the server does not know', (_, res) => void res.writeHead(504).end(), 'Lost'],
    ['at a server that fails', (_, res) => void res.writeHead(500).end(), 'Lost'],
    ['at a server that is overloaded', (_, res) => void res.writeHead(429).end(), 'Busy'],
    ['at a server that does not understand it', (_, res) => void res.writeHead(404).end(), 'NeverSent'],
    ['at a server for which it is too large', (_, res) => void res.writeHead(413).end(), 'TooLarge'],
    ['at a server that lost its lead', (_, res) => void res.end(encodeReplies([{ _tag: 'NotLeader', leader: 'n2' }])), 'Misdirected'],
  ])('%s', async (_, handle, tag) => {
    const url = await urlOf((req, res) => void req.resume().on('end', () => handle(req, res)))
    expect((await send(url))._tag).toBe(tag)
  })
})

describe('a watch over HTTP', () => {
  it('tells what the server tells, keys and values of any bytes included', async () => {
    const cluster = await started()
    const leader = await cluster.leader()
    const strange = key('\xff\x00')
    const server = cluster.servers.get(leader)!
    const write = (command: KvCommand) => firstValueFrom(server.submit({ caller: anonymous, command }))
    await write({ _tag: 'Put', key: strange, value: new Uint8Array([0, 255]), prevKv: false })
    await write({ _tag: 'Put', key: key('ü'), value: bytes('2'), prevKv: false })
    await write({ _tag: 'Delete', range: { start: strange, end: key('\xff\x01') }, prevKv: false })
    const messages = from(transported().watch(cluster.urlOf(leader), key(''), revision(2))).pipe(take(4), toArray())
    expect(await firstValueFrom(messages)).toEqual([
      { revision: 1, events: [] },
      {
        revision: 2,
        events: [{ _tag: 'Put', kv: { key: strange, value: new Uint8Array([0, 255]), createRevision: 2, modRevision: 2, version: 1 } }],
      },
      { revision: 3, events: [{ _tag: 'Put', kv: expect.objectContaining({ key: 'ü' }) }] },
      { revision: 4, events: [{ _tag: 'Delete', key: strange }] },
    ])
  })

  it.each<[string, (req: IncomingMessage, res: ServerResponse) => void, unknown]>([
    [
      'is refused for what was compacted',
      (_, res) => void res.writeHead(410).end('{"compactRevision":7}'),
      { _tag: 'Compacted', compactRevision: 7 },
    ],
    [
      'ends for what was compacted',
      (_, res) => void res.end('event: error\ndata: {"tag":"Compacted","compactRevision":8}\n\n'),
      { _tag: 'Compacted', compactRevision: 8 },
    ],
    ['is refused', (_, res) => void res.writeHead(429).end('{}'), { _tag: 'Disconnected' }],
    ['ends', (_, res) => void res.end(), { _tag: 'Disconnected' }],
    ['breaks', (req) => void req.socket.destroy(), { _tag: 'Disconnected' }],
    ['tells what makes no sense', (_, res) => void res.end('data: {"revision":-1,"events":[]}\n\n'), { _tag: 'Disconnected' }],
    ['tells no JSON', (_, res) => void res.end('data: {\n\n'), { _tag: 'Disconnected' }],
  ])('%s', async (_, handle, reason) => {
    const url = await urlOf(handle)
    const failed = firstValueFrom(from(transported().watch(url, key(''), null)))
    await expect(failed).rejects.toMatchObject({ name: 'WatchError', reason })
  })
})

describe('a client over HTTP', () => {
  it('loads everything once while leaders die, and watches it all', async () => {
    const cluster = await started()
    await cluster.leader()
    const client = createClient({ transport: transported(), endpoints: Object.values(cluster.peers), timeoutMs: 60_000 })
    cleanUp.push(() => client.close())
    const watched = record(client.watch('k', { fromRevision: 1 }))
    const entries = Array.from({ length: 3_000 }, (_, i) => ({ key: `k${i}`, value: String(i) }))
    let killed = false
    await new Promise<void>((resolve, reject) => {
      client.load(entries, { maxInFlight: 64 }).subscribe({
        next: ({ done }) => {
          if (killed || done < 1_000) return
          killed = true
          void cluster.leader().then((id) => {
            cluster.servers.get(id)!.kill()
            cluster.servers.delete(id)
          })
        },
        error: reject,
        complete: resolve,
      })
    })
    const leader = cluster.servers.get(await cluster.leader())!
    const { keys } = leader.store()
    expect(killed).toBe(true)
    expect(entries.map(({ key: name }) => keys.get(key(name))?.version)).toEqual(entries.map(() => 1))
    const item = await client.get('k7')
    expect(item).toMatchObject({ key: 'k7', version: 1 })
    expect(text(item!.value)).toBe('7')
    await expect(client.compareAndSet('k7', 'x', { revision: 1 })).resolves.toMatchObject({ _tag: 'Conflict', item: { key: 'k7' } })
    while (watched.values.length < 3_000) await client.get('k7')
    expect(new Set(watched.values.map(({ revision }) => revision)).size).toBe(3_000)
  })
})
