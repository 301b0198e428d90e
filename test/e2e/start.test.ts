import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastValueFrom } from 'rxjs'
import { createClient, kv } from '../../streams/kv.js'
import { httpTransport } from '../../streams/node.js'
import { freePortBase, killAll, run, type Running, start } from './processes.js'

let cwd: string
let base: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rxraft-start-'))
  base = String(await freePortBase())
})
afterEach(async () => {
  await killAll()
  await rm(cwd, { recursive: true })
})

const ports = (): ReadonlyArray<string> => ['--port-base', base]
const rxraft = (...args: ReadonlyArray<string>) => run(args, { cwd, env: { RXRAFT_PORT_BASE: base } })

/** Three servers in one process that have a leader. */
const started = async (): Promise<Running> => {
  const servers = start(['start', ...ports()], { cwd })
  await servers.says(/ won term /)
  return servers
}

const json = ({ stdout }: { readonly stdout: string }): unknown => JSON.parse(stdout.trim().split('\n').at(-1) ?? '')

describe('rxraft start', () => {
  it('keeps what was acknowledged, also when it is killed', async () => {
    const first = await started()
    expect(await rxraft('put', 'greeting', 'hello')).toEqual({ code: 0, stdout: 'revision 2\n', stderr: '' })
    expect(await rxraft('get', 'greeting')).toEqual({ code: 0, stdout: 'hello', stderr: '' })
    await first.kill('SIGKILL')

    const second = await started()
    expect((await rxraft('get', 'greeting')).stdout).toBe('hello')
    expect(await second.kill('SIGTERM')).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nStopped\. .*\n$/) })

    const third = await started()
    expect((await rxraft('get', 'greeting')).stdout).toBe('hello')
    expect((await third.kill('SIGINT')).code).toBe(0)
  })

  it('says where to send requests and what happens, and with --json one line, last', async () => {
    const servers = start(['start', ...ports(), '--json'], { cwd })
    await servers.says(new RegExp(`^n3 takes requests at http://127.0.0.1:${Number(base) + 3}$`))
    await servers.says(/ n[123] {2}won term \d+, and leads with \d+ entr/)
    const { stdout, stderr } = await servers.kill('SIGTERM')
    expect(stdout).toBe('{"ok":true,"servers":["n1","n2","n3"]}\n')
    expect(stderr).toContain('stands for election in term')
  })

  it('says what to do where it cannot', async () => {
    const servers = await started()
    const other = String(await freePortBase())
    const locked = await run(['start', '--port-base', other], { cwd })
    expect(locked).toMatchObject({ code: 1, stdout: '' })
    expect(locked.stderr).toMatch(/^rxraft: .*data\/n[123].*\n$/)

    const taken = await run(['start', ...ports(), '--data', 'elsewhere'], { cwd })
    expect(taken).toMatchObject({ code: 1, stdout: '' })
    expect(taken.stderr).toMatch(new RegExp(`^rxraft: Port ${base.slice(0, -1)}\\d of 127\\.0\\.0\\.1 is .*, or .*\\.\\n$`))
    await servers.kill('SIGTERM')

    await writeFile(join(cwd, 'file'), '')
    const unreadable = await run(['start', ...ports(), '--data', 'file'], { cwd })
    expect(unreadable).toMatchObject({ code: 1, stdout: '' })
    expect(unreadable.stderr).toMatch(/^rxraft: file\/n[123].* cannot be opened .* directory which this user may read and write\.\n$/)

    await writeFile(join(cwd, 'rxraft.config.json'), '{ "portBase": "7400" }')
    const badFile = await run(['start'], { cwd })
    expect(badFile).toEqual({
      code: 2,
      stdout: '',
      stderr: 'rxraft: rxraft.config.json: portBase is "7400", not a port from 1 to 65,000\n',
    })
  })
})

describe('rxraft serve', () => {
  it('needs a directory that init made, and makes none twice', async () => {
    const peers = `n1=127.0.0.1:${Number(base) + 101}/${Number(base) + 1}`
    const options = ['--id', 'n1', '--peers', peers, '--data', 'here']
    expect(await rxraft('serve', ...options)).toMatchObject({
      code: 1,
      stderr: 'rxraft: here holds no server. Make one there with `rxraft init`, once, and then start it.\n',
    })
    expect(await rxraft('serve', '--id', 'n2', '--peers', peers)).toMatchObject({
      code: 2,
      stderr: 'rxraft: n2 is not among the peers (n1): name one of them, or add it.\n',
    })
    expect(json(await rxraft('init', ...options, '--json'))).toMatchObject({
      ok: true,
      id: 'n1',
      cluster: expect.stringMatching(/^cluster-/),
      directory: 'here',
    })
    expect(await rxraft('init', ...options)).toMatchObject({ code: 1, stderr: expect.stringContaining('here is not empty') })

    const server = start(['serve', ...options], { cwd })
    await server.says(/won term 1/)
    expect((await rxraft('put', 'a', 'b')).code).toBe(0)
    expect((await server.kill('SIGTERM')).code).toBe(0)
  })
})

describe('rxraft watch', () => {
  it('refuses a revision that was compacted, in a sentence', async () => {
    await started()
    for (const value of ['1', '2', '3']) await rxraft('put', 'a', value)
    const client = createClient({ transport: httpTransport(), endpoints: [1, 2, 3].map((n) => `http://127.0.0.1:${Number(base) + n}`) })
    await lastValueFrom(client.execute({ _tag: 'Compact', revision: kv.revision(4) }))
    client.close()
    const ran = await rxraft('watch', '--from', '1', '--json')
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringMatching(/^rxraft: .*\n$/) })
    expect(json(ran)).toMatchObject({ ok: false, outcome: 'Refused', reason: 'Compacted', compactRevision: 4 })
  })
})

