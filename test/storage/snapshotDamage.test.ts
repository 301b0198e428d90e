import { beforeAll, describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { VirtualTimeScheduler } from 'rxjs'
import { type Incarnation, nodeId } from '../../src/raft/ids.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import type { FileSystem } from '../../streams/storage/disk/fileSystem.js'
import { handlesOn } from '../../streams/storage/disk/handles.js'
import type { Identity } from '../../streams/storage/disk/identity.js'
import { judge, replay, startOf } from '../../streams/storage/disk/replay.js'
import { blockBytes, encodeHeader } from '../../streams/storage/disk/snapshotFormat.js'
import { openSnapshot } from '../../streams/storage/disk/snapshotReader.js'
import {
  bytesOf,
  command,
  copyOf,
  crashedAfter,
  dataDirectory,
  done,
  edit,
  errorOf,
  found,
  hardState,
  hasty,
  incarnation,
  opened,
  perform,
  persist,
  piecesOf,
  plain,
  pointer,
  segmentOne,
  snapshotPath,
  store,
  tagOf,
  withDisk,
} from './support.js'

/*
 * A snapshot stands for entries that are gone: what is read of it is what was stored, or the server is told.
 */

const identity: Identity = { id: nodeId('n1'), clusterId: 'test', incarnation: incarnation as Incarnation }
const first = persist({ hardState: hardState(1, 'n1'), entries: ['a', 'b', 'c'].map((text) => command(1, text)), commitIndex: 3 })
const two = pointer(1, 20, 2)
const compacted = persist({ snapshot: two, firstIndex: 4, commitIndex: 3 })

const remove = (directory: string): string => {
  rmSync(snapshotPath(directory, 1))
  return directory
}

/** The same, with a snapshot of `size` bytes in place of the one that is pointed to. */
const withSnapshot = async (size: number): Promise<string> =>
  crashedAfter([[first], [persist({ snapshot: pointer(1, size, 2), firstIndex: 4 })]])

describe('a snapshot file', () => {
  it('with any one bit changed is Corrupt', async () => {
    const bytes = readFileSync(snapshotPath(await crashedAfter([[first], [compacted]]), 1))
    const inMemory: FileSystem = {
      ...hasty,
      open: (_path, _flags, _mode, done) => queueMicrotask(() => done(null, 3)),
      close: (_fd, done) => queueMicrotask(() => done(null)),
      fstat: (_fd, done) => queueMicrotask(() => done(null, { size: bytes.length })),
      read: (_fd, target, offset, length, position, done) =>
        queueMicrotask(() => done(null, bytes.copy(target, offset, position, position + length))),
    }
    const open = (): Promise<string> => done(openSnapshot(handlesOn(inMemory), '', identity, two, two.base)).then(() => 'whole', tagOf)
    expect(await open()).toBe('whole')
    const others: string[] = []
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const outcome = await open()
      if (outcome !== 'Corrupt') others.push(`bit ${bit}: ${outcome}`)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
    expect(others).toEqual([])
  })

  it('cut short, or with more behind it, is Corrupt', async () => {
    const directory = await withSnapshot(2 * blockBytes)
    const size = statSync(snapshotPath(directory, 1)).size
    for (const length of [0, 10, 300, 2_000, size - blockBytes - 15, size - 1, size + 1]) {
      const copy = copyOf(directory)
      edit(snapshotPath(copy, 1), (bytes) => Buffer.concat([bytes.subarray(0, length), Buffer.alloc(Math.max(0, length - size))]))
      expect(await errorOf(diskStorage(copy).open())).toMatchObject({
        _tag: 'Corrupt',
        message: expect.stringContaining('0000000001.snapshot'),
      })
    }
  })

  it.each([1, 5, 17, 33])('damaged in block %d is Corrupt, and the message says where', async (number) => {
    const directory = await withSnapshot(33 * blockBytes)
    edit(snapshotPath(directory, 1), (bytes) => {
      bytes[bytes.length - (33 - number) * (blockBytes + 15) - 10]! ^= 1
    })
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Corrupt',
      message: expect.stringContaining(`block ${number} `),
    })
  })

  it('whose blocks changed places is Corrupt', async () => {
    const directory = await withSnapshot(3 * blockBytes)
    edit(snapshotPath(directory, 1), (bytes) => {
      const stride = blockBytes + 15
      const start = bytes.length - 3 * stride
      const [one, two] = [0, 1].map((n) => Buffer.from(bytes.subarray(start + n * stride, start + (n + 1) * stride)))
      two!.copy(bytes, start)
      one!.copy(bytes, start + stride)
    })
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({ _tag: 'Corrupt' })
  })

  it.each([
    { otherwise: 'missing', spoil: remove, says: 'the file is missing' },
    { otherwise: 'of another entry', pointed: pointer(1, 20, 3), says: 'it is of entry 2 of term 1, not of 3 of term 1' },
    { otherwise: 'of another size', pointed: pointer(1, 21, 2), says: 'the length of a snapshot of 21 bytes' },
    { otherwise: 'another one, renamed', ref: 2, says: 'it is snapshot 2 under another name' },
  ])('$otherwise is Corrupt', async ({ spoil, pointed = two, ref = 1, says }) => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await done(disk.write([first]))
      await store(disk, { ...two, ref: pointer(ref, 0, 0).ref })
      await done(disk.write([persist({ snapshot: pointed, firstIndex: 4 })]))
    })
    if (ref !== 1) renameSync(snapshotPath(directory, ref), snapshotPath(directory, 1))
    spoil?.(directory)
    const names = readdirSync(directory)
    const error = await errorOf(diskStorage(directory).open())
    expect(error).toMatchObject({ _tag: 'Corrupt', message: expect.stringContaining(says) })
    expect(error.message).toContain('0000000001.snapshot')
    expect(readdirSync(directory)).toEqual(names)
  })

  it('of another server is Corrupt', async () => {
    const directory = await crashedAfter([[first], [compacted]])
    const header = readFileSync(snapshotPath(directory, 1))
    const theirs = encodeHeader({ ...identity, id: nodeId('n2') }, two.ref, two.base)
    expect(header.subarray(0, theirs.length)).toEqual(encodeHeader(identity, two.ref, two.base))
    edit(snapshotPath(directory, 1), (bytes) => Buffer.concat([theirs, bytes.subarray(theirs.length)]))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Corrupt',
      message: expect.stringContaining('it belongs to server n2 of cluster test'),
    })
  })

  it('that is damaged while it is in use is told to who reads that block, and nothing is done any more', async () => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await store(disk, pointer(1, 3 * blockBytes, 2))
      edit(snapshotPath(directory, 1), (bytes) => {
        bytes[bytes.length - 1]! ^= 1
      })
      expect(await bytesOf(disk, 1, 2 * blockBytes)).toHaveLength(2 * blockBytes)
      expect(await errorOf(disk.snapshots.read(two.ref, 2 * blockBytes, 1))).toMatchObject({ _tag: 'Corrupt' })
      expect(await errorOf(disk.write([first]))).toMatchObject({ _tag: 'Corrupt' })
    })
  })

  it('that no write points to is removed: older, newer, in part or strange', async () => {
    const directory = await crashedAfter([[first], [compacted]])
    await withDisk(directory, async (disk) => {
      await store(disk, pointer(2, 30, 3))
      await done(disk.snapshots.store(piecesOf(pointer(3, 200_000, 3), 150_000)[0]!))
    })
    edit(snapshotPath(directory, 2), () => Buffer.from('remains'))
    expect(plain(await found(directory))).toMatchObject({ snapshot: { ref: 1, size: 20 } })
    expect([1, 2, 3].map((ref) => existsSync(snapshotPath(directory, ref)))).toEqual([true, false, false])
  })
})

