import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { noopEntry } from '../../src/raft/state/entry.js'
import { maxIncludedIndex, maxTerm, maxTermLead, nodeId, type Term, term } from '../../src/raft/ids.js'
import { Message } from '../../src/raft/messages.js'
import { frameType } from '../../streams/network/tcp/frame.js'
import { call, closeAll, greeting, hello, messageFrame } from '../network/tcp/cluster.js'
import { freePortBase, killAll, run, type Running, start } from './processes.js'
import { agree, type Status, until } from './servers.js'

/*
 * What must not be believed, on real processes: a data directory that took the place of a lost one, and a stranger with
 * a good greeting.
 */

const ids = ['n1', 'n2', 'n3'] as const
type Id = (typeof ids)[number]

let cwd: string
let base: number
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rxraft-strangers-'))
  base = await freePortBase()
})
afterEach(async () => {
  closeAll()
  await killAll()
  await rm(cwd, { recursive: true })
})

const number = (id: Id): number => Number(id.slice(1))
const urlOf = (id: Id): string => `http://127.0.0.1:${base + number(id)}`
const peers = (): string => ids.map((id) => `${id}=127.0.0.1:${base + 100 + number(id)}/${base + number(id)}`).join()
const server = (id: Id): ReadonlyArray<string> => ['--id', id, '--peers', peers(), '--data', id]
const init = async (id: Id): Promise<void> => expect(await run(['init', ...server(id)], { cwd })).toMatchObject({ code: 0 })
const serve = (id: Id): Running => start(['serve', ...server(id)], { cwd })
const ask = (...args: ReadonlyArray<string>) => run([...args, '--peers', peers()], { cwd })
const standing = (of: ReadonlyArray<Id>, stand: (all: ReadonlyArray<Status>) => boolean = agree) => until(of.map(urlOf), stand)

describe('a wiped disk under its old name', () => {
  it('costs no acknowledged write: n1, which was away, and n3 without its disk elect nobody; with n2 the write is there', async () => {
    for (const id of ids) await init(id)
    const [n1, n2, n3] = ids.map(serve) as [Running, Running, Running]
    await standing(ids)
    await n1.kill('SIGTERM')
    await standing(['n2', 'n3'], (all) => all.some(({ role }) => role === 'Leader'))
    expect(await ask('put', 'k', 'v')).toMatchObject({ code: 0 })
    await Promise.all([n2.kill('SIGTERM'), n3.kill('SIGTERM')])

    await rm(join(cwd, 'n3'), { recursive: true })
    await init('n3')
    const [n1Again, wiped] = [serve('n1'), serve('n3')]
    await n1Again.says(/n3 comes with the data directory [0-9a-f]{32}, but [0-9a-f]{32} belongs to that name/)
    await wiped.says(/another data directory belongs to the name n3/)
    // It is asked for as long as a dozen elections take.
    const asked = await run(['get', 'k', '--peers', peers(), '--timeout-ms', '5000'], { cwd })
    expect(asked).not.toMatchObject({ code: 0 })
    expect(asked.stderr).not.toContain('There is no key')
    await standing(['n1', 'n3'], (all) => all.every(({ role }) => role !== 'Leader'))

    const n2Again = serve('n2')
    await standing(['n1', 'n2'], (all) => all.some(({ role }) => role === 'Leader'))
    expect(await ask('get', 'k')).toMatchObject({ code: 0, stdout: 'v' })
    expect([n1Again, n2Again, wiped].map(({ child }) => child.exitCode)).toEqual([null, null, null])
  }, 120_000)

  it('the first leader waits for every server, as the others could not tell an empty disk from a lost one', async () => {
    for (const id of ids) await init(id)
    serve('n2')
    serve('n3')
    const asked = await run(['put', 'k', 'v', '--peers', peers(), '--timeout-ms', '4000'], { cwd })
    expect(asked).not.toMatchObject({ code: 0 })
    await standing(['n2', 'n3'], (all) => all.every(({ role, term }) => role !== 'Leader' && term > 1))
    serve('n1')
    await standing(ids)
    expect(await ask('put', 'k', 'v')).toMatchObject({ code: 0 })
  }, 120_000)
})

