import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digest } from '../../src/kv/snapshot.js'
import { freePortBase, killAll, run, type Running, start } from './processes.js'
import { agree, type Status, storeIn, until } from './servers.js'

const ids = ['n1', 'n2', 'n3']
const keys = 3_000
const everyEntries = 200

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rxraft-snapshots-'))
})
afterEach(async () => {
  await killAll()
  await rm(cwd, { recursive: true })
})

it('a server that was down while thousands of keys were written catches up by snapshot, and all of it is there after a restart', async () => {
  const base = await freePortBase()
  const urls = ids.map((_, i) => `http://127.0.0.1:${base + 1 + i}`)
  const peers = ids.map((id, i) => `${id}=127.0.0.1:${base + 101 + i}/${base + 1 + i}`).join()
  const server = (id: string): ReadonlyArray<string> => ['--id', id, '--peers', peers, '--data', id]
  const serve = (id: string): Running => start(['serve', ...server(id), '--snapshot-entries', `${everyEntries}`], { cwd })
  const level = (all: ReadonlyArray<Status>): boolean => agree(all) && new Set(all.map(({ lastApplied }) => lastApplied)).size === 1
  const stop = async (running: ReadonlyArray<Running>): Promise<ReadonlyArray<number>> => {
    await until(urls, level)
    expect((await Promise.all(running.map((one) => one.kill('SIGTERM')))).map(({ code }) => code)).toEqual([0, 0, 0])
    const stores = await Promise.all(ids.map((id) => storeIn(join(cwd, id))))
    expect(stores.map((store) => store.keys.size)).toEqual([keys, keys, keys])
    return stores.map(digest)
  }

  for (const id of ids) expect(await run(['init', ...server(id)], { cwd })).toMatchObject({ code: 0 })
  const [n1, n2, n3] = ids.map(serve) as [Running, Running, Running]
  await until(urls, agree)
  await n3.kill('SIGKILL')
  const words = Array.from({ length: keys }, (_, i) => `word-${i}\n`).join('')
  expect(await run(['load', '-', '--peers', peers, '--json'], { cwd, stdin: words })).toMatchObject({ code: 0 })

  const back = serve('n3')
  const isShort = ({ lastApplied, snapshotIndex }: Status): boolean => lastApplied - snapshotIndex < everyEntries
  const all = await until(urls, (all) => level(all) && all.every((status) => status.keys === keys && isShort(status)))
  expect(all.find(({ id }) => id === 'n3')!.snapshotsInstalled).toBeGreaterThan(0)
  const before = await stop([n1, n2, back])
  expect(new Set(before).size).toBe(1)

  const again = ids.map(serve)
  await until(urls, level)
  expect(await stop(again)).toEqual(before)
}, 300_000)