describe('a pointer', () => {
  it('cut off at every byte was never acknowledged: the log is as before, and begins after the former snapshot', async () => {
    const directory = await dataDirectory()
    const whole = await withDisk(
      directory,
      async (disk) => {
        await perform(disk, [first])
        await store(disk, two)
        const before = statSync(segmentOne(directory)).size
        await done(disk.write([compacted]))
        return { before, copy: copyOf(directory) }
      },
      { fileSystem: hasty, scheduler: new VirtualTimeScheduler(), growBytes: 1 },
    )
    for (const name of readdirSync(whole.copy)) if (name === '0000000002.log') rmSync(join(whole.copy, name))
    const size = statSync(segmentOne(whole.copy)).size
    for (let length = whole.before; length < size; length++) {
      const copy = copyOf(whole.copy)
      edit(segmentOne(copy), (bytes) => bytes.subarray(0, length))
      expect(plain(await found(copy))).toMatchObject({ snapshot: null, base: { index: 0 }, entries: { length: 3 } })
      expect(existsSync(snapshotPath(copy, 1))).toBe(false)
    }
    expect(plain(await found(whole.copy))).toMatchObject({ snapshot: { ref: 1 }, base: { index: 2 }, entries: { length: 1 } })
  })

  it('with any bit changed is noticed, once a later write followed', async () => {
    // The write after it waits until the next segment has begun.
    const later = persist({ hardState: hardState(2), firstIndex: 4 })
    const directory = await crashedAfter([[first], [compacted], [later]])
    const segments = readdirSync(directory).filter((name) => name.endsWith('.log'))
    expect(segments).toHaveLength(2)
    const bytes = readFileSync(segmentOne(directory))
    const read = (): boolean => {
      const progress = replay(bytes, startOf(1, identity, null), (payload) => payload)
      return either.isRight(progress) && either.isRight(judge(bytes, progress.right, null))
    }
    expect(read()).toBe(true)
    const unnoticed: number[] = []
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      if (read()) unnoticed.push(bit)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
    expect(unnoticed).toEqual([])
  })

  it.each([
    { pointed: pointer(1, 20, 2, { term: 9 }), says: 'it keeps what follows entry 2 of term 9' },
    { pointed: pointer(1, 20, 0), says: 'it points to a snapshot of entry 0, and the log begins after 0 already' },
  ])('that has no place in the log is Corrupt: $says', async ({ pointed, says }) => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await done(disk.write([first]))
      await done(disk.write([persist({ snapshot: pointed, firstIndex: 4 })]))
    })
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({ _tag: 'Corrupt', message: expect.stringContaining(says) })
  })
})

