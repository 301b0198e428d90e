import { afterAll } from '@jest/globals'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { firstValueFrom, lastValueFrom, type ObservableInput, VirtualTimeScheduler } from 'rxjs'
import type { Persist } from '../../src/raft/effect.js'
import type { Recovered } from '../../src/raft/state/server.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { type DiskOptions, diskStorage, type OpenDisk } from '../../streams/storage/disk/diskStorage.js'
import { type FileSystem, nodeFileSystem } from '../../streams/storage/disk/fileSystem.js'
import type { StorageError } from '../../streams/storage/storage.js'
import { done, opened, perform } from './use.js'
import { configuration, incarnation } from './values.js'

export * from './use.js'
export * from './values.js'

const temporary: string[] = []

/** A new directory, gone after the tests of a file. */
export const temporaryDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'rxraft-'))
  temporary.push(directory)
  return directory
}

afterAll(() => {
  for (const directory of temporary.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** Sees no sync through, and asks for each as a call: for tests of many small logs on which no power fails. */
export const hasty: FileSystem = {
  ...nodeFileSystem,
  O_DSYNC: 0,
  fsync: (_fd, done) => setImmediate(done, null),
  fdatasync: (_fd, done) => setImmediate(done, null),
}

/** A bootstrapped data directory. */
export const dataDirectory = async (fileSystem = hasty): Promise<string> => {
  const directory = join(temporaryDirectory(), 'n1')
  await lastValueFrom(bootstrap(directory, { id: 'n1', clusterId: 'test', configuration, incarnation }, fileSystem))
  return directory
}

/** A second data directory with the same files, as a crash would leave them; nobody has it open. */
export const copyOf = (directory: string): string => {
  const copy = join(temporaryDirectory(), 'n1')
  cpSync(directory, copy, { recursive: true, filter: (path) => !basename(path).startsWith('lock') })
  return copy
}

/** The error of a stream; fails if there is none. */
export const errorOf = async (source: ObservableInput<unknown>): Promise<StorageError> => {
  const outcome = await done(source).then(
    () => null,
    (error: unknown) => error,
  )
  if (outcome === null) throw new Error('it did not fail')
  return outcome as StorageError
}

/** Does `use` with the disk in `directory`, and closes it. */
export const withDisk = async <A>(
  directory: string,
  use: (disk: OpenDisk) => Promise<A>,
  options: DiskOptions = { fileSystem: hasty, growBytes: 1 },
): Promise<A> => {
  const { open } = await opened(diskStorage(directory, options))
  try {
    return await use(open)
  } finally {
    await done(open.close())
  }
}

/**
 * A data directory as a crash leaves it after these writes: the durable marker is as old as their hard states, and no
 * room is made for more.
 */
export const crashedAfter = async (batches: ReadonlyArray<ReadonlyArray<Persist>>, options: DiskOptions = {}): Promise<string> => {
  const directory = await dataDirectory()
  return withDisk(
    directory,
    async (disk) => {
      for (const batch of batches) await perform(disk, batch)
      return copyOf(directory)
    },
    { fileSystem: hasty, scheduler: new VirtualTimeScheduler(), growBytes: 1, ...options },
  )
}

/** What is found in `directory`. It is not marked durable, and nothing is written to it that was not there. */
export const found = async (directory: string, options: DiskOptions = {}): Promise<Recovered> => {
  const { recovered } = await firstValueFrom(
    diskStorage(directory, { fileSystem: hasty, scheduler: new VirtualTimeScheduler(), ...options }).open(),
  )
  return recovered
}

export const snapshotPath = (directory: string, ref: number): string => join(directory, `${String(ref).padStart(10, '0')}.snapshot`)

export const segmentOne = (directory: string): string => join(directory, '0000000001.log')

/** Changes the bytes of a file in place. */
export const edit = (path: string, change: (bytes: Buffer) => Buffer | undefined): void => {
  const bytes = readFileSync(path)
  writeFileSync(path, change(bytes) ?? bytes)
}
