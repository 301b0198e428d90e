import { describe, expect, it } from '@jest/globals'
import { readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { VirtualTimeScheduler } from 'rxjs'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import type { FileSystem } from '../../streams/storage/disk/fileSystem.js'
import {
  command,
  configuration,
  dataDirectory,
  done,
  errorOf,
  found,
  hardState,
  hasty,
  opened,
  persist,
  plain,
  segmentOne,
  temporaryDirectory,
} from './support.js'

const systemError = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`${code}: as told`), { code })

type Call = 'write' | 'fdatasync' | 'fsync' | 'open'

/**
 * A file system whose n-th call of a kind, counted from when it is armed, fails. Counts every call that may change the
 * disk.
 */
const failing = (call: Call, code: string) => {
  let left = Number.POSITIVE_INFINITY
  let changes = 0
  const fails = (here: Call): boolean => {
    if (here !== 'open') changes++
    return here === call && --left === 0
  }
  const fileSystem: FileSystem = {
    ...hasty,
    open: (path, flags, mode, done) => (fails('open') ? setImmediate(done, systemError(code)) : hasty.open(path, flags, mode, done)),
    write: (fd, bytes, offset, length, position, done) =>
      fails('write') ? setImmediate(done, systemError(code)) : hasty.write(fd, bytes, offset, length, position, done),
    fdatasync: (fd, done) => (fails('fdatasync') ? setImmediate(done, systemError(code)) : hasty.fdatasync(fd, done)),
    fsync: (fd, done) => (fails('fsync') ? setImmediate(done, systemError(code)) : hasty.fsync(fd, done)),
  }
  return {
    fileSystem,
    arm: (n: number) => {
      left = n
    },
    changes: () => changes,
  }
}

const first = persist({ hardState: hardState(1, 'n1'), entries: [command(1, 'a')] })
const second = persist({ firstIndex: 2, entries: [command(1, 'b')] })
const third = persist({ hardState: hardState(2), firstIndex: 3, entries: [command(2, 'c')] })

describe('a call that fails', () => {
  it.each([
    { call: 'write', code: 'ENOSPC', _tag: 'StorageFull', says: 'Make room' },
    { call: 'write', code: 'EDQUOT', _tag: 'StorageFull', says: 'Make room' },
    { call: 'write', code: 'EIO', _tag: 'StorageFailed', says: 'Check the disk' },
    { call: 'fdatasync', code: 'EIO', _tag: 'StorageFailed', says: 'nothing more is written' },
    { call: 'fdatasync', code: 'ENOSPC', _tag: 'StorageFull', says: '0000000001.log' },
  ] as const)('$call with $code is $_tag, final, and never tried again', async ({ call, code, _tag, says }) => {
    const directory = await dataDirectory()
    const { fileSystem, arm, changes } = failing(call, code)
    const { open, abandon } = await opened(diskStorage(directory, { fileSystem }))
    await done(open.write([first]))
    arm(1)
    expect(await errorOf(open.write([second]))).toMatchObject({ _tag, message: expect.stringContaining(says) })

    const before = changes()
    for (const later of [second, third]) expect(await errorOf(open.write([later]))).toMatchObject({ _tag })
    await done(open.close())
    expect(changes()).toBe(before)
    abandon()
    expect((await found(directory)).log.lastIndex).toBeGreaterThanOrEqual(1)
  })

  it('for the second copy of a vote fails the write, too', async () => {
    const { fileSystem, arm } = failing('write', 'EIO')
    const { open } = await opened(diskStorage(await dataDirectory(), { fileSystem }))
    arm(2)
    expect(await errorOf(open.write([first]))).toMatchObject({ _tag: 'StorageFailed', message: expect.stringContaining('vote') })
    await done(open.close())
  })

  it('while a segment is begun fails the write, and loses nothing', async () => {
    for (const call of ['open', 'write', 'fdatasync', 'fsync'] as const) {
      const directory = await dataDirectory()
      const { fileSystem, arm } = failing(call, 'ENOSPC')
      const { open } = await opened(diskStorage(directory, { fileSystem, segmentBytes: 1 }))
      await done(open.write([first]))
      arm(1)
      expect(await errorOf(open.write([second]))).toMatchObject({ _tag: 'StorageFull' })
      await done(open.close())
      expect((await found(directory)).log.lastIndex).toBe(1)
    }
  })

  it.each(['write', 'fsync', 'open'] as const)('on opening is told as what it is: %s', async (call) => {
    const directory = await dataDirectory()
    const before = readFileSync(segmentOne(directory))
    const { fileSystem, arm } = failing(call, 'EACCES')
    arm(1)
    expect(await errorOf(diskStorage(directory, { fileSystem }).open())).toMatchObject({
      _tag: call === 'open' ? 'Unreadable' : 'StorageFailed',
    })
    expect(readFileSync(segmentOne(directory))).toEqual(before)
    expect((await found(directory)).log.lastIndex).toBe(0)
  })

  it('on bootstrap leaves no server behind', async () => {
    for (const call of ['write', 'fsync'] as const) {
      for (let n = 1; n <= 3; n++) {
        const directory = join(temporaryDirectory(), 'n1')
        const { fileSystem, arm } = failing(call, 'ENOSPC')
        arm(n)
        expect(await errorOf(bootstrap(directory, { id: 'n1', clusterId: 'test', configuration }, fileSystem))).toMatchObject({
          _tag: 'StorageFull',
        })
        expect(await errorOf(diskStorage(directory).open())).toMatchObject({ _tag: 'NotBootstrapped' })
      }
    }
  })

  it('for the durable marker is told with the next write', async () => {
    const { fileSystem, arm } = failing('fdatasync', 'EIO')
    const scheduler = new VirtualTimeScheduler()
    const { open } = await opened(diskStorage(await dataDirectory(), { fileSystem, scheduler }))
    await done(open.write([first]))
    arm(1)
    scheduler.flush()
    expect(await errorOf(open.write([second]))).toMatchObject({ _tag: 'StorageFailed', message: expect.stringContaining('vote') })
    await done(open.close())
  })
})

