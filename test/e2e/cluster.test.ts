import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import wordList from 'word-list'
import { keyOfBytes } from '../../src/kv/key.js'
import { digest } from '../../src/kv/snapshot.js'
import type { Store } from '../../src/kv/store.js'
import { freePortBase, killAll, run, type Running, start } from './processes.js'
import { agree, storeIn, until } from './servers.js'

const ids = ['n1', 'n2', 'n3']
const kills = 21
/** What there is to put while one leads. */
const wordsPerReign = 5_000

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'rxraft-cluster-'))
})
afterEach(async () => {
  await killAll()
  await rm(cwd, { recursive: true })
})

/** Three processes, each with its directory, and what one does to them. */
const cluster = (base: number) => {
  const urls = ids.map((_, i) => `http://127.0.0.1:${base + 1 + i}`)
  const peers = ids.map((id, i) => `${id}=127.0.0.1:${base + 101 + i}/${base + 1 + i}`).join()
  const server = (id: string): ReadonlyArray<string> => ['--id', id, '--peers', peers, '--data', id]
  const processes = new Map<string, Running>()
  const serve = (id: string): unknown => processes.set(id, start(['serve', ...server(id)], { cwd }))

  return {
    urls,
    peers,
    init: () => Promise.all(ids.map((id) => run(['init', ...server(id)], { cwd }))),
    serve: async () => {
      ids.forEach(serve)
      await until(urls, agree)
    },
    killAndRestart: async (id: string) => {
      await processes.get(id)!.kill('SIGKILL')
      serve(id)
    },
    /** In good order, once all have applied the same; gives what each has on its disk. */
    stop: async (): Promise<ReadonlyArray<Store>> => {
      await until(urls, (all) => agree(all) && new Set(all.map(({ lastApplied }) => lastApplied)).size === 1)
      const ended = await Promise.all(ids.map((id) => processes.get(id)!.kill('SIGTERM')))
      expect(ended.map(({ code }) => code)).toEqual([0, 0, 0])
      return Promise.all(ids.map((id) => storeIn(join(cwd, id))))
    },
  }
}

/** The first of the words that a store does not hold once, with the number of their line. */
const amiss = ({ keys }: Store, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const isAmiss = (word: string, i: number): boolean => {
    const kv = keys.get(keyOfBytes(Buffer.from(word)))
    return kv?.version !== 1 || Buffer.from(kv.value).toString() !== String(i + 1)
  }
  return words.filter(isAmiss).slice(0, 10)
}

it('loses nothing and does nothing twice while its leader is killed again and again', async () => {
  const words = (await readFile(wordList, 'utf8')).split('\n').slice(0, kills * wordsPerReign)
  const { urls, peers, init, serve, killAndRestart, stop } = cluster(await freePortBase())
  expect((await init()).map(({ code }) => code)).toEqual([0, 0, 0])
  await serve()

  const load = start(['load', '-', '--peers', peers, '--json'], { cwd })
  for (let kill = 0; kill < kills; kill++) {
    const before = kill * wordsPerReign
    await until(urls, agree)
    load.child.stdin!.write(`${words.slice(before, before + wordsPerReign).join('\n')}\n`)
    // Some of what it was just given is acknowledged, and most of it is not: now the leader dies.
    const [status] = await until(urls, (all) => agree(all) && all.some(({ keys }) => keys > before + wordsPerReign / 10))
    await killAndRestart(status?.leader ?? '')
  }
  load.child.stdin!.end()
  const { code, stdout, stderr } = await load.exited
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  const { keys, seconds, retries } = JSON.parse(stdout) as { readonly keys: number; readonly seconds: number; readonly retries: number }
  console.info(`${keys} keys in ${seconds} s through ${kills} kills of the leader; ${retries} attempts were repeated`)
  expect(keys).toBe(words.length)
  expect(retries).toBeGreaterThan(0)

  const stores = await stop()
  expect(stores.map((store) => ({ keys: store.keys.size, amiss: amiss(store, words) }))).toEqual(
    ids.map(() => ({ keys: words.length, amiss: [] })),
  )
  const digests = stores.map(digest)
  expect(new Set(digests).size).toBe(1)

  await serve()
  expect((await stop()).map(digest)).toEqual(digests)
}, 300_000)
