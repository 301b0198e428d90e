import { describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lastValueFrom, map, type Observable } from 'rxjs'
import { votersOnly, withIncarnations } from '../../src/raft/state/configuration.js'
import type { Persist, SnapshotPointer } from '../../src/raft/effect.js'
import { configurationEntry, noopEntry } from '../../src/raft/state/entry.js'
import { type Incarnation, maxTerm, maxTermLead, nodeId, term } from '../../src/raft/ids.js'
import { type Beginning, bootstrapFrom, type BootstrapFrom } from '../../streams/storage/disk/bootstrapFrom.js'
import { type DiskStorage, diskStorage, type OpenDisk } from '../../streams/storage/disk/diskStorage.js'
import type { FileSystem } from '../../streams/storage/disk/fileSystem.js'
import { dice } from './lives.js'
import { ForgetfulDisk } from './powerLoss.js'
import {
  bytesOf,
  command,
  configuration,
  dataDirectory,
  errorOf,
  found,
  hardState,
  hasty,
  incarnation,
  opened,
  perform,
  persist,
  plain,
  pointer,
  snapshotBytes,
  tagOf,
  temporaryDirectory,
  withDisk,
} from './support.js'

const others = votersOnly(['n1', 'n4', 'n5'].map(nodeId))
const identity = { id: 'n1', clusterId: 'test-2', incarnation: 'f'.repeat(32) }
/** As the first leader of the old cluster wrote it down. */
const named = withIncarnations(
  configuration,
  configuration._tag === 'Simple' ? configuration.voters.map(({ id }) => ({ id, incarnation: incarnation as Incarnation })) : [],
)

/** A directory of the old cluster that holds this. */
const holding = async (...batches: ReadonlyArray<ReadonlyArray<Persist>>): Promise<string> => {
  const directory = await dataDirectory()
  await withDisk(directory, async (disk) => {
    for (const batch of batches) await perform(disk, batch)
  })
  return directory
}

const anEmptyOne = (): string => join(temporaryDirectory(), 'n1')

const options = (old: string | DiskStorage): BootstrapFrom => ({
  ...identity,
  configuration: others,
  from: typeof old === 'string' ? diskStorage(old, { fileSystem: hasty }) : old,
})

/** What is made of it, and where. */
const madeFrom = async (
  old: string | DiskStorage,
  fileSystem = hasty,
): Promise<{ readonly directory: string; readonly told: Beginning }> => {
  const directory = anEmptyOne()
  return { directory, told: await lastValueFrom(bootstrapFrom(directory, options(old), fileSystem)) }
}

const aLog = persist({
  hardState: hardState(7, 'n2'),
  entries: [noopEntry(term(1)), configurationEntry(term(1), named), command(1, 'a'), command(3, 'b'), command(3, 'c')],
  commitIndex: 3,
})

/** A snapshot of the first four entries of that. */
const ofNamed = (size: number): SnapshotPointer => {
  const { base, ...of } = pointer(4, size, 4, { term: 3 })
  return { ...of, base: { ...base, configuration: named } }
}

