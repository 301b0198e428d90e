import { describe, expect, it } from '@jest/globals'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lastValueFrom } from 'rxjs'
import { logIndex } from '../../src/raft/ids.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { diskStorage } from '../../streams/storage/disk/diskStorage.js'
import { readIdentity } from '../../streams/storage/disk/identity.js'
import {
  command,
  configuration,
  copyOf,
  dataDirectory,
  done,
  edit,
  errorOf,
  found,
  hardState,
  hasty,
  incarnation,
  opened,
  persist,
  plain,
  temporaryDirectory,
  withDisk,
} from './support.js'

const options = { id: 'n1', clusterId: 'test', configuration }

describe('bootstrap', () => {
  it('makes a directory that its owner alone can read, parents too, and tells whose it is', async () => {
    const parent = join(temporaryDirectory(), 'data')
    const directory = join(parent, 'n1')
    const identity = await lastValueFrom(bootstrap(directory, options))
    expect(identity).toEqual({ id: 'n1', clusterId: 'test', incarnation: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(await lastValueFrom(readIdentity(directory))).toEqual(identity)
    expect(statSync(parent).mode & 0o777).toBe(0o700)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(readdirSync(directory).map((name) => [name, statSync(join(directory, name)).mode & 0o777])).toEqual([
      ['0000000001.log', 0o600],
      ['identity.json', 0o600],
      ['vote', 0o600],
    ])
  })

  it('draws another incarnation each time', async () => {
    const identities = [temporaryDirectory(), temporaryDirectory()].map((parent) => lastValueFrom(bootstrap(join(parent, 'n1'), options)))
    const [a, b] = await Promise.all(identities)
    expect(a!.incarnation).not.toBe(b!.incarnation)
  })

  it('takes an empty directory', async () => {
    await expect(lastValueFrom(bootstrap(temporaryDirectory(), options))).resolves.toMatchObject({ id: 'n1' })
  })

  it('refuses a directory that is not empty, and changes nothing in it', async () => {
    const directory = await dataDirectory()
    const before = readFileSync(join(directory, 'identity.json'))
    const error = await errorOf(bootstrap(directory, { ...options, id: 'n2' }))
    expect(error).toMatchObject({
      _tag: 'WrongIdentity',
      message: expect.stringContaining('is not empty (0000000001.log, identity.json, vote)'),
    })
    expect(readFileSync(join(directory, 'identity.json'))).toEqual(before)
  })

  it.each([{ id: 'N1' }, { clusterId: '' }, { incarnation: 'abc' }])('refuses %j as no name', (wrong) => {
    expect(() => bootstrap('unused', { ...options, ...wrong })).toThrow(Object.keys(wrong)[0])
  })

  it('does nothing before it is subscribed to', () => {
    const directory = join(temporaryDirectory(), 'n1')
    bootstrap(directory, options)
    expect(() => statSync(directory)).toThrow('ENOENT')
  })
})

describe('opening a disk', () => {
  it('finds a new server in a bootstrapped directory', async () => {
    expect(plain(await found(await dataDirectory()))).toEqual({
      currentTerm: 0,
      votedFor: null,
      commitIndex: 0,
      snapshot: null,
      base: { index: 0, term: 0, configuration },
      configuration,
      entries: [],
    })
  })

  it('knows whose it is', async () => {
    const { open } = await opened(diskStorage(await dataDirectory()))
    expect(open.identity).toEqual({ id: 'n1', clusterId: 'test', incarnation })
    await done(open.close())
  })

  it('serves from nothing that was not bootstrapped, and says what to do', async () => {
    for (const directory of [temporaryDirectory(), join(temporaryDirectory(), 'absent')]) {
      const error = await errorOf(diskStorage(directory).open())
      expect(error).toMatchObject({ _tag: 'NotBootstrapped', message: expect.stringContaining('`rxraft init`') })
      expect(await errorOf(readIdentity(directory))).toMatchObject({ _tag: 'NotBootstrapped' })
    }
  })

  it.each([{ id: 'n2' }, { clusterId: 'prod' }])('refuses another’s data: expected %j', async (expected) => {
    const error = await errorOf(diskStorage(await dataDirectory(), expected).open())
    expect(error).toMatchObject({ _tag: 'WrongIdentity', message: expect.stringContaining('holds server n1 of cluster test') })
  })

  it('says that a path is no directory', async () => {
    const path = join(temporaryDirectory(), 'file')
    writeFileSync(path, '')
    expect(await errorOf(diskStorage(path).open())).toMatchObject({ _tag: 'Unreadable', message: expect.stringContaining('ENOTDIR') })
    expect(await errorOf(bootstrap(path, options))).toMatchObject({ _tag: 'Unreadable' })
  })

  it('says that a file cannot be read', async () => {
    const directory = await dataDirectory()
    rmSync(join(directory, 'vote'))
    mkdirSync(join(directory, 'vote')) // unreadable for root too
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({ _tag: 'Unreadable', message: expect.stringContaining('vote') })
  })

  it('says that identity.json names nobody', async () => {
    const directory = await dataDirectory()
    edit(join(directory, 'identity.json'), () => Buffer.from('{"id":"n1"}'))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Corrupt',
      message: expect.stringContaining('identity.json'),
    })
  })

  it('says that the log belongs to another incarnation', async () => {
    const directory = await dataDirectory()
    edit(join(directory, 'identity.json'), (bytes) => Buffer.from(bytes.toString().replace(incarnation, 'f'.repeat(32))))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Corrupt',
      message: expect.stringContaining(`incarnation ${incarnation}`),
    })
  })

  it('does nothing before it is subscribed to, and can be done again and again', async () => {
    const directory = await dataDirectory()
    const storage = diskStorage(directory, { fileSystem: hasty })
    storage.open()
    for (let i = 0; i < 3; i++) await done((await opened(storage)).open.close())
    expect(readdirSync(directory)).toEqual(['0000000001.log', 'identity.json', 'vote'])
  })
})