describe('a write', () => {
  it('that keeps what follows an entry behind the end of the log is not taken', async () => {
    await withDisk(await dataDirectory(), async (disk) => {
      await done(disk.write([first]))
      await expect(done(disk.write([persist({ snapshot: pointer(1, 20, 5), firstIndex: 6 })]))).rejects.toThrow('continues the log')
    })
  })
})

describe('a call that fails while a snapshot is stored', () => {
  type Call = 'open' | 'write' | 'fsync' | 'unlink'

  /** The n-th call of a kind fails, counted from when it is armed. */
  const failing = (call: Call, code: string) => {
    let left = Number.POSITIVE_INFINITY
    let changes = 0
    const error = Object.assign(new Error(`${code}: as told`), { code })
    const fails = (here: Call): boolean => {
      if (here !== 'open') changes++
      return here === call && --left === 0
    }
    const fileSystem: FileSystem = {
      ...hasty,
      open: (path, flags, mode, done) => (fails('open') ? setImmediate(done, error) : hasty.open(path, flags, mode, done)),
      write: (fd, bytes, offset, length, position, done) =>
        fails('write') ? setImmediate(done, error) : hasty.write(fd, bytes, offset, length, position, done),
      fsync: (fd, done) => (fails('fsync') ? setImmediate(done, error) : hasty.fsync(fd, done)),
      unlink: (path, done) => (fails('unlink') ? setImmediate(done, error) : hasty.unlink(path, done)),
    }
    const arm = (n: number): void => {
      left = n
    }
    return { fileSystem, arm, changes: () => changes }
  }

  it.each([
    { call: 'open', n: 1, code: 'ENOSPC', _tag: 'StorageFull' },
    { call: 'open', n: 2, code: 'EMFILE', _tag: 'StorageFailed' }, // of the directory
    { call: 'write', n: 1, code: 'ENOSPC', _tag: 'StorageFull' },
    { call: 'write', n: 3, code: 'EDQUOT', _tag: 'StorageFull' },
    { call: 'write', n: 2, code: 'EIO', _tag: 'StorageFailed' },
    { call: 'fsync', n: 1, code: 'EIO', _tag: 'StorageFailed' },
    { call: 'fsync', n: 1, code: 'ENOSPC', _tag: 'StorageFull' },
    { call: 'fsync', n: 2, code: 'EIO', _tag: 'StorageFailed' },
  ] as const)('$call $n with $code is $_tag, final for snapshots and log, and costs only the snapshot', async ({ call, n, code, _tag }) => {
    const directory = await dataDirectory()
    const { fileSystem, arm, changes } = failing(call, code)
    const { open } = await opened(diskStorage(directory, { fileSystem, scheduler: new VirtualTimeScheduler() }))
    await done(open.write([first]))
    arm(n)
    const [large] = piecesOf(pointer(1, 20 * blockBytes, 2))
    expect(await errorOf(open.snapshots.store(large!))).toMatchObject({ _tag, message: expect.stringContaining('0000000001.snapshot') })
    const before = changes()
    expect(await errorOf(open.snapshots.store(large!))).toMatchObject({ _tag })
    expect(await errorOf(open.write([persist({ firstIndex: 4, entries: [command(1, 'd')] })]))).toMatchObject({ _tag })
    await done(open.close())
    expect(changes()).toBe(before)
    expect(plain(await found(directory))).toMatchObject({ snapshot: null, entries: { length: 3 } })
    expect(existsSync(snapshotPath(directory, 1))).toBe(false)
  })

  it('or a log that failed: nothing is stored any more', async () => {
    const { fileSystem, arm } = failing('write', 'EIO')
    const { open } = await opened(diskStorage(await dataDirectory(), { fileSystem }))
    arm(1)
    expect(await errorOf(open.write([first]))).toMatchObject({ _tag: 'StorageFailed' })
    expect(await errorOf(open.snapshots.store(piecesOf(two)[0]!))).toMatchObject({ _tag: 'StorageFailed' })
    await done(open.close())
  })

  it.each([
    { call: 'open', n: 1 },
    { call: 'write', n: 2 },
    { call: 'fsync', n: 1 },
    { call: 'unlink', n: 1 },
  ] as const)(
    'or, after the pointer, while the old segments are given up ($call): told with the next write, and nothing is lost',
    async ({ call, n }) => {
      const directory = await dataDirectory()
      const { fileSystem, arm } = failing(call, 'EIO')
      const { open } = await opened(diskStorage(directory, { fileSystem, scheduler: new VirtualTimeScheduler() }))
      await done(open.write([first]))
      await store(open, pointer(1, 20, 3))
      arm(n)
      await done(open.write([persist({ snapshot: pointer(1, 20, 3), firstIndex: 4 })]))
      expect(await errorOf(open.write([persist({ firstIndex: 4, entries: [command(1, 'd')] })]))).toMatchObject({ _tag: 'StorageFailed' })
      await done(open.close())
      expect(plain(await found(directory))).toMatchObject({ snapshot: { ref: 1, size: 20 }, base: { index: 3 }, entries: { length: 0 } })
    },
  )
})

describe('opening', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await withSnapshot(40 * blockBytes)
  })

  it('checks a snapshot some blocks at a time, so that others have a turn', async () => {
    const lengths: number[] = []
    const fileSystem: FileSystem = {
      ...hasty,
      read: (fd, target, offset, length, position, done) => {
        lengths.push(length)
        hasty.read(fd, target, offset, length, position, done)
      },
    }
    await found(directory, { fileSystem })
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1 << 20)
    expect(lengths.reduce((a, b) => a + b, 0)).toBeGreaterThan(40 * blockBytes)
  })
})