describe('a stranger with a good greeting', () => {
  const greetingTo = async (to: Id, from: Id): Promise<unknown> => {
    const identity = JSON.parse(await readFile(join(cwd, from, 'identity.json'), 'utf8')) as { clusterId: string; incarnation: string }
    const { clusterId, incarnation } = identity
    return { ...greeting, clusterId, incarnation, from, to, constants: { ...greeting.constants, minElectionTimeoutMs: 300 } }
  }

  /** Every message, with each of its numbers at its limits, as far as the border lets it through. */
  const messages = (from: Id, to: Id, now: number): ReadonlyArray<Message> => {
    const limits = [0, 1, 2 ** 32, maxIncludedIndex, 2 ** 48 - 1, Number.MAX_SAFE_INTEGER]
    const terms = [now, now + 1, now + maxTermLead, now + maxTermLead + 1, maxTerm - 1, maxTerm]
    const request = { from, to, seq: 1 }
    const reply = { from, to, re: 1 }
    const bases: ReadonlyArray<(T: Term) => Readonly<Record<string, unknown>>> = [
      (T) => ({ _tag: 'RequestVote', ...request, term: T, candidateId: from, lastLogIndex: 0, lastLogTerm: 0 }),
      (T) => ({ _tag: 'RequestVoteReply', ...reply, term: T, voteGranted: true }),
      (T) => ({
        _tag: 'AppendEntries',
        ...request,
        term: T,
        leaderId: from,
        prevLogIndex: 0,
        prevLogTerm: 0,
        entries: [noopEntry(T)],
        leaderCommit: 0,
      }),
      (T) => ({ _tag: 'AppendEntriesReply', ...reply, term: T, success: true, matchIndex: 0, conflict: null }),
      (T) => ({
        _tag: 'InstallSnapshot',
        ...request,
        term: T,
        leaderId: from,
        lastIncludedIndex: 1_000,
        lastIncludedTerm: 1,
        configuration: votersOnly(ids.map(nodeId)),
        offset: 0,
        data: Uint8Array.of(1, 2, 3),
        done: true,
      }),
      (T) => ({ _tag: 'InstallSnapshotReply', ...reply, term: T, offset: 0, matchIndex: 0 }),
    ]
    return bases.flatMap((make) =>
      terms.flatMap((T) => {
        const plain = make(term(T))
        const numbers = Object.keys(plain).filter((field) => typeof plain[field] === 'number' && field !== 'term')
        return [plain, ...numbers.flatMap((field) => limits.map((limit) => ({ ...plain, [field]: limit })))].filter(Message.is)
      }),
    )
  }

  it('stops no server, whatever each number of each message is; when it has gone, they elect and commit, and so after a restart', async () => {
    for (const id of ids) await init(id)
    const running = ids.map(serve)
    const [first] = await standing(ids)
    expect(await ask('put', 'k', 'v')).toMatchObject({ code: 0 })

    for (const [from, to] of [
      ['n2', 'n1'],
      ['n3', 'n2'],
      ['n1', 'n3'],
    ] as const) {
      const all = messages(from, to, first!.term)
      expect(all.length).toBeGreaterThan(150)
      // Its namesake calls again and takes its place, so it says hello for each.
      for (const message of all) {
        const connection = call({ host: '127.0.0.1', port: base + 100 + number(to) })
        connection.write(hello(await greetingTo(to, from)))
        await Promise.race([connection.json(frameType.welcome), connection.closed])
        connection.write(messageFrame(message))
        connection.socket.end()
        await connection.closed
      }
    }
    expect(running.map(({ child }) => child.exitCode)).toEqual([null, null, null])
    // It was heard, and moved them as far as a message may.
    const [after] = await standing(ids)
    expect(after!.term).toBeGreaterThan(maxTermLead)
    expect(await ask('put', 'k', 'w')).toMatchObject({ code: 0 })

    const codes = (await Promise.all(running.map((one) => one.kill('SIGTERM')))).map(({ code }) => code)
    expect(codes).toEqual([0, 0, 0])
    for (const id of ids) serve(id)
    await standing(ids)
    expect(await ask('get', 'k')).toMatchObject({ code: 0, stdout: 'w' })
  }, 240_000)
})
