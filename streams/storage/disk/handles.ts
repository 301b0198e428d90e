import { concat, concatMap, defer, EMPTY, expand, ignoreElements, map, mergeMap, type Observable, of, throwError } from 'rxjs'
import { Calls, type Perform } from './calls.js'
import type { FileSystem } from './fileSystem.js'

/** Data of servers concerns their own user only. */
export const fileMode = 0o600
export const directoryMode = 0o700

const readBlockBytes = 1 << 20

/** What the operating system did not call an error, and is one. */
const ioError = (message: string): Observable<never> => throwError(() => Object.assign(new Error(message), { code: 'EIO' }))

/** The calls that a storage makes, as streams that act when they are subscribed to. */
export class Handles extends Calls {
  open(path: string, flags: string | number): Observable<number> {
    return this.call<number>((fs, done) =>
      fs.open(path, flags, fileMode, (error, fd) => {
        if (fd !== undefined && !error) this.files.add(fd) // even if its subscriber has left
        done(error, fd)
      }),
    )
  }

  /** A file for `writeDurably`; `flags` are those of `constants`. */
  openDurable(path: string, flags: number): Observable<number> {
    return this.open(path, flags | this.fileSystem.O_DSYNC)
  }

  close(fd: number): Observable<never> {
    return defer(() => {
      this.files.delete(fd)
      return this.quietly((fs, done) => fs.close(fd, done))
    })
  }

  /** All of `bytes` at `position`, in one call unless the operating system writes less. */
  write(fd: number, bytes: Uint8Array, position: number): Observable<never> {
    return this.call<number>((fs, done) => fs.write(fd, bytes, 0, bytes.length, position, done)).pipe(
      mergeMap((written) => {
        if (written === bytes.length) return EMPTY
        if (written === 0) return ioError('the disk took none of it')
        return this.write(fd, bytes.subarray(written), position + written)
      }),
    )
  }

  /**
   * The same, and it is durable: one call where the operating system has `O_DSYNC`, else one more. Of a file that
   * `openDurable` opened.
   */
  writeDurably(fd: number, bytes: Uint8Array, position: number): Observable<never> {
    const written = this.write(fd, bytes, position)
    return this.fileSystem.O_DSYNC === 0 ? concat(written, this.fdatasync(fd)) : written
  }

  /**
   * Fills `target` with what stands from `position` on, the start of the file by default, in blocks; emits after each
   * how many bytes are there.
   */
  read(fd: number, target: Uint8Array, position = 0): Observable<number> {
    return of(0).pipe(
      expand((from) =>
        from === target.length
          ? EMPTY
          : this.call<number>((fs, done) =>
              fs.read(fd, target, from, Math.min(readBlockBytes, target.length - from), position + from, done),
            ).pipe(concatMap((read) => (read > 0 ? of(from + read) : ioError('it became shorter while it was read')))),
      ),
    )
  }

  fsync(fd: number): Observable<never> {
    return this.quietly((fs, done) => fs.fsync(fd, done))
  }

  /** Makes the names in `directory` durable. Windows opens no directories and keeps names by itself. */
  fsyncDirectory(directory: string): Observable<never> {
    return process.platform === 'win32' ? EMPTY : this.open(directory, 'r').pipe(mergeMap((fd) => concat(this.fsync(fd), this.close(fd))))
  }

  private fdatasync(fd: number): Observable<never> {
    return this.quietly((fs, done) => fs.fdatasync(fd, done))
  }

  private quietly(perform: Perform<unknown>): Observable<never> {
    return this.call(perform).pipe(ignoreElements())
  }
}

export const handlesOn = (fileSystem: FileSystem): Handles => new Handles(fileSystem)

/** The size of an open file, in bytes. */
export const sizeOf = (handles: Handles, fd: number): Observable<number> =>
  handles.call<{ readonly size: number }>((fs, done) => fs.fstat(fd, done)).pipe(map(({ size }) => size))

/** All bytes of the file at `path`. */
export const readWhole = (handles: Handles, path: string): Observable<Buffer> =>
  handles.open(path, 'r').pipe(
    mergeMap((fd) =>
      sizeOf(handles, fd).pipe(
        mergeMap((size) => {
          const bytes = Buffer.alloc(size)
          return concat(handles.read(fd, bytes).pipe(ignoreElements()), handles.close(fd), of(bytes))
        }),
      ),
    ),
  )
