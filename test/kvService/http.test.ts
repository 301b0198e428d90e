import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'node:net'
import { revision } from '../../src/kv/ids.js'
import { anonymous } from '../../src/kv/command.js'
import { firstValueFrom } from 'rxjs'
import { type Answer, type Ask, errorOf, httpCluster, type HttpCluster } from './httpCluster.js'

let cluster: HttpCluster
let leader: string
let follower: string
beforeAll(async () => {
  cluster = await httpCluster({ maxBodyBytes: 1_000 })
  leader = await cluster.leader()
  follower = [...cluster.servers.keys()].find((id) => id !== leader)!
})
afterAll(() => cluster.close())

const put = (path: string, body: string, headers = {}): Promise<Answer> =>
  cluster.ask(leader, { method: 'PUT', path: `/v1/kv/${path}`, body, headers })
const get = (path: string, headers = {}): Promise<Answer> => cluster.ask(leader, { path: `/v1/kv/${path}`, headers })
const del = (path: string, headers = {}): Promise<Answer> => cluster.ask(leader, { method: 'DELETE', path: `/v1/kv/${path}`, headers })
const post = (path: string, body: string, headers = {}): Promise<Answer> => cluster.ask(leader, { method: 'POST', path, body, headers })
const json = ({ text }: Answer): unknown => JSON.parse(text)

describe('a key', () => {
  it('is put, and read as the raw value with its mod revision as etag', async () => {
    const value = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => i))
    const written = await put('raw', value)
    const read = await get('raw')
    expect(written.status).toBe(200)
    expect(json(written)).toEqual({ revision: expect.any(Number) })
    expect(written.headers.etag).toBe(`"${(json(written) as { revision: number }).revision}"`)
    expect(read).toMatchObject({ status: 200, text: value })
    expect(read.headers).toMatchObject({ etag: written.headers.etag, 'content-type': 'application/octet-stream', 'rxraft-version': '1' })
  })

  it('is compared and set by if-match', async () => {
    const first = (await put('cas', '1')).headers.etag!
    const second = await put('cas', '2', { 'if-match': first })
    const stale = await put('cas', '3', { 'if-match': first })
    expect(second.status).toBe(200)
    expect(stale.status).toBe(412)
    expect(stale.headers.etag).toBe(second.headers.etag)
    expect(errorOf(stale).tag).toBe('Conflict')
    expect((await get('cas')).text).toBe('2')
  })

  it.each([
    ['if-none-match: * where there is none', 'PUT', 'new', { 'if-none-match': '*' }, 200],
    ['if-none-match: * where there is one', 'PUT', 'old', { 'if-none-match': '*' }, 412],
    ['if-match: * where there is one', 'PUT', 'old', { 'if-match': '*' }, 200],
    ['if-match: * where there is none', 'PUT', 'absent', { 'if-match': '*' }, 412],
    ['if-match of what there is not', 'PUT', 'absent', { 'if-match': '"5"' }, 412],
    ['a weak if-match', 'PUT', 'old', { 'if-match': 'W/"2"' }, 412],
    ['if-match that is no etag', 'PUT', 'old', { 'if-match': 'two' }, 400],
    ['if-match of several', 'PUT', 'old', { 'if-match': '"1", "2"' }, 400],
    ['if-none-match of one version', 'PUT', 'old', { 'if-none-match': '"2"' }, 400],
    ['both', 'PUT', 'old', { 'if-match': '"2"', 'if-none-match': '*' }, 400],
    ['a stale if-match of a DELETE', 'DELETE', 'old', { 'if-match': '"1"' }, 412],
    ['if-match: * of a DELETE', 'DELETE', 'old', { 'if-match': '*' }, 200],
    ['if-match of a DELETE of nothing', 'DELETE', 'absent', { 'if-match': '"1"' }, 412],
    ['a DELETE of nothing', 'DELETE', 'absent', {}, 404],
    ['a GET of nothing', 'GET', 'absent', {}, 404],
  ])('%s', async (_, method, name, headers, status) => {
    await put('old', 'there')
    expect((await cluster.ask(leader, { method, path: `/v1/kv/${name}`, headers })).status).toBe(status)
  })

  it('is read again only where it has changed', async () => {
    const { etag } = (await put('cached', '1')).headers
    const same = await get('cached', { 'if-none-match': `"1", W/${etag}` })
    expect(same).toMatchObject({ status: 304, text: '' })
    expect(same.headers.etag).toBe(etag)
    await put('cached', '2')
    expect(await get('cached', { 'if-none-match': etag })).toMatchObject({ status: 200, text: '2' })
  })

  it('is appended to, deleted, and made anew', async () => {
    await put('log', 'a')
    const appended = await post('/v1/kv/log/append', 'b')
    expect(appended.status).toBe(200)
    expect((await get('log')).headers).toMatchObject({ etag: appended.headers.etag, 'rxraft-version': '2' })
    expect((await get('log')).text).toBe('ab')
    expect(json(await del('log'))).toMatchObject({ deleted: 1 })
    await post('/v1/kv/log/append', 'c')
    expect(await get('log')).toMatchObject({ text: 'c', headers: { 'rxraft-version': '1' } })
  })

  it('can be read as it was', async () => {
    const { etag } = (await put('past', '1')).headers
    await put('past', '2')
    expect((await get(`past?revision=${etag!.replaceAll('"', '')}`)).text).toBe('1')
    expect(errorOf(await get('past?revision=999999')).tag).toBe('FutureRevision')
  })

  it('HEAD is GET without the value', async () => {
    const { etag } = (await put('head', '12345')).headers
    const head = await cluster.ask(leader, { method: 'HEAD', path: '/v1/kv/head' })
    expect(head).toMatchObject({ status: 200, text: '', headers: { etag, 'content-length': '5' } })
  })

  it.each([
    ['a%2Fb', 'a/b'],
    ['%C3%BC', 'ü'],
    ['%F0%9F%98%80', '😀'],
    ['a+b', 'a+b'],
    ['%2e%2e', '..'],
    ['..', '..'],
    ['append', 'append'],
    ['%00', '\0'],
    ['100%25', '100%'],
  ])('%s is the key %j', async (piece, name) => {
    await put(piece, name)
    const found = await cluster.ask(leader, { path: `/v1/kv?prefix=${encodeURIComponent(name)}&limit=1` })
    expect(json(found)).toMatchObject({ kvs: [{ key: name, value: Buffer.from(name).toString('base64') }] })
    expect((await get(piece)).text).toBe(name)
  })

  it.each([
    ['%ff', 'BadKey'],
    ['%C3', 'BadKey'],
    ['%ED%A0%80', 'BadKey'],
    ['50%', 'BadKey'],
    ['a%zz', 'BadKey'],
    ['a/b', 'BadKey'],
    ['a/append/b', 'BadKey'],
    ['', 'KeyEmpty'],
    ['a?x=1', 'BadRequest'],
    ['k'.repeat(4_097), 'KeyTooLong'],
  ])('is not %j: %s', async (piece, tag) => {
    const answers = [await put(piece, 'v'), await get(piece)]
    // A read of a key that nobody can have written finds nothing.
    const ofGet = tag === 'KeyEmpty' || tag === 'KeyTooLong' ? 404 : 400
    expect(answers.map(({ status }) => status)).toEqual([400, ofGet])
    expect(errorOf(answers[0]!).tag).toBe(tag)
    expect(errorOf(answers[0]!).message).toMatch(/^[A-Z].*\.$/)
  })
})