describe('a directory of a new cluster, made from one of an old cluster', () => {
  it('holds its log in the term of the last entry, without its vote and with no-ops where it names members', async () => {
    const old = await holding([aLog])
    const before = plain(await found(old))
    const { directory, told } = await madeFrom(old)
    expect(told).toEqual({ ...identity, lastIndex: 5, lastTerm: 3, commitIndex: 3, bytes: 3 + JSON.stringify(named).length })
    expect(plain(await found(directory))).toEqual({
      currentTerm: 3,
      votedFor: null,
      commitIndex: 3,
      snapshot: null,
      base: { index: 0, term: 0, configuration: others },
      configuration: others,
      entries: [
        [1, 'noop', ''],
        [1, 'noop', ''],
        [1, 'command', 'a'],
        [3, 'command', 'b'],
        [3, 'command', 'c'],
      ],
    })
    expect(plain(await found(old))).toEqual(before)
  })

  it('holds its snapshot, which then begins with the new members', async () => {
    const old = await holding([aLog], [persist({ snapshot: ofNamed(70_000), firstIndex: 6, commitIndex: 4 })])
    const { directory, told } = await madeFrom(old)
    expect(told).toMatchObject({ lastIndex: 5, lastTerm: 3, commitIndex: 4, bytes: 70_001 })
    await withDisk(directory, async (disk) => {
      expect(plain(disk.recovered)).toEqual({
        currentTerm: 3,
        votedFor: null,
        commitIndex: 4,
        snapshot: { ref: 4, size: 70_000 },
        base: { index: 4, term: 3, configuration: others },
        configuration: others,
        entries: [[3, 'command', 'c']],
      })
      expect(await bytesOf(disk, 4, 70_000)).toEqual(Buffer.from(snapshotBytes(4, 70_000)))
    })
  })

  it.each([0, 1, 1 << 20, (1 << 20) + 1])('holds a snapshot of %d bytes with nothing after it', async (size) => {
    const old = await holding([persist({ snapshot: pointer(1, size, 9, { term: 2, keepsSuffix: false }), firstIndex: 10 })])
    const { directory, told } = await madeFrom(old)
    expect(told).toMatchObject({ lastIndex: 9, lastTerm: 2, commitIndex: 9, bytes: size })
    await withDisk(directory, async (disk) => {
      expect(disk.recovered).toMatchObject({ currentTerm: 2, commitIndex: 9, log: { base: { index: 9, term: 2 }, lastIndex: 9 } })
      expect((await bytesOf(disk, 1, size)).equals(snapshotBytes(1, size))).toBe(true)
    })
  })

  it('of one that never ran is like any new one', async () => {
    const { directory, told } = await madeFrom(await holding())
    expect(told).toMatchObject({ lastIndex: 0, lastTerm: 0, commitIndex: 0, bytes: 0 })
    expect(plain(await found(directory))).toMatchObject({ currentTerm: 0, commitIndex: 0, base: { configuration: others }, entries: [] })
  })

  it('keeps the commit hint within the log', async () => {
    const { directory, told } = await madeFrom(await holding([persist({ ...aLog.write, commitIndex: 9 })]))
    expect([told.commitIndex, (await found(directory)).commitIndex]).toEqual([5, 5])
  })

  it('has no term that a server which begins in term 0 would not follow at once', async () => {
    const high = maxTermLead / 2
    const terms = [1, high, high + 1, 2 ** 40, maxTerm]
    const old = await holding([persist({ hardState: hardState(maxTerm), entries: terms.map((t) => command(t, `${t}`)) })])
    const { directory, told } = await madeFrom(old)
    expect(told.lastTerm).toBe(maxTerm) // as it is, to be compared with others
    const { currentTerm, log } = await found(directory)
    expect([currentTerm, ...[...log].map((entry) => entry.term)]).toEqual([high, 1, high, high, high, high])
    const before = pointer(1, 3, 5, { term: maxTerm })
    const { log: begins } = await found(
      (await madeFrom(await holding([persist({ snapshot: { ...before, keepsSuffix: false } })]))).directory,
    )
    expect(begins.base.term).toBe(high)
  })

  it('is copied in pieces of about 1 MiB, whatever it holds', async () => {
    const entries = Array.from({ length: 10_000 }, (_, i) => command(2, i < 4_300 ? '' : 'x'.repeat(500)))
    const old = await holding(
      [persist({ snapshot: pointer(1, 3_000_000, 9, { term: 2, keepsSuffix: false }), firstIndex: 10 })],
      [persist({ firstIndex: 10, entries, commitIndex: 10_000 })],
    )
    const pieces: number[] = []
    const watched = (disk: OpenDisk): OpenDisk => ({
      ...disk,
      snapshots: {
        ...disk.snapshots,
        read: (ref, offset, maxBytes) => {
          pieces.push(maxBytes)
          return disk.snapshots.read(ref, offset, maxBytes)
        },
      },
    })
    const writes: number[] = []
    const fileSystem: FileSystem = {
      ...hasty,
      write: (fd, bytes, offset, length, position, told) => {
        writes.push(length)
        hasty.write(fd, bytes, offset, length, position, told)
      },
    }
    const { directory } = await madeFrom({ open: () => diskStorage(old).open().pipe(map(watched)) }, fileSystem)
    expect(pieces).toEqual([1 << 20, 1 << 20, 1 << 20])
    expect(Math.max(...writes)).toBeLessThan((5 << 20) / 2) // a piece, and up to 1 MiB of room for the next
    expect(plain(await found(directory))).toEqual({
      ...(plain(await found(old)) as object),
      ...{ currentTerm: 2 },
      base: { index: 9, term: 2, configuration: others },
      configuration: others,
    })
  })
})

