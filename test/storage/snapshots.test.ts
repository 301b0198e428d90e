import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { from } from 'rxjs'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { configurationEntry, type Entry } from '../../src/raft/state/entry.js'
import { nodeId, snapshotRef, term } from '../../src/raft/ids.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import type { FileSystem } from '../../streams/storage/disk/fileSystem.js'
import { originOf, readRecord } from '../../streams/storage/disk/record.js'
import { blockBytes } from '../../streams/storage/disk/snapshotFormat.js'
import {
  bytesOf,
  command,
  copyOf,
  dataDirectory,
  done,
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
  snapshotBytes,
  snapshotPath,
  store,
  withDisk,
} from './support.js'

/*
 * §7 on a disk: a snapshot is there whole before the log points to it, and what it replaces goes only after that.
 */

const entries = (from: number, count: number, term = 1): ReadonlyArray<Entry> =>
  Array.from({ length: count }, (_, i) => command(term, `entry ${from + i}`))
const ten = persist({ hardState: hardState(1, 'n1'), entries: entries(1, 10), commitIndex: 10 })

const files = (directory: string, ending: string): ReadonlyArray<string> => readdirSync(directory).filter((name) => name.endsWith(ending))
const occupied = (directory: string): number =>
  ['.log', '.snapshot', 'vote']
    .flatMap((kind) => files(directory, kind))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)

/** Tells the calls that read, write, sync and unlink, each with the file and how many bytes. */
const listening = (): { readonly fileSystem: FileSystem; readonly calls: string[] } => {
  const calls: string[] = []
  const names = new Map<number, string>()
  const tell = (call: string, fd: number, bytes: number | '' = ''): unknown => calls.push(`${call} ${names.get(fd)} ${bytes}`.trim())
  const fileSystem: FileSystem = {
    ...hasty,
    open: (path, flags, mode, done) =>
      hasty.open(path, flags, mode, (error, fd) => {
        names.set(fd!, path.endsWith('n1') ? 'directory' : path.slice(path.lastIndexOf('/') + 1))
        done(error, fd)
      }),
    read: (fd, target, offset, length, position, done) => {
      tell('read', fd, length)
      hasty.read(fd, target, offset, length, position, done)
    },
    write: (fd, bytes, offset, length, position, done) => {
      tell('write', fd, length)
      hasty.write(fd, bytes, offset, length, position, done)
    },
    fdatasync: (fd, done) => {
      tell('sync', fd)
      hasty.fdatasync(fd, done)
    },
    fsync: (fd, done) => {
      tell('sync', fd)
      hasty.fsync(fd, done)
    },
    unlink: (path, done) => {
      calls.push(`unlink ${path.slice(path.lastIndexOf('/') + 1)}`)
      hasty.unlink(path, done)
    },
  }
  return { fileSystem, calls }
}

