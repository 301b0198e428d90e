import { afterEach, describe, expect, it } from '@jest/globals'
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { firstValueFrom, from, Subscription } from 'rxjs'
import { anonymous, type KvCommand, type KvRequest } from '../../src/kv/command.js'
import { key } from '../../src/kv/key.js'
import { encodeRequest } from '../../src/kv/requestCodec.js'
import { httpTransport } from '../../streams/kv/http/httpTransport.js'
import { createKvServer } from '../../streams/kv/server/kvServer.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { ask, errorOf, httpCluster, type HttpCluster, listen } from './httpCluster.js'

let cleanUp: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanUp) clean()
  cleanUp = []
})

const MiB = 1 << 20

const started = async (...options: Parameters<typeof httpCluster>) => {
  const cluster = await httpCluster(...options)
  cleanUp.push(() => cluster.close())
  const leader = await cluster.leader()
  return { cluster, leader, follower: [...cluster.servers.keys()].find((id) => id !== leader)! }
}

/** Values of 1 MiB under one prefix: more than the buffers of a connection take. */
const filled = async (options: Parameters<typeof httpCluster>[0] = {}, values = 12) => {
  const all = await started(options)
  for (let i = 0; i < values; i++)
    await all.cluster.ask(all.leader, { method: 'PUT', path: `/v1/kv/p${i}`, body: String(i % 10).repeat(MiB) })
  return all
}

/** A connection that writes, and reads only when it is told to. */
const connected = (url: string, text: string): Socket => {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  cleanUp.push(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.pause().write(text)
  return socket
}
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`
const range = '/v1/kv?prefix=p'

const metric = async (cluster: HttpCluster, id: string, name: string): Promise<number> => {
  const { text } = await cluster.ask(id, { path: '/metrics' })
  return Number(new RegExp(`^rxraft_${name.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(text)![1])
}
/** Asks until it is so: what a test waits for happens elsewhere. */
const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo()));
}
const answerBytes = (cluster: HttpCluster, id: string): Promise<number> => metric(cluster, id, 'http_answer_bytes')

