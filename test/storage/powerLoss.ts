import { constants } from 'node:fs'
import { basename } from 'node:path'
import type { FileSystem } from '../../streams/storage/disk/fileSystem.js'

const sectorBytes = 512

interface Inode {
  readonly directory: boolean
  /** What a reader sees. */
  cache: Buffer
  /** What is on the disk. */
  durable: Buffer
  /** The sectors that were written since they were last synced. */
  readonly dirty: Set<number>
}

/** A file as it was opened. */
interface OpenFile {
  readonly inode: Inode
  /** A write to it is a write and a sync. */
  readonly durably: boolean
}

const O_DSYNC = 1 << 12

const sectorOf = (bytes: Buffer, sector: number): Buffer => bytes.subarray(sector * sectorBytes, (sector + 1) * sectorBytes)

/** `bytes` with this length, by cutting off or adding zeros. */
const resized = (bytes: Buffer, length: number): Buffer =>
  Buffer.concat([bytes.subarray(0, length), Buffer.alloc(Math.max(0, length - bytes.length))])

const isExclusive = (flags: string | number): boolean => typeof flags === 'number' && (flags & constants.O_EXCL) !== 0
const mayCreate = (flags: string | number): boolean => typeof flags === 'string' || (flags & constants.O_CREAT) !== 0

const systemError = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

/**
 * One directory on a disk that forgets. Contents are in memory until they are synced, sector by sector; names until
 * their directory is. It can stop at any call, after which nothing is done and nothing answers any more, as when the
 * process is killed (of a durable write the sync is not done then); then `kill` keeps what was written, and `losePower`
 * what was synced and, of the rest, what the dice let through.
 */
export class ForgetfulDisk {
  private names = new Map<string, Inode>()
  private durableNames = new Map<string, Inode>()
  private readonly open = new Map<number, OpenFile>()
  private nextFd = 3
  private left = Number.POSITIVE_INFINITY
  private syncsUntilFailure = Number.POSITIVE_INFINITY
  private stopped = (): void => undefined
  calls = 0

  /** With `dsync`, on an operating system that has `O_DSYNC`. */
  constructor(private readonly dsync = false) {
    this.fileSystem = { ...this.operations, O_DSYNC: dsync ? O_DSYNC : 0 }
  }

  /** Performs `n` more calls, then none. Resolves when it has stopped. */
  stopAfter(n: number): Promise<'stopped'> {
    this.left = n
    return new Promise((resolve) => {
      this.stopped = () => resolve('stopped')
    })
  }

  /**
   * The n-th sync from now on fails, and what it should have written is taken for clean from then on, as Linux does.
   */
  failSync(n: number): void {
    this.syncsUntilFailure = n
  }

  /** The names in the directory. */
  list(): ReadonlyArray<string> {
    return [...this.names.keys()].sort()
  }

  kill(): void {
    this.left = Number.POSITIVE_INFINITY
    this.syncsUntilFailure = Number.POSITIVE_INFINITY
    this.open.clear()
  }

  losePower(random: () => number): void {
    this.kill()
    const either = <A>(a: A, b: A): A => (random() < 0.5 ? a : b)
    const names = new Map<string, Inode>()
    for (const name of new Set([...this.names.keys(), ...this.durableNames.keys()])) {
      const inode = either(this.names.get(name), this.durableNames.get(name)) ?? undefined
      const sure = this.names.get(name) === this.durableNames.get(name)
      const kept = sure ? this.names.get(name) : inode
      if (kept !== undefined) names.set(name, kept)
    }
    for (const inode of new Set(names.values())) {
      const length = either(
        inode.durable.length,
        either(inode.cache.length, Math.floor(inode.durable.length + random() * (inode.cache.length - inode.durable.length))),
      )
      const disk = resized(inode.durable, length)
      for (const sector of inode.dirty) if (random() < 0.5) sectorOf(inode.cache, sector).copy(disk, sector * sectorBytes)
      inode.durable = disk
      inode.cache = Buffer.from(disk)
      inode.dirty.clear()
    }
    this.names = names
    this.durableNames = new Map(names)
  }

