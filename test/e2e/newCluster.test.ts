import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePortBase, killAll, type Ran, run, type Running, start } from './processes.js'
import { agree, storeIn, until } from './servers.js'

const ids = ['n1', 'n2', 'n3']
const keys = 500

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rxraft-new-cluster-'))
})
afterEach(async () => {
  await killAll()
  await rm(cwd, { recursive: true })
})

interface Held {
  readonly id: string
  readonly lastTerm: number
  readonly lastIndex: number
}

const heldBy = ({ stdout }: Ran): Held => JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Held

it('a new cluster begins with what the old servers left: the one that has the most, in one new directory', async () => {
  const base = await freePortBase()
  const urls = ids.map((_, i) => `http://127.0.0.1:${base + 1 + i}`)
  const peers = ids.map((id, i) => `${id}=127.0.0.1:${base + 101 + i}/${base + 1 + i}`).join()
  const rxraft = (command: string, id: string, data: string, ...more: ReadonlyArray<string>): ReadonlyArray<string> => [
    ...[command, '--id', id, '--peers', peers, '--data', join(data, id)],
    ...more,
  ]
  const serve = (data: string) => (id: string) => start(rxraft('serve', id, data, '--snapshot-entries', '200'), { cwd })
  const stop = async (running: ReadonlyArray<Running>): Promise<void> => {
    expect((await Promise.all(running.map((one) => one.kill('SIGTERM')))).map(({ code }) => code)).toEqual(running.map(() => 0))
  }

  for (const id of ids) expect(await run(rxraft('init', id, 'old'), { cwd })).toMatchObject({ code: 0 })
  const [n1, n2, n3] = ids.map(serve('old')) as [Running, Running, Running]
  await until(urls, agree)
  await stop([n3])
  const words = Array.from({ length: keys }, (_, i) => `word-${i}\n`).join('')
  expect(await run(['load', '-', '--peers', peers, '--json'], { cwd, stdin: words })).toMatchObject({ code: 0 })
  expect(await run(rxraft('init', 'n1', 'busy', '--cluster', 'next', '--from', join('old', 'n1')), { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is held by the process'),
  })
  await stop([n1, n2])

  expect(await run(rxraft('init', 'n1', 'new', '--from', join('old', 'n1')), { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--cluster NAME'),
  })
  const held: Held[] = []
  for (const id of ids)
    held.push(heldBy(await run(rxraft('init', id, 'candidates', '--cluster', 'next', '--from', join('old', id), '--json'), { cwd })))
  const [most] = [...held].sort((a, b) => b.lastTerm - a.lastTerm || b.lastIndex - a.lastIndex)
  expect(['n1', 'n2']).toContain(most!.id)
  expect((await storeIn(join(cwd, 'candidates', most!.id))).keys.size).toBe(keys)

  for (const id of ids) {
    const from = id === most!.id ? ['--from', join('old', id)] : []
    const made = await run(rxraft('init', id, 'new', '--cluster', 'next', ...from), { cwd })
    expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('The first election needs all of them. Keep ') })
    expect(made.stdout.includes('Make the other servers without --from')).toBe(from.length > 0)
  }
  const running = ids.map(serve('new'))
  await until(urls, (all) => agree(all) && all.every((status) => status.keys === keys))
  expect(await run(['get', 'word-499', '--peers', peers], { cwd })).toMatchObject({ code: 0, stdout: '500' })
  expect(await run(['put', 'word-500', 'more', '--peers', peers], { cwd })).toMatchObject({ code: 0 })
  await until(urls, (all) => agree(all) && all.every((status) => status.keys === keys + 1))
  await stop(running)
  for (const id of ids) expect((await storeIn(join(cwd, 'new', id))).keys.size).toBe(keys + 1)
}, 120_000)