describe('a snapshot on disk', () => {
  const sizes = [0, 1, blockBytes - 1, blockBytes, blockBytes + 1, 16 * blockBytes, 16 * blockBytes + 1, 40 * blockBytes + 5]
  const inPieces = sizes.flatMap((size) => [10_000_000, blockBytes, 50_000].map((pieceBytes) => ({ size, pieceBytes })))

  it.each(inPieces)(
    'of $size bytes, in pieces of $pieceBytes, is read as it was, and again when it is opened',
    async ({ size, pieceBytes }) => {
      const directory = await dataDirectory()
      const six = pointer(7, size, 6)
      await withDisk(directory, async (disk) => {
        await done(disk.write([ten]))
        await store(disk, six, pieceBytes)
        expect((await bytesOf(disk, 7, size)).equals(snapshotBytes(7, size))).toBe(true)
        await done(disk.write([persist({ snapshot: six, firstIndex: 11 })]))
      })
      expect(statSync(snapshotPath(directory, 7)).mode & 0o777).toBe(0o600)
      await withDisk(directory, async (disk) => {
        const { snapshot, log } = disk.recovered
        expect([snapshot, log.base, log.lastIndex]).toEqual([{ ref: 7, size }, six.base, 10])
        expect((await bytesOf(disk, 7, size)).equals(snapshotBytes(7, size))).toBe(true)
        expect(disk.sizeBytes()).toBe(occupied(directory))
      })
    },
  )

  it('is read in any range', async () => {
    const size = 3 * blockBytes + 17
    const whole = snapshotBytes(1, size)
    await withDisk(await dataDirectory(), async (disk) => {
      await store(disk, pointer(1, size, 1))
      const place = fc.oneof(fc.nat(size), fc.constantFrom(0, blockBytes - 1, blockBytes, blockBytes + 1, 3 * blockBytes, size))
      await fc.assert(
        fc.asyncProperty(place, place, async (offset, maxBytes) => {
          expect((await bytesOf(disk, 1, maxBytes, offset)).equals(whole.subarray(offset, offset + maxBytes))).toBe(true)
        }),
      )
    })
  })

  it('is read by the blocks that hold the range, and no others', async () => {
    const { fileSystem, calls } = listening()
    const size = 40 * blockBytes
    await withDisk(
      await dataDirectory(),
      async (disk) => {
        await store(disk, pointer(1, size, 1))
        const readFor = async (offset: number, maxBytes: number): Promise<ReadonlyArray<string>> => {
          calls.length = 0
          await bytesOf(disk, 1, maxBytes, offset)
          return [...calls]
        }
        const record = blockBytes + 15
        expect(await readFor(5 * blockBytes + 1, 10)).toEqual([`read 0000000001.snapshot ${record}`])
        expect(await readFor(6 * blockBytes - 1, 2)).toEqual([`read 0000000001.snapshot ${2 * record}`])
        expect(await readFor(size, 10)).toEqual([])
      },
      { fileSystem },
    )
  })

  it('is told to be stored when its contents and then its name are synced; a piece when it is written, some blocks at a time', async () => {
    const { fileSystem, calls } = listening()
    await withDisk(
      await dataDirectory(),
      async (disk) => {
        const [first, last] = piecesOf(pointer(1, 20 * blockBytes + 10, 1), 20 * blockBytes + 5)
        calls.length = 0
        await done(disk.snapshots.store(first!))
        const header = calls.shift()
        expect(header).toMatch(/^write 0000000001.snapshot \d{3}$/)
        const blocks = (n: number): string => `write 0000000001.snapshot ${n * (blockBytes + 15)}`
        expect(calls.splice(0)).toEqual([blocks(16), blocks(4)])
        await done(disk.snapshots.store(last!))
        expect(calls.splice(0)).toEqual([`write 0000000001.snapshot ${10 + 15}`, 'sync 0000000001.snapshot', 'sync directory'])
      },
      { fileSystem },
    )
  })

  it('stored in part counts in the size, and is gone when it is given up, closed or abandoned', async () => {
    const directory = await dataDirectory()
    const pieces = piecesOf(pointer(3, 200_000, 1), 150_000)
    const { open, abandon } = await opened(diskStorage(directory, { fileSystem: hasty }))
    const before = open.sizeBytes()
    await done(open.snapshots.store(pieces[0]!))
    expect(open.sizeBytes()).toBe(occupied(directory))
    await done(open.snapshots.discard([snapshotRef(3), snapshotRef(4)]))
    expect([files(directory, '.snapshot'), open.sizeBytes()]).toEqual([[], before])
    await done(open.snapshots.store(pieces[0]!))
    abandon()
    await withDisk(directory, async (disk) => {
      expect(files(directory, '.snapshot')).toEqual([])
      await done(disk.snapshots.store(pieces[0]!))
    })
    expect(files(directory, '.snapshot')).toHaveLength(1)
    await withDisk(directory, async (disk) => {
      expect([files(directory, '.snapshot'), disk.sizeBytes()]).toEqual([[], before])
      await store(disk, pointer(3, 10, 1)) // the ref is free again
    })
  })

  it('is finished by closing, if its last piece was on its way', async () => {
    const directory = await dataDirectory()
    const { open } = await opened(diskStorage(directory, { fileSystem: hasty }))
    let stored = false
    from(open.snapshots.store(piecesOf(pointer(1, 5_000_000, 1))[0]!)).subscribe({
      complete: () => {
        stored = true
      },
    })
    await done(open.close())
    expect(stored).toBe(true)
  })

  it('takes no piece that does not follow, and reads nothing that is not stored', async () => {
    const [first, second] = piecesOf(pointer(1, 20, 1), 10)
    const misuses = [
      (disk: Parameters<typeof store>[0]) => disk.snapshots.store(second!),
      (disk: Parameters<typeof store>[0]) => disk.snapshots.read(snapshotRef(1), 0, 1),
    ]
    for (const misuse of misuses)
      await withDisk(await dataDirectory(), async (disk) => {
        await expect(done(misuse(disk))).rejects.toThrow('snapshot 1')
      })
    await withDisk(await dataDirectory(), async (disk) => {
      await done(disk.snapshots.store(first!))
      await expect(bytesOf(disk, 1, 5)).rejects.toThrow('stored')
    })
  })
})