describe('a range that is sent in slices', () => {
  it('is the JSON that it always was, in chunks, here and passed on', async () => {
    const { cluster, leader, follower } = await filled({}, 2)
    await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/p%C3%BC', body: 'short' })
    const [here, passedOn] = await Promise.all([leader, follower].map((id) => cluster.ask(id, { path: range })))
    const { revision, kvs, more } = JSON.parse(here!.text) as { revision: number; kvs: ReadonlyArray<{ value: string }>; more: boolean }
    expect(`${JSON.stringify({ revision, kvs, more })}\n`).toBe(here!.text)
    expect(kvs.map(({ value }) => Buffer.from(value, 'base64').toString())).toEqual(['0'.repeat(MiB), '1'.repeat(MiB), 'short'])
    expect([passedOn!.status, passedOn!.text === here!.text]).toEqual([200, true])
    for (const { headers } of [here!, passedOn!]) {
      expect(headers).toMatchObject({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
      expect(headers['content-length']).toBeUndefined()
    }
    expect(await answerBytes(cluster, leader)).toBe(0)
  })

  it('is refused with a status before it begins', async () => {
    const { cluster, follower } = await started()
    const refused = await cluster.ask(follower, { path: `${range}&revision=99` })
    expect([refused.status, errorOf(refused).tag]).toEqual([400, 'FutureRevision'])
  })
})

describe('clients that read nothing', () => {
  it('hold what they were to get, within the bound; beyond it reads are 503, writes are not', async () => {
    const { cluster, leader } = await filled({ maxAnswerBytes: 12 * MiB })
    const deaf = connected(cluster.urlOf(leader), get(range))
    await until(async () => (await answerBytes(cluster, leader)) > 12 * MiB)
    const refused = [await cluster.ask(leader, { path: range }), await cluster.ask(leader, { path: '/v1/kv/p1' })]
    expect(refused.map((answer) => [answer.status, errorOf(answer).tag, answer.headers['retry-after']])).toEqual([
      [503, 'NoRoom', '1'],
      [503, 'NoRoom', '1'],
    ])
    expect((await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/w', body: 'w' })).status).toBe(200)
    expect((await cluster.ask(leader, { method: 'HEAD', path: range })).status).toBe(200)
    expect((await cluster.ask(leader, { method: 'HEAD', path: '/v1/kv/p1' })).headers['content-length']).toBe(String(MiB))
    deaf.destroy()
    await until(async () => (await answerBytes(cluster, leader)) === 0)
    expect((await cluster.ask(leader, { path: range })).status).toBe(200)
  })

  it('count with what they hold of single values, too', async () => {
    const { cluster, leader } = await filled({ maxAnswerBytes: 2 * MiB }, 1)
    const deaf = [1, 2, 3, 4].map(() => connected(cluster.urlOf(leader), get('/v1/kv/p0').repeat(20)))
    await until(async () => (await answerBytes(cluster, leader)) >= MiB)
    await until(async () => (await cluster.ask(leader, { path: '/v1/kv/p0' })).status === 503)
    expect(await answerBytes(cluster, leader)).toBeLessThanOrEqual(2 * MiB + 5_000)
    for (const socket of deaf) socket.destroy()
    await until(async () => (await answerBytes(cluster, leader)) === 0)
  })

  it('are cut after a while, and hold nothing more', async () => {
    const { cluster, leader, follower } = await filled({ answerStallMs: 50 })
    for (const id of [leader, follower]) {
      const deaf = connected(cluster.urlOf(id), get(range))
      const closed = new Promise((resolve) => deaf.once('close', resolve))
      await until(async () => (await metric(cluster, id, 'http_answers_cut_total')) > 0)
      deaf.resume()
      await closed
      await until(async () => (await answerBytes(cluster, id)) === 0)
      expect(await metric(cluster, id, 'http_answers_cut_total')).toBeGreaterThan(0)
    }
  })

  it('of what another server answers, hold a slice or two here and all of it there', async () => {
    const { cluster, leader, follower } = await filled()
    connected(cluster.urlOf(follower), get(range))
    await until(async () => (await answerBytes(cluster, leader)) > 12 * MiB)
    await until(async () => (await answerBytes(cluster, follower)) > 0)
    expect(await answerBytes(cluster, follower)).toBeLessThan(200_000)
    // In the time that another reads all of it, nothing of what the first does not read has been fetched.
    expect((await cluster.ask(follower, { path: range })).body.length).toBeGreaterThan(16 * MiB)
    expect(await answerBytes(cluster, leader)).toBeGreaterThan(12 * MiB)
  })

  it('get everything when they go on reading', async () => {
    const { cluster, leader, follower } = await filled()
    for (const id of [leader, follower]) {
      const slow = connected(cluster.urlOf(id), get(range).replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'))
      await until(async () => (await answerBytes(cluster, leader)) > 12 * MiB)
      let length = 0
      slow.on('data', (chunk: Buffer) => (length += chunk.length)).resume()
      await new Promise((resolve) => slow.once('close', resolve))
      expect(length).toBeGreaterThan(16 * MiB)
    }
  })
})

describe('pipelined requests', () => {
  it('are carried out one after another: no answer is made before the one before it is sent', async () => {
    const { cluster, leader } = await filled()
    connected(cluster.urlOf(leader), get(range).repeat(40))
    await until(async () => (await answerBytes(cluster, leader)) > 12 * MiB)
    expect(await answerBytes(cluster, leader)).toBeLessThan(13 * MiB)
    expect(await metric(cluster, leader, 'http_requests')).toBe(0)
  })

  it('see what those before them wrote', async () => {
    const { cluster, leader } = await started()
    const put = 'PUT /v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nthere'
    const socket = connected(
      cluster.urlOf(leader),
      `${put}${get('/v1/kv/a')}${get('/healthz').replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')}`,
    )
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk))).resume()
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text).toMatch(/^HTTP\/1.1 200 [^]*"revision"[^]*HTTP\/1.1 200 [^]*\r\nthere[^]*HTTP\/1.1 200 [^]*"ok":true/)
  })

  it.each([
    ['on one connection', { maxPipelined: 2 }, 'maxPipelined'],
    ['on all of them', { maxRequests: 2 }, 'maxPipelined'],
  ])('beyond the bound %s close it', async (_, options, bound) => {
    const { cluster, leader } = await filled(options)
    const socket = connected(cluster.urlOf(leader), get(range).repeat(4))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    await closed
    expect(await metric(cluster, leader, `http_connections_refused_total{bound="${bound}"}`)).toBe(1)
    const within = connected(cluster.urlOf(leader), get('/healthz').repeat(3))
    const answered = new Promise<void>((resolve) => {
      let text = ''
      within.on('data', (chunk) => {
        text += String(chunk)
        if (text.split('"ok":true').length === 4) resolve()
      })
    })
    within.resume()
    await answered
  })
})

describe('HEAD', () => {
  it('of a range reads nothing', async () => {
    const living = new Subscription()
    cleanUp.push(() => living.unsubscribe())
    const server = createKvServer({ id: 'n1', network: memoryNetwork().join('n1'), storage: memoryStorage(['n1']) })
    living.add(() => server.kill())
    server.start()
    const asked: KvRequest[] = []
    const submit = (request: KvRequest) => {
      asked.push(request)
      return server.submit(request)
    }
    const { url } = await listen({ server: { ...server, submit }, port: 0 }, living)
    expect(await ask(url, { method: 'HEAD', path: range })).toMatchObject({ status: 200, text: '' })
    expect(asked).toMatchObject([{ command: { _tag: 'Range', limit: 0 } }])
  })

  it('is passed on as it is', async () => {
    const { cluster, leader, follower } = await started()
    const seen: unknown[] = []
    cluster.peers[leader] = await scripted((req, res) => {
      seen.push(req.method)
      res.writeHead(200, { 'content-length': 7, etag: '"5"' }).end()
    })
    expect(await cluster.ask(follower, { method: 'HEAD', path: '/v1/kv/a' })).toMatchObject({
      status: 200,
      text: '',
      headers: { etag: '"5"', 'content-length': '7' },
    })
    expect(seen).toEqual(['HEAD'])
  })
})

describe('an answer that is passed on', () => {
  it.each([
    ['of a known length', { 'content-length': 1_000_000 }],
    ['in chunks', {}],
  ])('%s breaks where the other server breaks off', async (_, headers) => {
    const { cluster, leader, follower } = await started()
    cluster.peers[leader] = await scripted((_, res) => void res.writeHead(200, headers).write('half', () => res.destroy()))
    await expect(cluster.ask(follower, { path: range })).rejects.toThrow(/aborted|hang up|ECONNRESET/)
    expect(await answerBytes(cluster, follower)).toBeLessThan(10)
  })

  it('ends where its client is gone', async () => {
    const { cluster, leader, follower } = await started()
    let left = (): void => undefined
    const gone = new Promise<void>((resolve) => (left = resolve))
    cluster.peers[leader] = await scripted((_, res) => void res.on('close', left).writeHead(200).write('half'))
    const request = httpRequest(`${cluster.urlOf(follower)}${range}`, { agent: false }, () => request.destroy())
    request.on('error', () => undefined).end()
    await gone
    expect(await answerBytes(cluster, follower)).toBeLessThan(10)
  })

  it('is told where it is one of a write, however little room there is', async () => {
    const { cluster, leader, follower } = await filled({ maxAnswerBytes: 1 })
    connected(cluster.urlOf(follower), get(range))
    await until(async () => (await answerBytes(cluster, follower)) > 100_000)
    expect((await cluster.ask(follower, { method: 'PUT', path: '/v1/kv/w', body: 'w' })).status).toBe(200)
    expect((await cluster.ask(leader, { path: '/v1/kv/w' })).status).toBe(503)
  })
})

describe('a batch', () => {
  it('whose replies find no room has reads asked again, and says of writes that they may have been done', async () => {
    const { cluster, leader } = await filled({ maxAnswerBytes: 12 * MiB })
    const transport = httpTransport()
    cleanUp.push(() => transport.close())
    const commands: ReadonlyArray<KvCommand> = [
      { _tag: 'Get', key: key('p3'), revision: null },
      { _tag: 'Put', key: key('p1'), value: new Uint8Array(1), prevKv: true },
      { _tag: 'Put', key: key('p2'), value: new Uint8Array(1), prevKv: false },
      { _tag: 'Get', key: key('absent'), revision: null },
    ]
    const send = () =>
      firstValueFrom(
        from(
          transport.send(
            cluster.urlOf(leader),
            commands.map((command) => encodeRequest({ caller: anonymous, command })),
          ),
        ),
      )
    const deaf = connected(cluster.urlOf(leader), get(range))
    await until(async () => (await answerBytes(cluster, leader)) > 12 * MiB)
    expect(await send()).toMatchObject({
      _tag: 'Answered',
      replies: [{ _tag: 'Overloaded', limit: 'maxAnswerBytes' }, { _tag: 'Indeterminate' }, { _tag: 'Written' }, { _tag: 'Got', kv: null }],
    })
    deaf.destroy()
    await until(async () => (await answerBytes(cluster, leader)) === 0)
    await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/p1', body: 'x'.repeat(MiB) })
    expect(await send()).toMatchObject({ replies: [{ kv: { value: { length: MiB } } }, { prevKv: { value: { length: MiB } } }, {}, {}] })
    await until(async () => (await answerBytes(cluster, leader)) === 0)
  })
})

/** The URL of a server that answers so. */
const scripted = async (answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> => {
  const server = createServer((req, res) => void req.resume().on('end', () => answer(req, res)))
  cleanUp.push(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
