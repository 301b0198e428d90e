import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'node:net'
import { Subscription } from 'rxjs'
import { type Answer, ask, type Ask, errorOf, httpCluster, type HttpCluster, listen } from './httpCluster.js'

let cluster: HttpCluster
let leader: string
let url: string
let port: string
const living = new Subscription()
beforeAll(async () => {
  cluster = await httpCluster({ hostNames: ['db.example', 'Other.Example'] })
  leader = await cluster.leader()
  url = cluster.urlOf(leader)
  port = new URL(url).port
  cluster.peers['n9'] = 'http://node9.example:7401'
})
afterAll(() => {
  living.unsubscribe()
  cluster.close()
})

const asked = (host: string, headers = {}, request: Partial<Ask> = {}): Promise<Answer> =>
  ask(url, { path: '/v1/kv', ...request, headers: { ...headers, host: host.replace('PORT', port) } })
const verdict = (answer: Answer): unknown => (answer.status === 200 ? 200 : [answer.status, errorOf(answer).tag])

/** What is answered to these bytes, and the status of it. */
const raw = async (text: string): Promise<string> => {
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(text)
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  socket.destroy()
  return /^HTTP\/1.1 (\d{3})/.exec(answer.toString())![1]!
}

describe('a host', () => {
  it.each([
    '127.0.0.1:PORT',
    '127.0.0.1',
    '10.1.2.3:7401',
    '[::1]:PORT',
    '[::1]',
    '[2001:DB8::7]:80',
    'localhost:PORT',
    'LocalHost',
    'db.example:PORT',
    'DB.example.',
    'other.example',
    'node9.example:7401',
  ])('%s is one of this server', async (host) => {
    expect(verdict(await asked(host))).toBe(200)
  })

  it.each([['evil.example'], ['evil.example:PORT'], ['localhost.evil.example'], ['127.0.0.1.evil.example'], ['a.db.example'], ['1.2.3']])(
    '%s is not',
    async (host) => {
      const answers = [
        await asked(host),
        await asked(host, {}, { path: '/v1/watch' }),
        await asked(host, {}, { path: '/v1/status' }),
        await asked(host, {}, { method: 'PUT', path: '/v1/kv/rebound', body: 'v' }),
        await asked(host, {}, { method: 'POST', path: '/v1/batch', body: new Uint8Array([0]) }),
      ]
      expect(answers.map(verdict)).toEqual(answers.map(() => [403, 'UnknownHost']))
      expect(errorOf(answers[0]!).message).toContain(`--host-names ${host.replace(':PORT', '')}`)
      expect((await ask(url, { path: '/v1/kv/rebound' })).status).toBe(404)
    },
  )

  it.each([':80', 'a b', '::1', '[::1', '[::g]', 'user@127.0.0.1', '127.0.0.1:99999', '127.0.0.1:x', 'a/b', '999.1.1.1'])(
    '%j makes no sense',
    async (host) => {
      expect(verdict(await asked(host))).toEqual([400, 'BadHost'])
    },
  )

  it('that is there twice makes no sense, and HTTP/1.1 needs one, HTTP/1.0 none', async () => {
    const twice = 'host: localhost\r\nHost: localhost\r\n'
    expect(await raw(`GET /v1/kv HTTP/1.1\r\n${twice}\r\n`)).toBe('400')
    expect(await raw('GET /v1/kv HTTP/1.1\r\n\r\n')).toBe('400')
    expect(await raw('GET /v1/kv HTTP/1.1\r\nhost:\r\n\r\n')).toBe('400')
    expect(await raw('GET /v1/kv HTTP/1.0\r\n\r\n')).toBe('200')
    expect(await raw('GET /v1/kv HTTP/1.0\r\norigin: http://evil.example\r\n\r\n')).toBe('403')
  })
})

describe('a page', () => {
  const requests: ReadonlyArray<Partial<Ask>> = [{}, { path: '/v1/watch' }, { method: 'PUT', path: '/v1/kv/a', body: 'v' }]

  it.each([
    ['of another host', 'db.example', 'http://evil.example'],
    ['of another port', '127.0.0.1:PORT', 'http://127.0.0.1:1'],
    ['of another name of this server', 'db.example', 'http://other.example'],
    ['of a file', 'db.example', 'null'],
    ['of no host', 'db.example', 'file://'],
    ['that makes no sense', 'db.example', 'http://['],
  ])('%s neither reads nor writes', async (_, host, origin) => {
    for (const request of requests) expect(verdict(await asked(host, { origin }, request))).toEqual([403, 'ForeignOrigin'])
  })

  it.each([
    ['of this server', '127.0.0.1:PORT', 'http://127.0.0.1:PORT'],
    ['of a name of it', 'db.example', 'http://db.example'],
    ['whose port is that of its scheme', 'db.example:80', 'http://DB.example'],
    ['behind a proxy that adds TLS', 'db.example:443', 'https://db.example'],
    ['of an IPv6 address', '[::1]:PORT', 'http://[::1]:PORT'],
  ])('%s does both', async (_, host, origin) => {
    const headers = { origin: origin.replace('PORT', port) }
    expect(verdict(await asked(host, headers))).toBe(200)
    expect(verdict(await asked(host, headers, { method: 'PUT', path: '/v1/kv/a', body: 'v' }))).toBe(200)
  })
})

describe('a server on IPv6', () => {
  it('is reached by its literal, and passed on to', async () => {
    const id = [...cluster.servers.keys()].find((one) => one !== leader)!
    const there = await listen({ server: cluster.servers.get(leader)!, host: '::1', port: 0 }, living)
    const here = await listen({ server: cluster.servers.get(id)!, port: 0, peers: { [leader]: there.url } }, living)
    expect((await ask(here.url, { method: 'PUT', path: '/v1/kv/six', body: 'v' })).status).toBe(200)
  })
})
