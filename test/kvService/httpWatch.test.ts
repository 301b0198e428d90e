import { afterEach, describe, expect, it } from '@jest/globals'
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { firstValueFrom } from 'rxjs'
import { anonymous } from '../../src/kv/command.js'
import { revision } from '../../src/kv/ids.js'
import { type ServerSentEvent, sseReader } from '../../streams/kv/http/sse.js'
import { errorOf, httpCluster, type HttpCluster } from './httpCluster.js'

let cleanUp: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanUp) clean()
  cleanUp = []
})

const started = async (...options: Parameters<typeof httpCluster>): Promise<HttpCluster> => {
  const cluster = await httpCluster(...options)
  cleanUp.push(() => cluster.close())
  await cluster.leader()
  return cluster
}

/** The events of a watch, as they come; `next` waits for one that tells something. */
const watching = (cluster: HttpCluster, id: string, query: string, headers = {}) => {
  const events: ServerSentEvent[] = []
  const raw: string[] = []
  let wake = (): void => undefined
  let isOver = false
  const read = sseReader(1 << 20)
  const opened = new Promise<{ request: ClientRequest; response: IncomingMessage }>((resolve, reject) => {
    const request = httpRequest(`${cluster.urlOf(id)}/v1/watch${query}`, { agent: false, headers }, (response) => {
      resolve({ request, response })
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        raw.push(piece)
        events.push(...read(piece))
        wake()
      })
      response.on('error', () => undefined)
      response.on('close', () => {
        isOver = true
        wake()
      })
    })
    request.on('error', reject)
    request.end()
    cleanUp.push(() => request.destroy())
  })
  let taken = 0
  const next = async (wanted: (event: ServerSentEvent) => boolean = ({ data }) => data !== ''): Promise<ServerSentEvent | null> => {
    for (;;) {
      while (taken < events.length) {
        const event = events[taken++]!
        if (wanted(event)) return event
      }
      if (isOver) return null
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return { opened, next, raw, close: () => void opened.then(({ request }) => request.destroy()) }
}

const put = (cluster: HttpCluster, name: string, value = 'v') =>
  cluster.ask('n1', { method: 'PUT', path: `/v1/kv/${encodeURIComponent(name)}`, body: value })
const dataOf = (event: ServerSentEvent | null): unknown => (event === null ? null : JSON.parse(event.data))

describe('a watch', () => {
  it('tells puts and deletes of keys with the prefix, with the revision as id', async () => {
    const cluster = await started()
    const watch = watching(cluster, 'n1', '?prefix=w%2F')
    const { response } = await watch.opened
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    await put(cluster, 'other')
    await put(cluster, 'w/ü', 'hi')
    const first = await watch.next()
    expect(first).toMatchObject({ event: 'message', id: '3' })
    expect(dataOf(first)).toEqual({
      revision: 3,
      events: [{ type: 'put', key: 'w/ü', value: 'aGk=', createRevision: 3, modRevision: 3, version: 1 }],
    })
    await cluster.ask('n1', { method: 'DELETE', path: '/v1/kv/w%2F%C3%BC' })
    expect(dataOf(await watch.next())).toEqual({ revision: 4, events: [{ type: 'delete', key: 'w/ü' }] })
  })

  it('can be had from any server, from any revision that is kept, and resumed by the last id', async () => {
    const cluster = await started()
    for (let i = 1; i <= 5; i++) await put(cluster, `k${i}`)
    for (const id of ['n1', 'n2', 'n3']) {
      const from = watching(cluster, id, '?prefix=&from=4')
      const resumed = watching(cluster, id, '?prefix=k&from=1', { 'last-event-id': '4' })
      expect([(await from.next())?.id, (await from.next())?.id, (await from.next())?.id]).toEqual(['4', '5', '6'])
      expect([(await resumed.next())?.id, (await resumed.next())?.id]).toEqual(['5', '6'])
    }
  })

  it('gives a sign of life that a browser resumes from, though nothing of its own happened', async () => {
    const cluster = await started({ watchHeartbeatMs: 20 })
    const watch = watching(cluster, 'n1', '?prefix=quiet')
    await put(cluster, 'other')
    expect(await watch.next(({ data, id }) => data === '' && id === '2')).not.toBeNull()
    expect(watch.raw.join('')).toContain(': alive\n')
  })

  it('misses nothing and doubles nothing where the connection breaks', async () => {
    const cluster = await started()
    const seen: string[] = []
    const writing = (async () => {
      for (let i = 0; i < 60; i++) await put(cluster, `k${i}`)
    })()
    let lastId: string | undefined
    while (seen.length < 60) {
      const watch = watching(
        cluster,
        ['n1', 'n2', 'n3'][seen.length % 3]!,
        '?from=2',
        lastId === undefined ? {} : { 'last-event-id': lastId },
      )
      for (let i = 0; i < 7 && seen.length < 60; i++) {
        const event = await watch.next()
        lastId = event!.id!
        seen.push(lastId)
      }
      watch.close()
    }
    await writing
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => String(i + 2)))
  })

  it('is ended with a reason where the past was compacted away before it was told', async () => {
    const cluster = await started()
    for (let i = 0; i < 5; i++) await put(cluster, 'k')
    const leader = cluster.servers.get(await cluster.leader())!
    await firstValueFrom(leader.submit({ caller: anonymous, command: { _tag: 'Compact', revision: revision(5) } }))
    const gone = await cluster.ask(leader.id, { path: '/v1/watch?from=4' })
    expect([gone.status, errorOf(gone).tag]).toEqual([410, 'Compacted'])
    const kept = watching(cluster, leader.id, '?from=5')
    expect((await kept.next())?.id).toBe('5')
  })

  it('whose client reads nothing is cut when it is too far behind; others are not', async () => {
    const cluster = await started({ maxWatchBehind: 5 })
    const leader = await cluster.leader()
    const slow = watching(cluster, leader, '?prefix=')
    const fast = watching(cluster, leader, '?prefix=')
    const [{ response }] = await Promise.all([slow.opened, fast.opened])
    response.pause()
    // Until the buffers of the operating system are full, nobody can know that the client does not read.
    const value = 'x'.repeat(500_000)
    let cut = false
    for (let i = 0; i < 200 && !cut; i++) {
      await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/k', body: value })
      await fast.next()
      cut = (await cluster.ask(leader, { path: '/metrics' })).text.includes('rxraft_http_watches_cut_total 1\n')
    }
    expect(cut).toBe(true)
    expect((await cluster.ask(leader, { path: '/metrics' })).text).toContain('rxraft_http_watches 1\n')
  })

  it('whose client reads nothing is cut after a while', async () => {
    const cluster = await started({ watchStallMs: 50 })
    const leader = await cluster.leader()
    const slow = watching(cluster, leader, '?prefix=')
    const { response } = await slow.opened
    response.pause()
    const value = 'x'.repeat(500_000)
    let cut = false
    for (let i = 0; i < 200 && !cut; i++) {
      await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/k', body: value })
      cut = (await cluster.ask(leader, { path: '/metrics' })).text.includes('rxraft_http_watches_cut_total 1\n')
    }
    expect(cut).toBe(true)
  })

  it('that holds the values of a long event for too long is cut, where others need the room', async () => {
    const cluster = await started({ maxWatchBytes: 600_000 })
    const leader = await cluster.leader()
    const slow = watching(cluster, leader, '?prefix=')
    const fast = watching(cluster, leader, '?prefix=')
    const [{ response }] = await Promise.all([slow.opened, fast.opened])
    response.pause()
    let cut = false
    for (let i = 0; i < 200 && !cut; i++) {
      await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/k', body: 'x'.repeat(500_000) })
      expect(await fast.next()).not.toBeNull()
      cut = (await cluster.ask(leader, { path: '/metrics' })).text.includes('rxraft_http_watches_cut_total 1\n')
    }
    expect(cut).toBe(true)
    const { text } = await cluster.ask(leader, { path: '/metrics' })
    expect(Number(/rxraft_http_watch_bytes (\d+)/.exec(text)![1])).toBeLessThan(600_000)
  })

  it('that ends in the middle of a long event holds nothing of it any more', async () => {
    const cluster = await started()
    const leader = await cluster.leader()
    const watch = watching(cluster, leader, '?prefix=')
    const { response } = await watch.opened
    response.pause()
    for (let i = 0; i < 40; i++) await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/k', body: 'x'.repeat(500_000) })
    const held = async (): Promise<number> => {
      const { text } = await cluster.ask(leader, { path: '/metrics' })
      return Number(/^rxraft_http_watch_bytes (\d+)$/m.exec(text)![1])
    }
    expect(await held()).toBeGreaterThan(500_000)
    watch.close()
    while ((await held()) > 0);
  })

  it('whose client stops reading and goes on is told long events whole, in order, with short ones between', async () => {
    const cluster = await started()
    const leader = await cluster.leader()
    const watch = watching(cluster, leader, '?prefix=')
    const { response } = await watch.opened
    response.pause()
    const values = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? String(i % 10).repeat(500_000) : `short ${i}`))
    for (const body of values) await cluster.ask(leader, { method: 'PUT', path: '/v1/kv/k', body })
    response.resume()
    const seen: string[] = []
    while (seen.length < values.length) {
      const { events } = dataOf(await watch.next()) as { events: ReadonlyArray<{ value: string }> }
      seen.push(...events.map(({ value }) => Buffer.from(value, 'base64').toString()))
    }
    expect(seen.map((value) => value.slice(0, 9))).toEqual(values.map((value) => value.slice(0, 9)))
    expect(seen.map(({ length }) => length)).toEqual(values.map(({ length }) => length))
  })

  it('beyond the bound is refused; one that ends makes room', async () => {
    const cluster = await started({ maxWatches: 1 })
    const first = watching(cluster, 'n1', '?prefix=')
    await first.opened
    const second = await cluster.ask('n1', { path: '/v1/watch' })
    expect([second.status, errorOf(second).message]).toEqual([429, expect.stringContaining('maxWatches')])
    first.close()
    for (;;) if ((await cluster.ask('n1', { path: '/metrics' })).text.includes('rxraft_http_watches 0\n')) break
    const third = watching(cluster, 'n1', '?prefix=')
    expect((await third.opened).response.statusCode).toBe(200)
  })

  it.each(['?from=x', '?from=-1', '?prefix=%ff', '?since=4'])('%s is 400', async (query) => {
    const cluster = await started({}, { running: ['n1', 'n2'] })
    expect((await cluster.ask('n1', { path: `/v1/watch${query}` })).status).toBe(400)
  })

  it('HEAD tells only that there is one', async () => {
    const cluster = await started({}, { running: ['n1', 'n2'] })
    expect(await cluster.ask('n1', { method: 'HEAD', path: '/v1/watch' })).toMatchObject({ status: 200, text: '' })
  })
})