describe('a range', () => {
  beforeAll(async () => {
    for (const name of ['r/a', 'r/b', 'r/c']) await put(encodeURIComponent(name), name)
  })
  const keysOf = (answer: Answer) => (json(answer) as { kvs: ReadonlyArray<{ key: string }> }).kvs.map(({ key }) => key)

  it('is told as JSON', async () => {
    const found = await cluster.ask(leader, { path: '/v1/kv?prefix=r/' })
    expect(found.headers['content-type']).toBe('application/json')
    expect(json(found)).toMatchObject({
      revision: expect.any(Number),
      more: false,
      kvs: [{ key: 'r/a', value: 'ci9h', version: 1 }, {}, {}],
    })
  })

  it.each([
    ['prefix=r%2F&limit=2', ['r/a', 'r/b'], true],
    ['prefix=r%2F&start=r%2Fb', ['r/b', 'r/c'], false],
    ['prefix=r%2F&start=r%2Fb%00', ['r/c'], false],
    ['prefix=r%2F&start=a', ['r/a', 'r/b', 'r/c'], false],
    ['prefix=r%2F&limit=0', [], true],
    ['prefix=nothing', [], false],
  ])('%s', async (query, keys, more) => {
    const found = await cluster.ask(leader, { path: `/v1/kv?${query}` })
    expect(keysOf(found)).toEqual(keys)
    expect(json(found)).toMatchObject({ more })
  })

  it('is told as it was', async () => {
    const { revision: at } = json(await cluster.ask(leader, { path: '/v1/kv?limit=0' })) as { revision: number }
    await put('r%2Fd', 'later')
    expect(keysOf(await cluster.ask(leader, { path: `/v1/kv?prefix=r/&revision=${at}` }))).toEqual(['r/a', 'r/b', 'r/c'])
  })

  it.each(['limit=x', 'revision=-1', 'prefix=%ff', 'limt=1'])('%s is 400', async (query) => {
    expect((await cluster.ask(leader, { path: `/v1/kv?${query}` })).status).toBe(400)
  })
})

