import { afterAll } from '@jest/globals'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { defaultIfEmpty, firstValueFrom, from, lastValueFrom, type ObservableInput, VirtualTimeScheduler } from 'rxjs'
import { votersOnly } from '../../src/raft/configuration.js'
import type { HardState, Persist, SnapshotPointer, StoreSnapshot, Write } from '../../src/raft/effect.js'
import { commandEntry, type Entry } from '../../src/raft/entry.js'
import { logIndex, nodeId, snapshotRef, term, writeSeq } from '../../src/raft/ids.js'
import type { Recovered } from '../../src/raft/server.js'
import { bootstrap } from '../../streams/storage/disk/bootstrap.js'
import { type DiskOptions, diskStorage, type OpenDisk } from '../../streams/storage/disk/diskStorage.js'
import { type FileSystem, nodeFileSystem } from '../../streams/storage/disk/fileSystem.js'
import type { OpenStorage, StorageError } from '../../streams/storage/storage.js'

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

export const configuration = votersOnly(['n1', 'n2', 'n3'].map(nodeId))
export const incarnation = '0123456789abcdef0123456789abcdef'

/** Sees no sync through: for tests of many small logs on which no power fails. */
export const hasty: FileSystem = {
  ...nodeFileSystem,
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

/** The `_tag` of what a stream or a promise failed with. */
export const tagOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && '_tag' in error ? String(error._tag) : `no refusal: ${String(error)}`

export const done = (source: ObservableInput<unknown>): Promise<unknown> => lastValueFrom(from(source).pipe(defaultIfEmpty(null)))

/** The error of a stream; fails if there is none. */
export const errorOf = async (source: ObservableInput<unknown>): Promise<StorageError> => {
  const outcome = await done(source).then(
    () => null,
    (error: unknown) => error,
  )
  if (outcome === null) throw new Error('it did not fail')
  return outcome as StorageError
}

export interface Opened<Open extends OpenStorage> {
  readonly open: Open
  /** Abandons it, as a crash would. */
  readonly abandon: () => void
}

export const opened = <Open extends OpenStorage = OpenStorage>(storage: { open(): ObservableInput<Open> }): Promise<Opened<Open>> =>
  new Promise((resolve, reject) => {
    const subscription = from(storage.open()).subscribe({
      next: (open) => setImmediate(() => resolve({ open, abandon: () => subscription.unsubscribe() })),
      error: reject,
    })
  })

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

/** A data directory as a crash leaves it after these writes: the durable marker is as old as their hard states, and no room is made for more. */
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

export const command = (term_: number, text: string): Entry =>
  commandEntry(
    term(term_),
    Uint8Array.from(text, (c) => c.charCodeAt(0)),
  )

/** A write, of which only what matters is given. */
export const persist = (
  write: Partial<{ [Field in keyof Write]: Write[Field] | number }> & { readonly entries?: ReadonlyArray<Entry> } = {},
): Persist => ({
  _tag: 'Persist',
  seq: writeSeq(1),
  write: {
    snapshot: null,
    hardState: null,
    truncateFrom: null,
    firstIndex: logIndex(1),
    entries: [],
    commitIndex: logIndex(0),
    ...write,
  } as Write,
})

export const hardState = (currentTerm: number, votedFor: string | null = null): HardState => ({
  currentTerm: term(currentTerm),
  votedFor: votedFor === null ? null : nodeId(votedFor),
})

/** A state as values that can be compared, whatever the log is made of. */
export const plain = ({ currentTerm, votedFor, log, commitIndex, snapshot }: Recovered): unknown => ({
  currentTerm,
  votedFor,
  commitIndex,
  snapshot,
  base: log.base,
  configuration: log.configuration,
  entries: [...log].map(({ term, kind, command }) => [term, kind, Buffer.from(command).toString('latin1')]),
})

/** The bytes of snapshot `ref`, of which no two blocks look the same. */
export const snapshotBytes = (ref: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >> 8) * 13 + ref
  return bytes
}

/** Snapshot `ref` of entry `index`, of which the log keeps what follows. */
export const pointer = (ref: number, size: number, index: number, { term: t = 1, keepsSuffix = true } = {}): SnapshotPointer => ({
  ref: snapshotRef(ref),
  size,
  base: { index: logIndex(index), term: term(t), configuration },
  keepsSuffix,
})

/** The snapshot that `pointer` points to, in pieces of `pieceBytes`. */
export const piecesOf = ({ ref, size, base }: SnapshotPointer, pieceBytes = Math.max(1, size)): ReadonlyArray<StoreSnapshot> => {
  const bytes = snapshotBytes(ref, size)
  return Array.from({ length: Math.max(1, Math.ceil(size / pieceBytes)) }, (_, i) => {
    const offset = i * pieceBytes
    return {
      _tag: 'StoreSnapshot',
      ref,
      base,
      offset,
      data: bytes.subarray(offset, offset + pieceBytes),
      last: offset + pieceBytes >= size,
    }
  })
}

/** Stores it, as `streams/snapshots.ts` does: one piece after another. */
export const store = async ({ snapshots }: OpenStorage, pointer: SnapshotPointer, pieceBytes?: number): Promise<void> => {
  for (const piece of piecesOf(pointer, pieceBytes)) await done(snapshots.store(piece))
}

/** Does what a server does for one batch: the snapshots in it are stored before, and those they take the place of discarded after. */
export const perform = async (open: OpenStorage, batch: ReadonlyArray<Persist>): Promise<void> => {
  const pointers = batch.flatMap(({ write: { snapshot } }) => (snapshot === null ? [] : [snapshot]))
  for (const pointer of pointers) await store(open, pointer, 1 + ((pointer.ref * 97) % 700) + (pointer.size >> 4))
  await done(open.write(batch))
  const last = pointers.at(-1)?.ref
  if (last !== undefined) await done(open.snapshots.discard(Array.from({ length: last - 1 }, (_, i) => snapshotRef(i + 1))))
}

/** The bytes of a stored snapshot. */
export const bytesOf = async ({ snapshots }: OpenStorage, ref: number, size: number, offset = 0): Promise<Buffer> =>
  Buffer.from(await lastValueFrom(from(snapshots.read(snapshotRef(ref), offset, size))))

export const snapshotPath = (directory: string, ref: number): string => join(directory, `${String(ref).padStart(10, '0')}.snapshot`)

export const segmentOne = (directory: string): string => join(directory, '0000000001.log')

/** Changes the bytes of a file in place. */
export const edit = (path: string, change: (bytes: Buffer) => Buffer | undefined): void => {
  const bytes = readFileSync(path)
  writeFileSync(path, change(bytes) ?? bytes)
}
