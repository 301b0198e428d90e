import { afterEach, describe, expect, it } from '@jest/globals'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcp, type Server } from 'node:net'
import { Subscription } from 'rxjs'
import { anonymous } from '../../src/kv/command.js'
import { key } from '../../src/kv/key.js'
import { encodeRequest } from '../../src/kv/requestCodec.js'
import { encodeRequests } from '../../streams/kv/batchCodec.js'
import { kvHttp } from '../../streams/kv/http/http.js'
import { tunedHttp } from '../../streams/kv/http/options.js'
import { createKvServer } from '../../streams/kv/server/kvServer.js'
import { memoryNetwork } from '../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../streams/storage/memory/memoryStorage.js'
import { ask, errorOf, httpCluster, type HttpCluster, listen } from './httpCluster.js'

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
const followerOf = async (cluster: HttpCluster): Promise<{ leader: string; follower: string }> => {
  const leader = await cluster.leader()
  return { leader, follower: [...cluster.servers.keys()].find((id) => id !== leader)! }
}
const urlAt = async (server: Server): Promise<string> => {
  cleanUp.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
/** A server of HTTP that does what it is told with each request in turn. */
const scripted = async (...turns: ReadonlyArray<(req: IncomingMessage, res: ServerResponse) => void>) => {
  const seen: string[] = []
  const server = createServer((req, res) => {
    seen.push(`${req.method} ${req.url} ${String(req.headers['rxraft-forwarded'])}`)
    req.resume().on('end', () => turns[Math.min(seen.length, turns.length) - 1]!(req, res))
  })
  return { url: await urlAt(server), seen }
}
const hangUp = (req: IncomingMessage): void => void req.socket.destroy()
const answer =
  (status: number, body = '{}') =>
  (_: IncomingMessage, res: ServerResponse): void =>
    void res.writeHead(status).end(body)

const put = { method: 'PUT', path: '/v1/kv/a', body: 'v' }

describe('503: no leader was found in time, and nothing was done', () => {
  it('where there is none', async () => {
    const cluster = await started({ leaderWaitMs: 150 }, { running: ['n1'] })
    const answers = [await cluster.ask('n1', put), await cluster.ask('n1', { path: '/v1/kv/a' })]
    expect(answers.map((answer) => [answer.status, errorOf(answer).tag, answer.headers['retry-after']])).toEqual([
      [503, 'NoLeader', '1'],
      [503, 'NoLeader', '1'],
    ])
    const health = await cluster.ask('n1', { path: '/healthz' })
    expect([health.status, errorOf(health).tag]).toEqual([503, 'NoLeader'])
    const batch = await cluster.ask('n1', { method: 'POST', path: '/v1/batch', body: new Uint8Array([0]) })
    expect([batch.status, batch.headers['rxraft-leader']]).toEqual([421, undefined])
  })

  it('where the leader cannot be reached', async () => {
    const cluster = await started({ leaderWaitMs: 300 })
    const { leader, follower } = await followerOf(cluster)
    const nobody = createTcp()
    cluster.peers[leader] = await urlAt(nobody)
    nobody.close()
    const answered = await cluster.ask(follower, put)
    expect([answered.status, errorOf(answered).tag]).toEqual([503, 'NoLeader'])
    expect(cluster.servers.get(leader)!.store().revision).toBe(1)
  })

  it('where nobody knows where the leader answers', async () => {
    const cluster = await started({ leaderWaitMs: 150 })
    const { leader, follower } = await followerOf(cluster)
    Reflect.deleteProperty(cluster.peers, leader)
    expect((await cluster.ask(follower, put)).status).toBe(503)
  })

  it('but a request waits for one that is elected meanwhile', async () => {
    const network = memoryNetwork()
    const living = new Subscription()
    cleanUp.push(() => living.unsubscribe())
    const storage = () => memoryStorage(['n1', 'n2'])
    const n1 = createKvServer({ id: 'n1', network: network.join('n1'), storage: storage() })
    const never = { min: 1_000_000, max: 1_000_000 }
    const n2 = createKvServer({ id: 'n2', network: network.join('n2'), storage: storage(), electionTimeoutMs: never })
    living.add(() => [n1, n2].forEach((server) => server.kill()))
    n1.start()
    const { url } = await listen({ server: n1, port: 0, leaderWaitMs: 60_000, answerTimeoutMs: 60_000 }, living)
    const answered = ask(url, put)
    expect((await ask(url, { path: '/healthz' })).status).toBe(503)
    n2.start()
    expect((await answered).status).toBe(200)
  })
})

describe('504: the outcome is unknown', () => {
  it('of a write that the leader cannot commit; a read was just not answered', async () => {
    const cluster = await started({ answerTimeoutMs: 250 })
    const leader = await cluster.leader()
    cluster.network.isolate(leader)
    const answers = await Promise.all([
      cluster.ask(leader, put),
      cluster.ask(leader, { path: '/v1/kv/a' }),
      cluster.ask(leader, { method: 'POST', path: '/v1/batch', body: batchOf(put.body) }),
    ])
    expect(answers.map((answer) => [answer.status, errorOf(answer).tag])).toEqual([
      [504, 'Indeterminate'],
      [503, 'NoAnswer'],
      [504, 'Indeterminate'],
    ])
  })

  it('of a write whose connection to the leader broke', async () => {
    const cluster = await started()
    const { leader, follower } = await followerOf(cluster)
    const { url, seen } = await scripted(hangUp)
    cluster.peers[leader] = url
    const answered = await cluster.ask(follower, put)
    expect([answered.status, errorOf(answered).tag]).toEqual([504, 'Indeterminate'])
    expect(seen).toEqual([`PUT /v1/kv/a ${follower}`])
  })

  it.each([
    ['a read', { path: '/v1/kv/a' }],
    ['a write with an idempotency-key', { ...put, headers: { 'idempotency-key': 'k' } }],
    ['a write in a session', { ...put, headers: { 'rxraft-session': 1, 'rxraft-serial': 1, 'rxraft-first-unanswered': 0 } }],
  ])('but %s is asked for again', async (_, request) => {
    const cluster = await started()
    const { leader, follower } = await followerOf(cluster)
    const { url, seen } = await scripted(hangUp, answer(504), answer(421), answer(200, '"again"'))
    cluster.peers[leader] = url
    expect(await cluster.ask(follower, request)).toMatchObject({ status: 200, text: '"again"' })
    expect(seen).toHaveLength(4)
  })

  it('but a read at a leader that fell silent is asked of the next one', async () => {
    const cluster = await started({ answerTimeoutMs: 60_000 })
    const { leader, follower } = await followerOf(cluster)
    const { url, seen } = await scripted(() => undefined)
    cluster.peers[leader] = url
    const answered = cluster.ask(follower, { path: '/v1/kv/a' })
    while (seen.length === 0) await cluster.ask(follower, { path: '/healthz' })
    cluster.servers.get(leader)!.kill()
    cluster.servers.delete(leader)
    expect((await answered).status).toBe(404)
  })

  it('also where asking again found no leader any more', async () => {
    const cluster = await started({ leaderWaitMs: 400 })
    const { leader, follower } = await followerOf(cluster)
    const { url } = await scripted(hangUp, answer(421))
    cluster.peers[leader] = url
    const answered = await cluster.ask(follower, { ...put, headers: { 'idempotency-key': 'k' } })
    expect([answered.status, errorOf(answered).tag]).toEqual([504, 'Indeterminate'])
  })
})

describe('429: a bound is reached, and nothing was done', () => {
  it('of requests', async () => {
    const cluster = await started({ maxRequests: 1, leaderWaitMs: 60_000 }, { running: ['n1'] })
    void cluster.ask('n1', put).catch(() => undefined) // broken off at the end
    await untilMetric(cluster, 'n1', 'rxraft_http_requests 1')
    const second = await cluster.ask('n1', put)
    expect([second.status, errorOf(second).tag, second.headers['retry-after']]).toEqual([429, 'Overloaded', '1'])
  })

  it('of the log', async () => {
    const cluster = await started({}, { maxCommandBytes: 100 })
    const leader = await cluster.leader()
    const answered = await cluster.ask(leader, { ...put, body: 'x'.repeat(200) })
    expect([answered.status, errorOf(answered).message]).toEqual([429, expect.stringContaining('maxCommandBytes')])
  })

  it('of bodies in memory', async () => {
    const cluster = await started({ maxBufferedBytes: 1_000 })
    const leader = await cluster.leader()
    expect((await cluster.ask(leader, { ...put, body: 'x'.repeat(1_001) })).status).toBe(429)
    expect((await cluster.ask(leader, { ...put, body: 'x'.repeat(1_001), headers: { 'transfer-encoding': 'chunked' } })).status).toBe(429)
    expect((await cluster.ask(leader, { ...put, body: 'x'.repeat(1_000) })).status).toBe(200)
    expect((await cluster.ask(leader, { path: '/metrics' })).text).toContain('rxraft_http_buffered_bytes 0\n')
  })
})

describe('a connection', () => {
  const opened = (url: string, bytes = '') => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    cleanUp.push(() => socket.destroy())
    socket.write(bytes)
    return new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (chunk) => (text += String(chunk)))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(text))
    })
  }

  it.each([
    ['that speaks something else', 'hello\r\n\r\n', 400, 'BadHttp'],
    ['with endless headers', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(30_000)}\r\n\r\n`, 431, 'HeadersTooLarge'],
  ])('%s is told so and closed', async (_, bytes, status, tag) => {
    const cluster = await started({}, { running: ['n1'] })
    const answered = await opened(cluster.urlOf('n1'), bytes)
    expect(answered).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answered).toContain(`"tag":"${tag}"`)
  })

  it.each([
    ['that says nothing', ''],
    ['that does not finish its headers', 'GET / HTTP/1.1\r\n'],
  ])('%s is closed after a while', async (_, bytes) => {
    const cluster = await started({ headersTimeoutMs: 50 }, { running: ['n1'] })
    expect(await opened(cluster.urlOf('n1'), bytes)).toMatch(/^(HTTP\/1.1 408 |$)/)
  })

  it('that does not finish its body is closed after a while', async () => {
    const cluster = await started({ headersTimeoutMs: 50, requestTimeoutMs: 50 }, { running: ['n1'] })
    const answered = await opened(cluster.urlOf('n1'), 'PUT /v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nabc')
    expect(answered).toMatch(/^HTTP\/1.1 408 /)
  })

  it('that was refused is closed for good, though its client leaves its own half open', async () => {
    const cluster = await started({ headersTimeoutMs: 50, lingerMs: 20 }, { running: ['n1'] })
    const { hostname, port } = new URL(cluster.urlOf('n1'))
    for (const bytes of ['GET / HTTP/1.1\r\n', 'hello\r\n\r\n']) {
      const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
      cleanUp.push(() => socket.destroy())
      socket.on('error', () => undefined).write(bytes)
      await new Promise((resolve) => socket.once('data', resolve))
    }
    await untilMetric(cluster, 'n1', 'rxraft_http_connections 1') // the one that asks
    expect((await cluster.ask('n1', { path: '/metrics' })).text).toContain('rxraft_http_answers_total')
  })

  it('beyond the bound of its address is closed at once, and counted; one that ends makes room', async () => {
    const cluster = await started({ maxConnectionsPerAddress: 1 }, { running: ['n1'] })
    const { hostname, port } = new URL(cluster.urlOf('n1'))
    const first = connect(Number(port), hostname)
    cleanUp.push(() => first.destroy())
    const metrics = async (): Promise<string> => {
      first.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n')
      return new Promise((resolve) => {
        let text = ''
        const onData = (chunk: Buffer): void => {
          text += String(chunk)
          if (!text.includes('bound="maxPipelined"')) return
          first.off('data', onData)
          resolve(text)
        }
        first.on('data', onData)
      })
    }
    await metrics()
    expect(await opened(cluster.urlOf('n1'))).toBe('')
    expect(await metrics()).toContain('rxraft_http_connections_refused_total{bound="maxConnectionsPerAddress"} 1\n')
    first.end()
    await new Promise((resolve) => first.once('close', resolve))
    for (;;) {
      const answered = await cluster.ask('n1', { path: '/v1/kv/a' }).catch(() => null)
      if (answered !== null) break
    }
  })

  it('beyond the bound is closed at once, and counted', async () => {
    const cluster = await started({ maxConnections: 2 }, { running: ['n1'] })
    const { hostname, port } = new URL(cluster.urlOf('n1'))
    const first = connect(Number(port), hostname)
    cleanUp.push(() => first.destroy())
    first.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await new Promise((resolve) => first.once('data', resolve))
    const second = connect(Number(port), hostname)
    cleanUp.push(() => second.destroy())
    second.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await new Promise((resolve) => second.once('data', resolve))
    expect(await opened(cluster.urlOf('n1'))).toBe('')
    first.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const metrics = await new Promise<string>((resolve) => {
      let text = ''
      first.on('data', (chunk) => {
        text += String(chunk)
        if (text.includes('connections_refused_total{bound="maxConnections"} 1')) resolve(text)
      })
    })
    expect(metrics).toContain('rxraft_http_connections_refused_total{bound="maxConnections"} 1')
  })
})

describe('a body that is too large, of a client that reads only when it has written', () => {
  /** Writes all of it, then reads; what was answered, and whether all could be written. */
  const uploaded = async (cluster: HttpCluster, head: string, bytes: number) => {
    const { hostname, port } = new URL(cluster.urlOf('n1'))
    const socket = connect(Number(port), hostname)
    cleanUp.push(() => socket.destroy())
    let text = ''
    socket.pause().on('data', (chunk) => (text += String(chunk)))
    const closed = new Promise<void>((resolve) => socket.on('error', () => undefined).once('close', resolve))
    socket.write(`PUT /v1/kv/a HTTP/1.1\r\nhost: localhost\r\n${head}\r\n\r\n`)
    const wasWritten = await new Promise<boolean>((resolve) => socket.write(Buffer.alloc(bytes), (error) => resolve(!error)))
    socket.resume()
    return { wasWritten, text: () => text, closed }
  }
  const MiB = 1 << 20

  it.each([
    ['of an announced length', `content-length: ${20 * MiB}`, 20 * MiB],
    ['in chunks', 'transfer-encoding: chunked\r\n\r\n1400000', 20 * MiB],
  ])('%s, is read on, and the answer arrives', async (_, head, bytes) => {
    const cluster = await started({ maxBodyBytes: 1_000, lingerMs: 60_000 }, { running: ['n1'] })
    const { wasWritten, text } = await uploaded(cluster, head.replace(/\r\n\r\n([0-9]+)$/, '\r\n\r\n$1'), bytes)
    expect(wasWritten).toBe(true)
    while (!text().includes('BodyTooLarge')) await cluster.ask('n1', { path: '/healthz' })
    expect(text()).toMatch(/^HTTP\/1.1 413 /)
  })

  it('is not read for ever', async () => {
    const cluster = await started({ maxBodyBytes: 1_000, maxBatchBytes: 1_000, lingerMs: 60_000 }, { running: ['n1'] })
    const { wasWritten, closed } = await uploaded(cluster, `content-length: ${100 * MiB}`, 100 * MiB)
    expect(wasWritten).toBe(false)
    await closed
  })

  it('is not waited for, for long', async () => {
    const cluster = await started({ maxBodyBytes: 1_000, lingerMs: 50 }, { running: ['n1'] })
    const { text, closed } = await uploaded(cluster, 'content-length: 5000', 10)
    await closed
    expect(text()).toMatch(/^HTTP\/1.1 413 /)
  })

  it('keeps its connection where it is not far beyond the bound', async () => {
    const cluster = await started({ maxBodyBytes: 1_000 }, { running: ['n1'] })
    const { hostname, port } = new URL(cluster.urlOf('n1'))
    const socket = connect(Number(port), hostname)
    cleanUp.push(() => socket.destroy())
    socket.write(`PUT /v1/kv/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2000\r\n\r\n`)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.write(`${'x'.repeat(2_000)}GET /v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    expect(String(await new Promise((resolve) => socket.once('data', resolve)))).toMatch(/^HTTP\/1.1 200 /)
  })
})