describe('a short write', () => {
  it('is gone on with where it stopped', async () => {
    const directory = await dataDirectory()
    const lengths: number[] = []
    const fileSystem: FileSystem = {
      ...hasty,
      write: (fd, bytes, offset, length, position, done) => {
        lengths.push(length)
        hasty.write(fd, bytes, offset, Math.min(length, 7), position, done)
      },
    }
    const { open } = await opened(diskStorage(directory, { fileSystem, growBytes: 1 }))
    await done(open.write([first]))
    await done(open.close())
    expect(lengths.length).toBeGreaterThan(5)
    expect(plain(await found(directory))).toMatchObject({ currentTerm: 1, entries: [[1, 'command', 'a']] })
  })

  it('of nothing is a failure, not a loop', async () => {
    const directory = await dataDirectory()
    let stuck = false
    const fileSystem: FileSystem = {
      ...hasty,
      write: (fd, bytes, offset, length, position, done) =>
        stuck ? setImmediate(done, null, 0) : hasty.write(fd, bytes, offset, length, position, done),
    }
    const { open } = await opened(diskStorage(directory, { fileSystem }))
    stuck = true
    expect(await errorOf(open.write([first]))).toMatchObject({ _tag: 'StorageFailed' })
    await done(open.close())
    expect(statSync(segmentOne(directory)).size).toBeGreaterThan(0)
  })
})

describe('one write', () => {
  it('of many changes is one call to write and one to sync, and two of each where term or vote changed', async () => {
    const calls: string[] = []
    const fileSystem: FileSystem = {
      ...hasty,
      write: (fd, bytes, offset, length, position, done) => {
        calls.push('write')
        hasty.write(fd, bytes, offset, length, position, done)
      },
      fdatasync: (fd, done) => {
        calls.push('fdatasync')
        hasty.fdatasync(fd, done)
      },
    }
    const { open } = await opened(diskStorage(await dataDirectory(), { fileSystem }))
    calls.length = 0
    await done(open.write([first, second, persist({ truncateFrom: 2, firstIndex: 2, entries: [command(1, 'c')] })]))
    expect(calls.sort()).toEqual(['fdatasync', 'fdatasync', 'write', 'write'])
    calls.length = 0
    await done(open.write([persist({ firstIndex: 3, entries: [command(1, 'd')] }), persist({ firstIndex: 4, entries: [command(1, 'e')] })]))
    expect(calls).toEqual(['write', 'fdatasync'])
    await done(open.close())
  })

  it('is one call where the system has O_DSYNC, to files that were opened with it', async () => {
    const O_DSYNC = 1 << 20
    const durable = new Map<number, string>()
    const calls: unknown[] = []
    const fileSystem: FileSystem = {
      ...hasty,
      O_DSYNC,
      open: (path, flags, mode, done) =>
        hasty.open(path, typeof flags === 'number' ? flags & ~O_DSYNC : flags, mode, (error, fd) => {
          if (typeof flags === 'number' && (flags & O_DSYNC) !== 0) durable.set(fd!, basename(path))
          done(error, fd)
        }),
      write: (fd, bytes, offset, length, position, done) => {
        calls.push(durable.get(fd))
        hasty.write(fd, bytes, offset, length, position, done)
      },
      fdatasync: () => calls.push('fdatasync'),
    }
    const { open } = await opened(diskStorage(await dataDirectory(), { fileSystem, segmentBytes: 1_000, growBytes: 1 }))
    calls.length = 0
    await done(open.write([first]))
    expect(calls.sort()).toEqual(['0000000001.log', 'vote'])
    calls.length = 0
    await done(open.write([second]))
    expect(calls).toEqual(['0000000001.log'])
    await done(open.write([persist({ firstIndex: 3, entries: [command(1, 'c'.repeat(1_000))] })]))
    calls.length = 0
    await done(open.write([persist({ firstIndex: 4, entries: [command(1, 'd')] })]))
    expect(calls).toEqual(['0000000002.log', '0000000002.log']) // its header is one
    await done(open.close())
  })
})