describe('a retried write', () => {
  it('under one idempotency-key applies once', async () => {
    const headers = { 'idempotency-key': 'order-7' }
    const answers = [await post('/v1/kv/orders/append', 'x', headers), await post('/v1/kv/orders/append', 'x', headers)]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(answers[1]!.headers.etag).toBe(answers[0]!.headers.etag)
    expect((await get('orders')).text).toBe('x')
    const other = await post('/v1/kv/orders/append', 'y', headers)
    expect([other.status, errorOf(other).tag]).toEqual([422, 'DifferentCommand'])
  })

  it('under one serial of a session applies once', async () => {
    const { session } = json(await post('/v1/session', '')) as { session: number }
    const headers = { 'rxraft-session': session, 'rxraft-serial': 0, 'rxraft-first-unanswered': 0 }
    await post('/v1/kv/serial/append', 'x', headers)
    await post('/v1/kv/serial/append', 'x', headers)
    expect((await get('serial')).text).toBe('x')
    const answered = await post('/v1/kv/serial/append', 'z', { ...headers, 'rxraft-serial': 0, 'rxraft-first-unanswered': 1 })
    expect([answered.status, errorOf(answered).tag]).toEqual([409, 'SerialAnswered'])
  })

  it.each([
    [{ 'idempotency-key': '' }, 400, 'IdempotencyKeyUnfit'],
    [{ 'idempotency-key': 'k'.repeat(129) }, 400, 'IdempotencyKeyUnfit'],
    [{ 'rxraft-session': '1' }, 400, 'BadRequest'],
    [{ 'rxraft-session': '1', 'rxraft-serial': '0', 'rxraft-first-unanswered': 'x' }, 400, 'BadRequest'],
    [{ 'rxraft-session': '1', 'idempotency-key': 'a' }, 400, 'BadRequest'],
    [{ 'rxraft-session': '987654', 'rxraft-serial': '0', 'rxraft-first-unanswered': '0' }, 410, 'UnknownSession'],
  ])('with %j is refused', async (headers, status, tag) => {
    const answer = await put('refused', 'v', headers)
    expect([answer.status, errorOf(answer).tag]).toEqual([status, tag])
    expect((await get('refused')).status).toBe(404)
  })
})

describe('a body', () => {
  it.each([
    ['at the bound', 1_000, {}, 200],
    ['beyond the bound', 1_001, {}, 413],
    ['beyond the bound, of no announced length', 1_001, { 'transfer-encoding': 'chunked' }, 413],
    ['far beyond the bound', 100_000, {}, 413],
    ['at the bound, after a question', 1_000, { expect: '100-continue' }, 200],
  ])('%s', async (_, length, headers, status) => {
    const answer = await put('body', 'x'.repeat(length), headers)
    expect(answer.status).toBe(status)
    const tag = status === 413 ? errorOf(answer).tag : 'none'
    expect(tag).toBe(status === 413 ? 'BodyTooLarge' : 'none')
  })

  it('that is too large is refused before it is sent, where the client asks first', async () => {
    const { hostname, port } = new URL(cluster.urlOf(leader))
    const socket = connect(Number(port), hostname)
    socket.write(`PUT /v1/kv/big HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000000\r\nexpect: 100-continue\r\n\r\n`)
    const first = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
    socket.destroy()
    expect(first.toString()).toMatch(/^HTTP\/1.1 413 /)
  })

  it('may be empty, and of any bytes', async () => {
    const bytes = new Uint8Array([0, 255, 254, 10, 13])
    await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/bytes', body: bytes })
    expect(new Uint8Array((await get('bytes')).body)).toEqual(bytes)
    await put('bytes', '')
    expect(await get('bytes')).toMatchObject({ status: 200, text: '' })
  })
})

describe('what there is not', () => {
  it.each<[Ask, number, string | undefined]>([
    [{ path: '/' }, 404, undefined],
    [{ path: '/v1/kvx' }, 404, undefined],
    [{ path: '/constructor' }, 404, undefined],
    [{ method: 'POST', path: '/v1/kv/a' }, 405, 'GET, HEAD, PUT, DELETE'],
    [{ method: 'GET', path: '/v1/kv/a/append' }, 405, 'POST'],
    [{ method: 'DELETE', path: '/v1/kv' }, 405, 'GET, HEAD'],
    [{ method: 'GET', path: '/v1/session' }, 405, 'POST'],
    [{ method: 'PUT', path: '/metrics' }, 405, 'GET, HEAD'],
  ])('%j', async (request, status, allow) => {
    const answer = await cluster.ask(leader, request)
    expect([answer.status, answer.headers.allow]).toEqual([status, allow])
    expect(errorOf(answer).message).toMatch(/\.$/)
  })
})