  /** A copy of this disk, on which one bit of one file turned over. */
  aged(random: () => number): ForgetfulDisk {
    const copy = new ForgetfulDisk(this.dsync)
    for (const [name, { cache }] of this.names)
      copy.names.set(name, { directory: false, cache: Buffer.from(cache), durable: Buffer.from(cache), dirty: new Set() })
    copy.durableNames = new Map(copy.names)
    const files = [...copy.names.values()].filter(({ cache }) => cache.length > 0)
    const { cache, durable } = files[Math.floor(random() * files.length)]!
    const at = Math.floor(random() * cache.length)
    durable[at] = cache[at]! ^= 1 << Math.floor(random() * 8)
    return copy
  }

  readonly fileSystem: FileSystem
  private readonly operations: Omit<FileSystem, 'O_DSYNC'> = {
    mkdir: (_path, _options, done) => this.call<string | undefined>(done, () => undefined),
    readdir: (_path, done) => this.call(done, () => [...this.list()]),
    open: (path, flags, _mode, done) =>
      this.call(done, () => {
        const inode = path.endsWith('n1')
          ? { directory: true, cache: Buffer.alloc(0), durable: Buffer.alloc(0), dirty: new Set<number>() }
          : this.inodeAt(path, flags)
        this.open.set(this.nextFd, { inode, durably: typeof flags === 'number' && (flags & O_DSYNC) !== 0 })
        return this.nextFd++
      }),
    close: (fd, done) =>
      this.call(done, () => {
        this.open.delete(fd)
      }),
    fstat: (fd, done) => this.call(done, () => ({ size: this.at(fd).cache.length })),
    read: (fd, target, offset, length, position, done) =>
      this.call(done, () => this.at(fd).cache.copy(target, offset, position, position + length)),
    write: (fd, bytes, offset, length, position, done) =>
      this.call(done, (stops) => {
        const inode = this.at(fd)
        inode.cache = resized(inode.cache, Math.max(inode.cache.length, position + length))
        Buffer.from(bytes.subarray(offset, offset + length)).copy(inode.cache, position)
        for (let sector = Math.floor(position / sectorBytes); sector * sectorBytes < position + length; sector++) inode.dirty.add(sector)
        if (this.open.get(fd)!.durably && !stops) this.sync(inode)
        return length
      }),
    ftruncate: (fd, length, done) =>
      this.call(done, () => {
        this.at(fd).cache = resized(this.at(fd).cache, length)
      }),
    fdatasync: (fd, done) => this.call(done, () => this.sync(this.at(fd))),
    fsync: (fd, done) => this.call(done, () => this.sync(this.at(fd))),
    rename: (from, to, done) =>
      this.call(done, () => {
        this.names.set(basename(to), this.inodeAt(from, 'r'))
        this.names.delete(basename(from))
      }),
    unlink: (path, done) =>
      this.call(done, () => {
        this.names.delete(basename(path))
      }),
  }

  private call<A>(done: (error: NodeJS.ErrnoException | null, value?: A) => void, perform: (stops: boolean) => A): void {
    if (this.left <= 0) return
    this.calls++
    this.left--
    const { left } = this
    queueMicrotask(() => {
      try {
        const value = perform(left === 0)
        if (left > 0) done(null, value)
      } catch (error) {
        if (left > 0) done(error as NodeJS.ErrnoException)
      }
      if (left === 0) this.stopped()
    })
  }

  private at(fd: number): Inode {
    const file = this.open.get(fd)
    if (file === undefined) throw systemError('EBADF')
    return file.inode
  }

  private inodeAt(path: string, flags: string | number): Inode {
    const name = basename(path)
    const inode = this.names.get(name)
    if (inode !== undefined) {
      if (flags === 'wx' || isExclusive(flags)) throw systemError('EEXIST')
      return inode
    }
    if (flags === 'r' || !mayCreate(flags)) throw systemError('ENOENT')
    const made = { directory: false, cache: Buffer.alloc(0), durable: Buffer.alloc(0), dirty: new Set<number>() }
    this.names.set(name, made)
    return made
  }

  private sync(inode: Inode): void {
    if (inode.directory) {
      this.durableNames = new Map(this.names)
      return
    }
    const fails = --this.syncsUntilFailure === 0
    if (!fails) {
      inode.durable = resized(inode.durable, inode.cache.length)
      for (const sector of inode.dirty) sectorOf(inode.cache, sector).copy(inode.durable, sector * sectorBytes)
    }
    inode.dirty.clear()
    if (fails) throw systemError('EIO')
  }
}
