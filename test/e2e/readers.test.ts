import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { connect } from 'node:net'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePortBase, killAll, run, type Running, start } from './processes.js'
import { agree, until } from './servers.js'

let cwd: string
let base: number
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rxraft-readers-'))
  base = await freePortBase()
})
afterEach(async () => {
  await killAll()
  await rm(cwd, { recursive: true })
})

const peers = (): string => `n1=127.0.0.1:${base + 101}/${base + 1}`
const url = (): string => `http://127.0.0.1:${base + 1}`
const rxraft = (...args: ReadonlyArray<string>) => run(args, { cwd, env: { RXRAFT_PORT_BASE: String(base) } })

/** A cluster of one, or `start`; not yet up. */
const served = async (command: 'serve' | 'start', ...options: ReadonlyArray<string>): Promise<Running> => {
  if (command === 'start') return start(['start', '--port-base', String(base), ...options], { cwd })
  await rxraft('init', '--id', 'n1', '--peers', peers(), '--data', 'data')
  return start(['serve', '--id', 'n1', '--peers', peers(), '--data', 'data', ...options], { cwd })
}

/** Makes the server write a line of its log, whoever reads it. */
const strange = async (): Promise<void> => {
  const socket = connect(base + 101, '127.0.0.1')
  // At its bounds the server makes room without a word.
  socket.on('error', () => undefined)
  socket.end('GET / HTTP/1.1\r\n\r\n')
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
}

describe('a server', () => {
  it.each([
    { command: 'serve', output: 'stdout', options: [] },
    { command: 'start', output: 'stdout', options: [] },
    { command: 'serve', output: 'stderr', options: ['--json'] },
    { command: 'start', output: 'stderr', options: ['--json'] },
  ] as const)('serves on when whoever reads its log is gone: $command, $output', async ({ command, output, options }) => {
    const server = await served(command, ...options)
    await server.says(/^rxraft {2}/)
    server.child[output]!.destroy()
    await until(command === 'start' ? [1, 2, 3].map((n) => `http://127.0.0.1:${base + n}`) : [url()], agree)
    await strange()
    await strange()
    expect(await rxraft('put', 'a', 'b')).toMatchObject({ code: 0 })
    expect((await server.kill('SIGTERM')).code).toBe(0)
  })

  it('stops also while nobody reads its log', async () => {
    const server = await served('serve')
    await server.says(/won term/)
    server.child.stdout!.pause()
    await strange()
    server.child.kill('SIGTERM')
    const [code] = (await once(server.child, 'exit')) as [number]
    server.child.stdout!.resume()
    expect(code).toBe(0)
  })

  it('tells of a thousand refusals in a few lines', async () => {
    const server = await served('serve')
    await server.says(/won term/)
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 50 }, strange))
    await server.says(/refused [\d,]+ more within 10 s: [\d,]+ of kind \w+/)
    const { stdout } = await server.kill('SIGTERM')
    expect(stdout.match(/ refused /g)!.length).toBeLessThanOrEqual(30)
  })
})

describe('what prints', () => {
  it('ends quietly with 0 when its reader has heard enough', async () => {
    const server = await served('serve')
    await server.says(/won term/)
    for (const key of ['a', 'b', 'c']) await rxraft('put', key, 'x')
    const watching = start(['watch', '--from', '1'], { cwd, env: { RXRAFT_ENDPOINTS: url() } })
    await watching.says(/PUT\ta/)
    watching.child.stdout!.destroy()
    await rxraft('put', 'd', 'x')
    expect(await watching.exited).toMatchObject({ code: 0, stderr: '' })

    const getting = start(['get', '--prefix', ''], { cwd, env: { RXRAFT_ENDPOINTS: url() } })
    getting.child.stdout!.destroy()
    expect(await getting.exited).toMatchObject({ code: 0, stderr: '' })
  })

  it('says what came of it with its exit code also then', async () => {
    const refused = start(['put', '', 'x', '--timeout-ms', '200'], { cwd, env: { RXRAFT_ENDPOINTS: url() } })
    refused.child.stderr!.destroy()
    expect((await refused.exited).code).toBe(1)
    const simulated = start(['sim', '--seed', '1', '--for-ms', '1000', '--json'], { cwd })
    simulated.child.stdout!.destroy()
    expect(await simulated.exited).toMatchObject({ code: 0, stderr: expect.not.stringContaining('Error') })
  })
})