describe('how a server is', () => {
  it('status', async () => {
    const status = json(await cluster.ask(follower, { path: '/v1/status' }))
    expect(status).toMatchObject({
      id: follower,
      role: 'Follower',
      leader,
      leaderUrl: cluster.urlOf(leader),
      term: expect.any(Number),
    })
    expect(json(await cluster.ask(leader, { path: '/v1/status' }))).toMatchObject({
      id: leader,
      role: 'Leader',
      revision: expect.any(Number),
      snapshotIndex: 0,
      snapshotsTaken: 0,
      snapshotsInstalled: 0,
    })
  })

  it('metrics, as Prometheus reads them', async () => {
    const metrics = await cluster.ask(leader, { path: '/metrics' })
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const lines = metrics.text.split('\n')
    expect(lines.at(-1)).toBe('')
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(
        /^(# HELP rxraft_[a-z_]+ .+\.|# TYPE rxraft_[a-z_]+ (gauge|counter)|rxraft_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+)$/,
      )
    }
    expect(metrics.text).toContain(`rxraft_role{role="Leader"} 1\n`)
    expect(metrics.text).toContain('rxraft_snapshot_index 0\n')
    expect(metrics.text).toContain('rxraft_snapshots_total{from="own"} 0\nrxraft_snapshots_total{from="leader"} 0\n')
    expect(metrics.text).toMatch(/rxraft_http_answers_total\{code="2xx"\} [1-9]/)
    const names = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2])
    expect(new Set(names).size).toBe(names.length)
  })

  it('health', async () => {
    expect(json(await cluster.ask(follower, { path: '/healthz' }))).toEqual({ ok: true, leader })
  })
})

describe('a server that follows', () => {
  it('passes a request on with all that belongs to it', async () => {
    const written = await cluster.ask(follower, { method: 'PUT', path: '/v1/kv/via%2F..', body: 'v', headers: { 'if-none-match': '*' } })
    expect(written.status).toBe(200)
    const read = await cluster.ask(follower, { path: '/v1/kv/via%2F..' })
    expect(read).toMatchObject({
      status: 200,
      text: 'v',
      headers: { etag: written.headers.etag, 'content-type': 'application/octet-stream' },
    })
    const again = await cluster.ask(follower, { method: 'PUT', path: '/v1/kv/via%2F..', body: 'w', headers: { 'if-none-match': '*' } })
    expect([again.status, errorOf(again).tag]).toEqual([412, 'Conflict'])
    expect(await cluster.ask(follower, { path: '/v1/kv/absent' })).toMatchObject({ status: 404 })
    const range = await cluster.ask(follower, { path: '/v1/kv?prefix=via' })
    expect(json(range)).toMatchObject({ kvs: [{ key: 'via/..' }] })
    const head = await cluster.ask(follower, { method: 'HEAD', path: '/v1/kv/via%2F..' })
    expect(head).toMatchObject({ status: 200, text: '', headers: { etag: written.headers.etag, 'content-length': '1' } })
  })

  it('passes nothing on that was passed on to it, and says who leads', async () => {
    const answer = await cluster.ask(follower, { method: 'PUT', path: '/v1/kv/a', body: 'v', headers: { 'rxraft-forwarded': 'n9' } })
    expect([answer.status, errorOf(answer).tag]).toEqual([421, 'NotLeader'])
    expect(answer.headers['rxraft-leader']).toBe(cluster.urlOf(leader))
  })
})

describe('what is older than the history', () => {
  it('is gone', async () => {
    const { revision: now } = json(await cluster.ask(leader, { path: '/v1/kv?limit=0' })) as { revision: number }
    await firstValueFrom(cluster.servers.get(leader)!.submit({ caller: anonymous, command: { _tag: 'Compact', revision: revision(now) } }))
    const answers = [await get('raw?revision=1'), await cluster.ask(leader, { path: '/v1/watch?from=1' })]
    expect(answers.map((answer) => [answer.status, errorOf(answer).tag])).toEqual([
      [410, 'Compacted'],
      [410, 'Compacted'],
    ])
    expect(json(answers[1]!)).toMatchObject({ compactRevision: now })
  })
})