describe('the log after a snapshot', () => {
  it('has the pointer as the first record of the write', async () => {
    const directory = await dataDirectory()
    const kinds = await withDisk(directory, async (disk) => {
      await perform(disk, [ten])
      await perform(disk, [
        persist({ snapshot: pointer(1, 3, 4), hardState: hardState(2), firstIndex: 11, entries: entries(11, 1, 2), commitIndex: 11 }),
      ])
      const bytes = readFileSync(segmentOne(directory))
      const read = []
      for (let at = readRecord(bytes, 0, originOf(['rxraft log']))!.end; at < bytes.length;) {
        const record = readRecord(bytes, at, originOf(['log', 'test', 'n1', incarnation, '1']))!
        read.push(record)
        at = record.end
      }
      return read.filter(({ write }) => write === 3).map(({ kind }) => kind)
    })
    expect(kinds).toEqual(['pointer', 'hardState', 'entries', 'commit'])
  })

  it('gives up a segment only when the pointer is synced, and one only when the name of the one before is gone', async () => {
    const directory = await dataDirectory()
    const { fileSystem, calls } = listening()
    await withDisk(
      directory,
      async (disk) => {
        await perform(disk, [ten])
        await perform(disk, [persist({ firstIndex: 11, entries: entries(11, 20) })])
        await store(disk, pointer(1, 10, 30))
        await done(disk.write([]))
        calls.length = 0
        await perform(disk, [persist({ snapshot: pointer(2, 10, 30), firstIndex: 31 })])
        await done(disk.write([]))
      },
      { fileSystem, segmentBytes: 600 },
    )
    const forLog = calls.filter((call) => !/snapshot|vote/.test(call)).map((call) => call.replace(/ \d+$/, ''))
    const begun = (segment: number): ReadonlyArray<string> => [
      `write 000000000${segment}.log`,
      `sync 000000000${segment}.log`,
      'sync directory',
    ]
    expect(forLog).toEqual([
      'sync directory', // of the snapshot
      ...begun(3),
      'write 0000000003.log', // the pointer
      'sync 0000000003.log',
      ...begun(4),
      ...[1, 2, 3].flatMap((segment) => [`unlink 000000000${segment}.log`, 'sync directory']),
    ])
  })

  it('gives up the segments whose entries it has, and the bytes fall', async () => {
    const directory = await dataDirectory()
    await withDisk(
      directory,
      async (disk) => {
        for (let i = 1; i <= 200; i++)
          await done(disk.write([persist({ hardState: hardState(i), firstIndex: i, entries: entries(i, 1, i) })]))
        const before = disk.sizeBytes()
        expect(files(directory, '.log').length).toBeGreaterThan(5)
        await perform(disk, [persist({ snapshot: pointer(1, 100, 200, { term: 200 }), firstIndex: 201 })])
        await done(disk.write([persist({ firstIndex: 201, entries: entries(201, 1, 200) })]))
        expect(files(directory, '.log')).toHaveLength(1)
        expect(disk.sizeBytes()).toBe(occupied(directory))
        expect(disk.sizeBytes()).toBeLessThan(before / 2)
      },
      { fileSystem: hasty, segmentBytes: 2_000 },
    )
    const { log, currentTerm, snapshot } = await found(directory)
    expect([log.base.index, log.base.term, log.lastIndex, currentTerm, snapshot]).toEqual([200, 200, 201, 200, { ref: 1, size: 100 }])
  })

  it('keeps the segments that hold entries after it, until a snapshot has those too', async () => {
    const directory = await dataDirectory()
    const options = { fileSystem: hasty, segmentBytes: 64 << 20 }
    const reopened = (): Promise<unknown> => found(copyOf(directory)).then(plain)
    await withDisk(
      directory,
      async (disk) => {
        await perform(disk, [ten])
        await perform(disk, [persist({ snapshot: pointer(1, 100, 8), firstIndex: 11 })])
        await perform(disk, [persist({ firstIndex: 11, entries: entries(11, 5) })])
        expect(files(directory, '.log')).toEqual(['0000000001.log', '0000000002.log'])
        expect(await reopened()).toMatchObject({ base: { index: 8 }, entries: { length: 7 } })
        await perform(disk, [persist({ snapshot: pointer(2, 100, 10), firstIndex: 16 })])
        await done(disk.write([persist({ firstIndex: 16, entries: entries(16, 1) })]))
        // The first that is left began before the snapshot that it relies on, and says that it follows entry 10.
        expect(files(directory, '.log')).toEqual(['0000000002.log', '0000000003.log'])
        expect(await reopened()).toMatchObject({ base: { index: 10 }, entries: { length: 6 }, snapshot: { ref: 2, size: 100 } })
      },
      options,
    )
    const { log } = await found(directory)
    expect([log.at(log.base.index), [...log].map(({ command }) => Buffer.from(command).toString())]).toEqual([
      undefined,
      [11, 12, 13, 14, 15, 16].map((i) => `entry ${i}`),
    ])
  })

  it.each([
    { truncateFrom: 9, base: 10, because: 'the truncation reaches into a segment that is gone' },
    { truncateFrom: 11, base: 10, because: 'the snapshot ends with the last entry that is gone' },
    { truncateFrom: 11, base: 11, because: 'the snapshot goes beyond it' },
  ])('is read though $because', async ({ truncateFrom, base }) => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await perform(disk, [ten])
      await perform(disk, [persist({ snapshot: pointer(1, 5, 2), firstIndex: 11 })]) // another segment begins
      await perform(disk, [persist({ firstIndex: 11, entries: entries(11, 3) })])
      await perform(disk, [
        persist({ hardState: hardState(2), truncateFrom, firstIndex: truncateFrom, entries: entries(truncateFrom, 4, 2) }),
      ])
      const t = base >= truncateFrom ? 2 : 1
      await perform(disk, [persist({ snapshot: pointer(2, 5, base, { term: t }), firstIndex: truncateFrom + 4 })])
    })
    expect(files(directory, '.log')).toEqual(['0000000002.log', '0000000003.log'])
    const { log } = await found(directory)
    expect([log.base.index, log.lastIndex, log.lastTerm]).toEqual([base, truncateFrom + 3, 2])
  })

  it('begins with the configuration that the snapshot has, if the segment that held it is gone (§6)', async () => {
    const directory = await dataDirectory()
    const alone = votersOnly([nodeId('n1')])
    const first = pointer(1, 10, 3)
    const base = { ...first.base, configuration: alone }
    await withDisk(
      directory,
      async (disk) => {
        await perform(disk, [persist({ hardState: hardState(1), entries: [command(1, 'a'), configurationEntry(term(1), alone)] })])
        await perform(disk, [persist({ firstIndex: 3, entries: entries(3, 2), commitIndex: 3 })])
        await perform(disk, [persist({ snapshot: { ...first, base }, firstIndex: 5, commitIndex: 3 })])
      },
      { fileSystem: hasty, segmentBytes: 1 },
    )
    expect(files(directory, '.log')).not.toContain('0000000002.log')
    expect((await found(directory)).log.base).toEqual(base)
  })

  it('is forgotten with a snapshot of a leader, which may end behind it (Figure 13, 7)', async () => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await perform(disk, [ten])
      const installed = pointer(1, 100_000, 50, { term: 3, keepsSuffix: false })
      await perform(disk, [
        persist({ snapshot: installed, hardState: hardState(3), firstIndex: 51, entries: entries(51, 2, 3), commitIndex: 50 }),
      ])
    })
    expect(plain(await found(directory))).toMatchObject({ base: { index: 50, term: 3 }, commitIndex: 50, entries: { length: 2 } })
  })

  it('whose first segments are gone without a snapshot of them is refused', async () => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await perform(disk, [ten])
      await perform(disk, [persist({ snapshot: pointer(1, 5, 8), firstIndex: 11 })])
      await perform(disk, [persist({ firstIndex: 11, entries: entries(11, 1) })])
    })
    rmSync(segmentOne(directory))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Corrupt',
      message: expect.stringContaining(
        'it begins after entry 10, and the segments before it are missing, of which no snapshot has more than entry 8',
      ),
    })
  })

  it('has its segments given up by who opens it next, if a crash came before that', async () => {
    const directory = await dataDirectory()
    const copies: string[] = []
    const fileSystem: FileSystem = {
      ...hasty,
      unlink: (path, done) => {
        copies.push(copyOf(directory))
        hasty.unlink(path, done)
      },
    }
    await withDisk(
      directory,
      async (disk) => {
        await perform(disk, [ten])
        await perform(disk, [persist({ snapshot: pointer(1, 5, 10), firstIndex: 11 })])
      },
      { fileSystem },
    )
    const [crashed = ''] = copies
    expect(files(crashed, '.log')).toEqual(['0000000001.log', '0000000002.log'])
    await withDisk(crashed, (disk) => {
      expect(disk.recovered.log.base.index).toBe(10)
      return Promise.resolve()
    })
    expect(files(crashed, '.log')).toEqual(['0000000002.log'])
  })
})