describe('it is refused', () => {
  const refusedWith = async (source: Observable<unknown>, old: string): Promise<unknown> => {
    const error = await errorOf(source)
    await withDisk(old, () => Promise.resolve()) // nobody holds it any more
    return error
  }

  it('a cluster of the same name', async () => {
    const old = await holding([aLog])
    const directory = anEmptyOne()
    const making = bootstrapFrom(directory, { ...options(old), clusterId: 'test' }, hasty)
    expect(await refusedWith(making, old)).toMatchObject({
      _tag: 'WrongIdentity',
      message: expect.stringContaining('Give the new cluster another name'),
    })
    expect(() => statSync(directory)).toThrow('ENOENT')
  })

  it('a directory that is not empty, the old one itself among them', async () => {
    const old = await holding([aLog])
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'notes'), '')
    for (const target of [directory, old])
      expect(await refusedWith(bootstrapFrom(target, options(old), hasty), old)).toMatchObject({
        _tag: 'WrongIdentity',
        message: expect.stringContaining('is not empty'),
      })
    expect(readdirSync(directory)).toEqual(['notes'])
  })

  it('an old directory that is in use', async () => {
    const old = await holding([aLog])
    const directory = anEmptyOne()
    await withDisk(old, async () => {
      expect(await errorOf(bootstrapFrom(directory, options(old), hasty))).toMatchObject({ _tag: 'Locked' })
    })
    expect(() => statSync(directory)).toThrow('ENOENT')
  })

  it('an old directory that holds nothing', async () => {
    expect(await errorOf(bootstrapFrom(anEmptyOne(), options(temporaryDirectory()), hasty))).toMatchObject({ _tag: 'NotBootstrapped' })
  })

  it.each([{ id: 'N1' }, { clusterId: '' }, { incarnation: 'x' }])('a name that is none: %j', async (wrong) => {
    const old = options(await holding())
    expect(() => bootstrapFrom(anEmptyOne(), { ...old, ...wrong })).toThrow(expect.objectContaining({ name: 'InvalidOption' }))
  })

  it('a disk without room, and the old directory is given back', async () => {
    const old = await holding([persist({ snapshot: pointer(1, 100_000, 9, { keepsSuffix: false }), firstIndex: 10 })])
    const full: FileSystem = {
      ...hasty,
      write: (fd, bytes, offset, length, position, told) =>
        length > 50_000
          ? setImmediate(told, Object.assign(new Error('full'), { code: 'ENOSPC' }))
          : hasty.write(fd, bytes, offset, length, position, told),
    }
    const directory = anEmptyOne()
    expect(await refusedWith(bootstrapFrom(directory, options(old), full), old)).toMatchObject({ _tag: 'StorageFull' })
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({ _tag: 'NotBootstrapped' })
  })
})

it('does nothing before it is subscribed to, and gives the old directory back when nobody waits any more', async () => {
  const old = await holding([aLog])
  const directory = anEmptyOne()
  const making = bootstrapFrom(directory, options(old), hasty)
  await withDisk(old, () => Promise.resolve())
  expect(() => statSync(directory)).toThrow('ENOENT')
  making.subscribe().unsubscribe()
  await withDisk(old, () => Promise.resolve())
})

describe('a crash at any call', () => {
  const here = (): string => {
    const made = anEmptyOne()
    mkdirSync(made)
    return made
  }
  const snapshot = [persist({ snapshot: ofNamed(100_000), firstIndex: 6, commitIndex: 4 })]

  it.each(
    [
      { what: 'a log', batches: [[aLog]] },
      { what: 'a snapshot and a log', batches: [[aLog], snapshot] },
    ].flatMap((it) => [false, true].map((dsync) => ({ ...it, dsync }))),
  )('leaves $what whole or not bootstrapped (O_DSYNC: $dsync)', async ({ batches, dsync }) => {
    const old = await holding(...batches)
    const whole = plain(await found((await madeFrom(old)).directory))
    const outcomes: unknown[] = []
    for (let calls = 1, complete = false; !complete; calls++) {
      for (let seed = 0; seed < 5; seed++) {
        const disk = new ForgetfulDisk(dsync)
        const stops = disk.stopAfter(calls)
        complete = await new Promise<boolean>((resolve) => {
          const making = bootstrapFrom(here(), options(old), disk.fileSystem).subscribe({ complete: () => resolve(true) })
          void stops.then(() => {
            making.unsubscribe()
            resolve(false)
          })
        })
        if (seed === 0) disk.kill()
        else disk.losePower(dice(calls * 5 + seed))
        outcomes.push(
          await opened(diskStorage(here(), { fileSystem: disk.fileSystem })).then(({ open, abandon }) => {
            const state = plain(open.recovered)
            abandon()
            return state
          }, tagOf),
        )
      }
    }
    expect(outcomes[0]).toBe('NotBootstrapped')
    expect(outcomes.at(-1)).toEqual(whole)
    expect(outcomes.filter((outcome) => outcome !== 'NotBootstrapped' && JSON.stringify(outcome) !== JSON.stringify(whole))).toEqual([])
    expect(outcomes.length).toBeGreaterThan(5 * 20)
  })
})