describe('exit codes', () => {
  it('tell done, refused and usage apart, each with one line of JSON', async () => {
    await started()
    await writeFile(join(cwd, 'words.txt'), 'a\n\nü\n')
    await writeFile(join(cwd, 'unfit.txt'), `a\n${'b'.repeat(5_000)}\nc\n`)
    const table: ReadonlyArray<readonly [ReadonlyArray<string>, number, object]> = [
      [['put', 'a', '1'], 0, { ok: true, key: 'a', revision: 2 }],
      [['append', 'a', '2'], 0, { ok: true, key: 'a', revision: 3 }],
      [['get', 'a'], 0, { ok: true, key: 'a', value: 'MTI=', text: '12', createRevision: 2, modRevision: 3, version: 2 }],
      [['cas', 'a', 'x', '--revision', '2'], 1, { ok: false, outcome: 'Refused', reason: 'Conflict', item: { modRevision: 3 } }],
      [['cas', 'a', 'x', '--revision', '3'], 0, { ok: true, revision: 4 }],
      [['cas', 'b', 'x', '--revision', '0'], 0, { ok: true, revision: 5 }],
      [['get', '--prefix', ''], 0, { ok: true, revision: 5, more: false, items: [{ key: 'a' }, { key: 'b' }] }],
      [['get', 'a', '--revision', '3'], 0, { text: '12' }],
      [['get', 'a', '--revision', '99'], 1, { ok: false, reason: 'FutureRevision' }],
      [['del', 'a'], 0, { ok: true, deleted: 1, revision: 6 }],
      [['del', 'a'], 0, { ok: true, deleted: 0 }],
      [['get', 'a'], 1, { ok: false, outcome: 'Refused', reason: 'NotFound' }],
      [['put', '', 'x'], 1, { ok: false, outcome: 'Refused', reason: 'KeyEmpty' }],
      [['watch', '--from', '5', '--limit', '2'], 0, { ok: true, changes: 2, revision: 6 }],
      [['status'], 0, { ok: true, leader: expect.stringMatching(/^n[123]$/), servers: [{ id: 'n1' }, { id: 'n2' }, { id: 'n3' }] }],
      [['status', '--endpoints', '127.0.0.1:1'], 1, { ok: false, reason: 'Unavailable' }],
      [['put', 'a', '1', '--endpoints', '127.0.0.1:1', '--timeout-ms', '200'], 1, { ok: false, outcome: 'Refused', reason: 'Unavailable' }],
      [['load', 'words.txt'], 0, { ok: true, keys: 2, retries: 0 }],
      [['get', 'ü'], 0, { text: '3', version: 1 }],
      [['load', 'unfit.txt'], 1, { ok: false, reason: 'UnfitLine', keys: 1 }],
      [['load', 'missing.txt'], 1, { ok: false, reason: 'Unreadable' }],
      [['load', 'words.txt', '--in-flight', '0'], 2, { ok: false, outcome: 'Usage' }],
      [['cas', 'a', 'x'], 2, { ok: false, outcome: 'Usage' }],
      [['cas', 'a', 'x', '--revision', 'one'], 2, { ok: false, outcome: 'Usage', message: '--revision is "one", not a whole number' }],
      [['put', 'a'], 2, { ok: false, outcome: 'Usage' }],
      [['putt', 'a'], 2, { ok: false, outcome: 'Usage', message: expect.stringContaining('Did you mean put?') }],
      [['get', 'a', '--endpoints', 'nowhere'], 2, { ok: false, outcome: 'Usage', reason: 'Configuration' }],
    ]
    for (const [args, code, answer] of table) {
      const ran = await rxraft(...args, '--json')
      expect({ args, code: ran.code, answer: json(ran) }).toMatchObject({ args, code, answer })
      expect(ran.stderr).toMatch(code === 0 ? /^$/ : /^rxraft: .*\n$/)
    }
  })

  it('say 3 where nobody knows: the answer was lost, and the put was done', async () => {
    await started()
    const { servers, leader } = json(await rxraft('status', '--json')) as {
      readonly leader: string
      readonly servers: ReadonlyArray<{ readonly id: string; readonly endpoint: string }>
    }
    const { endpoint } = servers.find(({ id }) => id === leader)!

    // Passes everything on, and the answers back until it has done so once: then it keeps them.
    let answered = 0
    const forgetful = createServer((req, res) => {
      const passed = request(`${endpoint}${req.url ?? ''}`, { method: req.method, headers: req.headers }, (answer) => {
        if (answered++ > 0) return answer.resume()
        res.writeHead(answer.statusCode ?? 0, answer.headers)
        return answer.pipe(res)
      })
      req.pipe(passed)
    })
    await once(forgetful.listen(0, '127.0.0.1'), 'listening')
    const { port } = forgetful.address() as AddressInfo
    const ran = await rxraft('put', 'schroedinger', 'cat', '--endpoints', `127.0.0.1:${port}`, '--timeout-ms', '1500', '--json')
    forgetful.closeAllConnections()
    forgetful.close()
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringMatching(/^rxraft: .*\n$/) })
    expect(json(ran)).toMatchObject({ ok: false, outcome: 'Unknown' })
    expect((await rxraft('get', 'schroedinger')).stdout).toBe('cat')
  })
})