describe('a disk', () => {
  const first = persist({ hardState: hardState(1, 'n1'), entries: [command(1, 'a'), command(1, 'b')], commitIndex: 1 })
  const second = persist({ hardState: hardState(2), truncateFrom: 2, firstIndex: 2, entries: [command(2, 'c')], commitIndex: 1 })

  it('is found again as it was, after closing', async () => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await done(disk.write([first]))
      await done(disk.write([second]))
    })
    expect(plain(await found(directory))).toMatchObject({
      currentTerm: 2,
      votedFor: null,
      commitIndex: 1,
      entries: [
        [1, 'command', 'a'],
        [2, 'command', 'c'],
      ],
    })
  })

  it('is found again as it was, after a crash', async () => {
    const directory = await dataDirectory()
    const { open, abandon } = await opened(diskStorage(directory))
    await done(open.write([first, second]))
    abandon()
    expect(plain(await found(directory))).toMatchObject({
      currentTerm: 2,
      entries: [
        [1, 'command', 'a'],
        [2, 'command', 'c'],
      ],
    })
  })

  it('writes at the call, and finishes what it writes though nobody waits', async () => {
    const directory = await dataDirectory()
    await withDisk(directory, (disk) => {
      disk.write([first]).subscribe().unsubscribe()
      return Promise.resolve()
    })
    expect((await found(directory)).log.lastIndex).toBe(2)
  })

  it('abandoned while it writes tells nobody, and is there whole or not at all when it is opened again', async () => {
    const directory = await dataDirectory()
    const storage = diskStorage(directory)
    const { open, abandon } = await opened(storage)
    let told = false
    open.write([first]).subscribe({
      complete: () => {
        told = true
      },
    })
    abandon()
    const again = await opened(storage)
    expect(told).toBe(false)
    expect([0, 2]).toContain(again.open.recovered.log.lastIndex)
    await done(again.open.close())
  })

  it('leaves no file open, no lock and no timer when it is abandoned at any point', async () => {
    const directory = await dataDirectory()
    const descriptors = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
    const before = descriptors()
    const storage = diskStorage(directory)
    for (let turns = 0; turns < 30; turns++) {
      const subscription = storage.open().subscribe()
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      subscription.unsubscribe()
    }
    await done((await opened(storage)).open.close())
    expect(readdirSync(directory)).toEqual(['0000000001.log', 'identity.json', 'vote'])
    expect(descriptors()).toBe(before)
  })

  it('completes the stream that opened it when it is closed', async () => {
    const storage = diskStorage(await dataDirectory())
    let completed = false
    const open = await new Promise<{ close(): unknown }>((resolve) => {
      storage.open().subscribe({
        next: resolve,
        complete: () => {
          completed = true
        },
      })
    })
    await done(open.close() as ReturnType<typeof storage.open>)
    expect(completed).toBe(true)
  })

  it('writes nothing for an empty batch, and nothing for a commit hint alone', async () => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      const before = disk.sizeBytes()
      await done(disk.write([]))
      await done(disk.write([persist({ commitIndex: logIndex(0) })]))
      expect(disk.sizeBytes()).toBe(before)
    })
  })

  it('does not take what does not continue its log', async () => {
    await withDisk(await dataDirectory(), async (disk) => {
      await expect(done(disk.write([persist({ firstIndex: 2, entries: [command(1, 'a')] })]))).rejects.toThrow('continues the log')
    })
  })

  it('tells its size, which grows by what is written', async () => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await done(disk.write([first]))
      expect(disk.sizeBytes()).toBe(statSync(join(directory, '0000000001.log')).size + statSync(join(directory, 'vote')).size)
    })
  })

  it('takes a command larger than its buffer, and a small one after it', async () => {
    const directory = await dataDirectory()
    const large = 'x'.repeat(9 << 20)
    await withDisk(directory, async (disk) => {
      await done(disk.write([persist({ entries: [command(1, large)] })]))
      await done(disk.write([persist({ firstIndex: 2, entries: [command(1, 'small')] })]))
    })
    expect([...(await found(directory)).log].map(({ size }) => size)).toEqual([9 << 20, 5])
  })

  it('holds none of the file it was read from: a small entry that survived does not keep a large one in memory', async () => {
    const directory = await dataDirectory()
    await withDisk(directory, async (disk) => {
      await done(disk.write([persist({ entries: [command(1, 'small')] })]))
      await done(disk.write([persist({ firstIndex: 2, entries: [command(1, 'x'.repeat(1 << 20))] })]))
      await done(disk.write([persist({ truncateFrom: 2, firstIndex: 2, entries: [command(2, 'small')] })]))
    })
    const held = [...(await found(directory)).log].map((entry) => entry.command.buffer.byteLength)
    expect(held).toEqual([1 << 16, 1 << 16])
  })
})

