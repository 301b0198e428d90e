import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, fdatasync, mkdtempSync, openSync, rmSync, write } from 'node:fs'
import { Agent, createServer as createHttpServer, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Task } from './durableServer.js'
import { keepUnderWay, perSecond } from './measure.js'

const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port)
  for (const server of servers) server.close()
  return ports
}

/** A file system in memory, where a sync costs what the call costs; null where there is none. */
export const memoryFiles: string | null = existsSync('/dev/shm') ? '/dev/shm' : null

/** Runs `use` with a directory that is removed afterwards. */
export const inDirectory = async <A>(use: (directory: string) => Promise<A>, within = tmpdir()): Promise<A> => {
  const directory = mkdtempSync(join(within, 'rxraft-bench-'))
  try {
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const cluster = ['n1', 'n2', 'n3']

/** Resolves with the first value that `pick` finds among the messages of any of `children`. */
const told = <A>(
  children: ReadonlyArray<ChildProcess>,
  pick: (message: Record<string, unknown>, child: ChildProcess) => A | undefined,
): Promise<A> =>
  new Promise((resolve, reject) => {
    for (const child of children) {
      child.on('message', (message: Record<string, unknown>) => {
        if (message['why'] !== undefined) reject(new Error(JSON.stringify(message)))
        const picked = pick(message, child)
        if (picked !== undefined) resolve(picked)
      })
      child.on('error', reject)
    }
  })

/** Three processes of `script`, one server each, with the ports they need; `use` gets the one that leads. */
export const threeProcesses = <A>(
  script: string,
  portsEach: number,
  use: (leader: ChildProcess, message: Record<string, unknown>) => Promise<A>,
  within?: string,
): Promise<A> =>
  inDirectory(async (directory) => {
    const ports = await freePorts(cluster.length * portsEach)
    const peers = JSON.stringify(Object.fromEntries(cluster.map((id, i) => [id, ports[i]])))
    const file = fileURLToPath(new URL(script, import.meta.url))
    const children = cluster.map((id) => fork(file, [id, join(directory, id), peers, JSON.stringify(ports)]))
    try {
      const [leader, message] = await told(children, (said, child) => (said['role'] === 'Leader' ? ([child, said] as const) : undefined))
      return await use(leader, message)
    } finally {
      for (const child of children) child.kill('SIGKILL')
      await Promise.all(
        children.filter((child) => child.exitCode === null && child.signalCode === null).map((child) => once(child, 'exit')),
      )
    }
  }, within)

/**
 * Commits per second of three processes with real logs and TCP, proposed in the leader's process; and the own pace of
 * the disk that holds `within`.
 */
export const durable = async (
  operations: Readonly<Record<number, number>>,
  within?: string,
): Promise<{ readonly rates: Record<string, number>; readonly rawFsync: number }> => {
  const rates = await threeProcesses(
    './durableServer.js',
    1,
    async (leader) => {
      const measured: Record<string, number> = {}
      for (const [concurrency, total] of Object.entries(operations)) {
        const rate = told([leader], (message) => message['rate'] as number | undefined)
        leader.send({ concurrency: Number(concurrency), total } satisfies Task)
        measured[`c${concurrency}`] = await rate
      }
      return measured
    },
    within,
  )
  return { rates, rawFsync: await inDirectory(rawFsync, within) }
}

/** Appends of 256 bytes, each synced before the next, per second: what one writer can do on this disk. */
const rawFsync = async (directory: string): Promise<number> => {
  const fd = openSync(join(directory, 'raw'), 'a')
  const append = promisify(write)
  const sync = promisify(fdatasync)
  const record = Buffer.alloc(256)
  const rate = await perSecond(
    async (n) => {
      for (let i = 0; i < n; i++) {
        await append(fd, record)
        await sync(fd)
      }
    },
    3_000,
    3,
  )
  closeSync(fd)
  return rate
}

/** PUTs of 256 bytes from this process, `concurrency` at a time over as many kept connections. */
const putAll = async (url: string, concurrency: number, total: number): Promise<void> => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const value = Buffer.alloc(256, 7)
  let key = 0
  await keepUnderWay(concurrency, total, (done, failed) => () => {
    const put = request(
      `${url}/v1/kv/key${key++ % 10_000}`,
      { method: 'PUT', agent, headers: { 'content-length': value.length } },
      (response) => {
        response.resume().on('end', () => (response.statusCode === 200 ? done() : failed(new Error(`status ${response.statusCode}`))))
      },
    )
    put.on('error', failed)
    put.end(value)
  })
  agent.destroy()
}

const putRates = async (url: string, operations: Readonly<Record<number, number>>): Promise<Record<string, number>> => {
  const rates: Record<string, number> = {}
  for (const [concurrency, total] of Object.entries(operations)) {
    rates[`c${concurrency}`] = await perSecond((n) => putAll(url, Number(concurrency), n), total, 3)
  }
  return rates
}

/**
 * PUTs per second against three processes of the key/value service, from this one; and against a server that only
 * answers.
 */
export const http = async (
  operations: Readonly<Record<number, number>>,
): Promise<{ readonly rates: Record<string, number>; readonly bare: Record<string, number> }> => {
  const rates = await threeProcesses('./httpServer.js', 2, (_, { url }) => putRates(String(url), operations))
  const bare = createHttpServer((incoming, response) => {
    incoming.resume().on('end', () => response.end('{}'))
  }).listen(0, '127.0.0.1')
  await once(bare, 'listening')
  const { port } = bare.address() as { readonly port: number }
  const bareRates = await putRates(`http://127.0.0.1:${port}`, operations)
  bare.close()
  return { rates, bare: bareRates }
}