describe('listening', () => {
  it('at a port that is taken fails with a sentence that says what to do', async () => {
    const cluster = await started({}, { running: ['n1'] })
    const { port } = cluster.listening.get('n1')!
    const living = new Subscription()
    const failed = listen({ server: cluster.servers.get('n1')!, port }, living)
    await expect(failed).rejects.toEqual({
      _tag: 'AddressInUse',
      message: `Port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another port.`,
    })
  })

  it('ends in good order: what is under way is answered, watches end, the port is free', async () => {
    const cluster = await started({ answerTimeoutMs: 300 })
    const leader = await cluster.leader()
    const face = cluster.listening.get(leader)!
    const watching = cluster.ask(leader, { path: '/v1/watch' })
    await untilMetric(cluster, leader, 'rxraft_http_watches 1')
    cluster.network.isolate(leader)
    const underWay = cluster.ask(leader, put)
    await untilMetric(cluster, leader, 'rxraft_http_requests 1')
    const closed = new Promise<void>((resolve) => face.close().subscribe({ complete: resolve }))
    expect((await watching).status).toBe(200)
    expect((await underWay).status).toBe(504)
    await closed
    const again = await listen({ server: cluster.servers.get(leader)!, port: face.port }, new Subscription())
    expect(again.port).toBe(face.port)
    await new Promise<void>((resolve) => again.close().subscribe({ complete: resolve }))
  })

  it.each([
    [{ peers: { n2: 'n2.example:7402' } }, 'peers'],
    [{ maxRequests: 0 }, 'maxRequests'],
    [{ headersTimeoutMs: 9, requestTimeoutMs: 8 }, 'headersTimeoutMs'],
    [{ port: -1 }, 'port'],
    [{ hostNames: ['http://db.example'] }, 'hostNames'],
    [{ maxAnswerBytes: 0 }, 'maxAnswerBytes'],
  ])('with %j is refused', (options, name) => {
    const server = createKvServer({ id: 'n1', network: memoryNetwork().join('n1'), storage: memoryStorage(['n1']) })
    expect(() => kvHttp({ server, port: 0, ...options })).toThrow(name)
  })

  it('an option that is undefined is an option left out', () => {
    const server = createKvServer({ id: 'n1', network: memoryNetwork().join('n1'), storage: memoryStorage(['n1']) })
    const given = { server, port: 0, maxAnswerBytes: undefined, hostNames: undefined } as unknown as Parameters<typeof tunedHttp>[0]
    expect(tunedHttp(given)).toMatchObject({ maxAnswerBytes: 128 << 20, hostNames: [] })
  })
})

/** Asks until the server's metrics say so: what a test waits for has happened elsewhere. */
const untilMetric = async (cluster: HttpCluster, id: string, line: string): Promise<void> => {
  for (;;) if ((await cluster.ask(id, { path: '/metrics' })).text.includes(`${line}\n`)) return
}

const batchOf = (value: string): Uint8Array =>
  encodeRequests([encodeRequest({ caller: anonymous, command: { _tag: 'Put', key: key('a'), value: Buffer.from(value), prevKv: false } })])
