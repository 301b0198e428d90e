import fs from 'node:fs'

export type Done<A = void> = (error: NodeJS.ErrnoException | null, value?: A) => void

/**
 * The calls of the operating system on which the disk rests, as `node:fs` has them. A test puts
 * another in its place, to fail, to be short of space, or to stop at one exact call.
 */
export interface FileSystem {
  mkdir(path: string, options: { readonly recursive: true; readonly mode: number }, done: Done<string | undefined>): void
  readdir(path: string, done: Done<string[]>): void
  open(path: string, flags: string | number, mode: number, done: Done<number>): void
  close(fd: number, done: Done): void
  fstat(fd: number, done: Done<{ readonly size: number }>): void
  read(fd: number, target: Uint8Array, offset: number, length: number, position: number, done: Done<number>): void
  write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number, done: Done<number>): void
  ftruncate(fd: number, length: number, done: Done): void
  /** Contents and what is needed to read them back. */
  fdatasync(fd: number, done: Done): void
  /** The same and the rest of what is known of a file; of a directory, its names. */
  fsync(fd: number, done: Done): void
  /**
   * With this among the flags of `open` a write to that file returns when it is durable, as after `fdatasync`: one
   * visit to the thread pool in the place of two. 0 where there is none, or none that reaches the disk.
   */
  readonly O_DSYNC: number
  rename(from: string, to: string, done: Done): void
  unlink(path: string, done: Done): void
}

/**
 * macOS has the flag and leaves the bytes in the disk's cache, out of which `fdatasync` of libuv gets them
 * (`F_FULLFSYNC`).
 */
const O_DSYNC = process.platform === 'linux' ? fs.constants.O_DSYNC : 0

export const nodeFileSystem: FileSystem = { ...fs, O_DSYNC }