describe('segments', () => {
  const small = { fileSystem: hasty, segmentBytes: 700 }
  const fill = (directory: string, count: number): Promise<void> =>
    withDisk(
      directory,
      async (disk) => {
        const begin = disk.recovered.log.lastIndex
        for (let i = 1; i <= count; i++)
          await done(
            disk.write([
              persist({
                hardState: hardState(begin + i, 'n2'),
                firstIndex: begin + i,
                entries: [command(begin + i, `entry ${begin + i}`)],
              }),
            ]),
          )
      },
      small,
    )
  const logs = (directory: string): ReadonlyArray<string> => readdirSync(directory).filter((name) => name.endsWith('.log'))

  it('follow each other when one is full, and are read as one log', async () => {
    const directory = await dataDirectory()
    await fill(directory, 20)
    expect(logs(directory).length).toBeGreaterThan(3)
    expect((await found(directory)).log.lastIndex).toBe(20)
    await fill(directory, 5)
    const { log, currentTerm, votedFor } = await found(directory)
    expect([log.lastIndex, log.lastTerm, currentTerm, votedFor]).toEqual([25, 25, 25, 'n2'])
  })

  it('a truncation reaches into segments before, and deletes none', async () => {
    const directory = await dataDirectory()
    await fill(directory, 20)
    const before = logs(directory)
    await withDisk(
      directory,
      (disk) => done(disk.write([persist({ truncateFrom: 2, firstIndex: 2, entries: [command(20, 'new')] })])),
      small,
    )
    expect(logs(directory)).toEqual(expect.arrayContaining([...before]))
    expect([...(await found(directory)).log].map(({ term }) => term)).toEqual([1, 20])
  })

  it('one that is missing is not passed over', async () => {
    const directory = await dataDirectory()
    await fill(directory, 20)
    for (const [name, of] of [
      ['0000000001.log', 'segments before it are missing'],
      ['0000000002.log', 'the file is missing'],
    ] as const) {
      const copy = copyOf(directory)
      rmSync(join(copy, name))
      expect(await errorOf(diskStorage(copy).open())).toMatchObject({ _tag: 'Corrupt', message: expect.stringContaining(of) })
    }
  })

  it('the last one missing is not passed over, since the durable marker tells of it', async () => {
    const directory = await dataDirectory()
    await fill(directory, 20)
    rmSync(join(directory, logs(directory).at(-1)!))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({
      _tag: 'Corrupt',
      message: expect.stringContaining('were on disk'),
    })
  })

  it('one under the name of another is not taken for it', async () => {
    const directory = await dataDirectory()
    await fill(directory, 20)
    writeFileSync(join(directory, '0000000002.log'), readFileSync(join(directory, '0000000003.log')))
    expect(await errorOf(diskStorage(directory).open())).toMatchObject({ _tag: 'Corrupt' })
  })

  it('one that was only just begun is removed, and begun again', async () => {
    const directory = await dataDirectory()
    await fill(directory, 3)
    const count = logs(directory).length
    for (const beginning of [Buffer.alloc(0), Buffer.alloc(300), Buffer.from('remains')]) {
      writeFileSync(join(directory, `000000000${count + 1}.log`), beginning)
      expect((await found(directory)).log.lastIndex).toBe(3)
      expect(logs(directory)).toHaveLength(count)
    }
  })
})
