import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { takeLock } from '../../streams/storage/disk/lock.js'
import { dataDirectory, done, errorOf, hasty, opened, temporaryDirectory } from './support.js'

interface Holder {
  readonly pid: number
  readonly startedAt: string | null
  readonly boot: string | null
  readonly token: string
}

const holderOf = (lock: string): Holder => JSON.parse(readFileSync(join(lock, 'holder'), 'utf8')) as Holder

/** A lock as this process would make it, with what is given changed. */
const leave = (lock: string, change: Partial<Holder> | string): void => {
  const probe = join(temporaryDirectory(), 'probe')
  const unlock = takeLock(probe)
  const own = holderOf(probe)
  if (either.isRight(unlock)) unlock.right()
  mkdirSync(lock)
  writeFileSync(join(lock, 'holder'), typeof change === 'string' ? change : JSON.stringify({ ...own, ...change }))
}

/** The id of a process that is no more. */
const deadPid = (): number => Number(execFileSync(process.execPath, ['-p', 'process.pid']).toString())

const gone = deadPid()
/** Whether this system tells when a process was started, and which boot this is. */
const tells = existsSync('/proc/self/stat')
const first = '0000000000000001'

const aLock = (): string => join(temporaryDirectory(), 'lock')

describe('the lock', () => {
  it('is held by one, until it is given back', () => {
    const lock = aLock()
    const first = takeLock(lock)
    const { pid, startedAt, boot } = holderOf(lock)
    expect([pid, startedAt !== null, boot !== null]).toEqual([process.pid, tells, tells])
    expect(takeLock(lock)).toMatchObject({
      left: { _tag: 'Locked', message: expect.stringContaining(`this process with id ${process.pid}`) },
    })
    if (either.isRight(first)) first.right()
    expect(either.isRight(takeLock(lock))).toBe(true)
  })

  it('of a living process is left alone, and named', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    try {
      const lock = aLock()
      const startedAt = tells ? readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[19]! : null
      leave(lock, { pid: child.pid!, startedAt })
      expect(takeLock(lock)).toMatchObject({
        left: { _tag: 'Locked', message: expect.stringContaining(`the process with id ${child.pid}. Stop that one first`) },
      })
      expect(holderOf(lock).pid).toBe(child.pid)
    } finally {
      child.kill()
    }
  })

  it.each<{ readonly why: string; readonly left: Partial<Holder> | string }>([
    { why: 'whose process is no more', left: { pid: gone } },
    ...(tells
      ? [
          { why: 'whose process id was given to another', left: { startedAt: '1' } },
          { why: 'of another boot', left: { boot: 'another' } },
        ]
      : []),
    { why: 'that a power loss left empty', left: '' },
    { why: 'that names no process', left: { pid: 0 } },
    { why: 'whose token would lead elsewhere', left: { pid: gone, token: '../../elsewhere' } },
    { why: 'that a power loss left garbled', left: '\0\0\0' },
  ])('$why is taken over, and nothing is left beside it', ({ left }) => {
    const lock = aLock()
    leave(lock, left)
    expect(either.isRight(takeLock(lock))).toBe(true)
    expect(holderOf(lock)).toMatchObject({ pid: process.pid })
    expect(readdirSync(join(lock, '..'))).toEqual(['lock'])
  })

  it('whose holder died while it removed that of another is taken over, too', () => {
    const lock = aLock()
    leave(lock, { pid: gone, token: first })
    leave(`${lock}.of-${first}`, { pid: gone, token: '0000000000000002' })
    expect(either.isRight(takeLock(lock))).toBe(true)
    expect(readdirSync(join(lock, '..'))).toEqual(['lock'])
  })

  it('that another is just taking over is left to that one', () => {
    const lock = aLock()
    leave(lock, { pid: gone, token: first })
    leave(`${lock}.of-${first}`, {})
    expect(takeLock(lock)).toMatchObject({ left: { _tag: 'Locked' } })
    expect(holderOf(lock).token).toBe(first)
  })

  it('of a dead process is taken over by exactly one of many who find it at once', async () => {
    const directory = temporaryDirectory()
    const lock = join(directory, 'lock')
    const script = racerScript(lock)
    const racers = await Promise.all(Array.from({ length: 4 }, () => racer(script)))
    const rounds = 25
    for (let round = 0; round < rounds; round++) {
      leave(lock, { pid: gone, token: String(round).padStart(16, '0') })
      for (const { child } of racers) child.stdin.write('go\n')
      const outcomes = await Promise.all(racers.map(({ line }) => line()))
      expect(outcomes.sort()).toEqual(['held', 'locked', 'locked', 'locked'])
      for (const { child } of racers) child.stdin.write('leave\n')
      await Promise.all(racers.map(({ line }) => line()))
      expect(readdirSync(directory)).toEqual([])
    }
    for (const { child } of racers) child.stdin.end()
    await Promise.all(racers.map(({ child }) => once(child, 'exit')))
  })
})

/** A program that on each `go` tries for the lock, and on `leave` gives it back. */
const racerScript = (lock: string): string => {
  const directory = temporaryDirectory()
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const module = join(directory, 'lock.cjs')
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [
    join(root, 'streams/storage/disk/lock.ts'),
    '--bundle',
    '--platform=node',
    '--log-level=error',
    `--outfile=${module}`,
  ])
  const script = join(directory, 'racer.cjs')
  writeFileSync(
    script,
    `
    const { takeLock } = require(${JSON.stringify(module)})
    let taken
    console.log('ready')
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      if (line === 'go') {
        taken = takeLock(${JSON.stringify(lock)})
        console.log(taken._tag === 'Right' ? 'held' : 'locked')
      } else {
        if (taken._tag === 'Right') taken.right()
        console.log('left')
      }
    })
  `,
  )
  return script
}

const racer = async (script: string) => {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (): Promise<string> => String((await lines.next()).value)
  expect(await line()).toBe('ready')
  return { child, line }
}

describe('a data directory', () => {
  it('is open once in a process', async () => {
    const directory = await dataDirectory()
    const { open } = await opened(diskStorage(directory, { fileSystem: hasty }))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Locked',
      message: expect.stringContaining(`(id ${process.pid})`),
    })
    await done(open.close())
    const again = await opened(diskStorage(directory, { fileSystem: hasty }))
    await done(again.open.close())
  })

  it('that another process has open is refused, and stays as it is', async () => {
    const directory = await dataDirectory()
    leave(join(directory, 'lock'), { pid: process.ppid, startedAt: null })
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Locked',
      message: expect.stringContaining(`id ${process.ppid}`),
    })
    expect(holderOf(join(directory, 'lock')).pid).toBe(process.ppid)
  })
})
