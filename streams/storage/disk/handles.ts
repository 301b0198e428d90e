import { AsyncSubject, concat, concatMap, defer, EMPTY, expand, ignoreElements, map, mergeMap, Observable, of, throwError } from 'rxjs'
import type { Done, FileSystem } from './fileSystem.js'

type Perform<A> = (fs: FileSystem, done: Done<A>) => void

/**
 * Every call and open file of one life of a storage, so that its end can be awaited. A call that was
 * made cannot be taken back: after `release` no further call begins, no answer is heard any more, and
 * what is open is closed once the last call under way has returned.
 */
export interface Handles {
  /** One call for each subscription; emits its value. */
  call<A>(perform: Perform<A>): Observable<A>
  open(path: string, flags: string | number): Observable<number>
  /** A file for `writeDurably`; `flags` are those of `constants`. */
  openDurable(path: string, flags: number): Observable<number>
  close(fd: number): Observable<never>
  /** All of `bytes` at `position`, in one call unless the operating system writes less. */
  write(fd: number, bytes: Uint8Array, position: number): Observable<never>
  /** The same, and it is durable: one call where the operating system has `O_DSYNC`, else one more. Of a file that `openDurable` opened. */
  writeDurably(fd: number, bytes: Uint8Array, position: number): Observable<never>
  /** Fills `target` with what stands from `position` on, the start of the file by default, in blocks; emits after each how many bytes are there. */
  read(fd: number, target: Uint8Array, position?: number): Observable<number>
  fsync(fd: number): Observable<never>
  /** Makes the names in `directory` durable. */
  fsyncDirectory(directory: string): Observable<never>
  /** Done when everything is closed, latest first. */
  lastly(cleanup: () => void): void
  /** Emits as soon as the end begins. */
  readonly ended$: Observable<null>
  /** The end. Acts at the call, and once; completes when everything is closed and cleaned up. */
  release(): Observable<never>
}

/** Data of servers is nobody else's business. */
export const fileMode = 0o600
export const directoryMode = 0o700

const readBlockBytes = 1 << 20

/** What the operating system did not call an error, and is one. */
const ioError = (message: string): Observable<never> => throwError(() => Object.assign(new Error(message), { code: 'EIO' }))

export const handlesOn = (fs: FileSystem): Handles => {
  const files = new Set<number>()
  const cleanups: (() => void)[] = []
  const ended$ = new AsyncSubject<null>()
  const released$ = new AsyncSubject<never>()
  let underWay = 0
  let ended = false

  const closeAll = (): void => {
    let left = 1 + files.size
    const closed = (): void => {
      if (--left > 0) return
      for (const cleanup of cleanups.reverse()) cleanup()
      released$.complete()
    }
    for (const fd of files) fs.close(fd, closed)
    files.clear()
    closed()
  }

  const call = <A>(perform: Perform<A>): Observable<A> =>
    new Observable((subscriber) => {
      if (ended) return
      underWay++
      const answer: Done<A> = (error, value) => {
        underWay--
        if (ended) {
          if (underWay === 0) closeAll()
        } else if (error) subscriber.error(error)
        else {
          subscriber.next(value as A)
          subscriber.complete()
        }
      }
      try {
        perform(fs, answer)
      } catch (error) {
        answer(error as NodeJS.ErrnoException) // an argument that it will not even look at, such as a path with a zero in it
      }
    })

  const quietly = (perform: Perform<unknown>): Observable<never> => call(perform).pipe(ignoreElements())

  const open = (path: string, flags: string | number): Observable<number> =>
    call<number>((fs, done) =>
      fs.open(path, flags, fileMode, (error, fd) => {
        if (fd !== undefined && !error) files.add(fd) // even if nobody waits for it any more
        done(error, fd)
      }),
    )

  const close = (fd: number): Observable<never> =>
    defer(() => {
      files.delete(fd)
      return quietly((fs, done) => fs.close(fd, done))
    })

  const write = (fd: number, bytes: Uint8Array, position: number): Observable<never> =>
    call<number>((fs, done) => fs.write(fd, bytes, 0, bytes.length, position, done)).pipe(
      mergeMap((written) => {
        if (written === bytes.length) return EMPTY
        if (written === 0) return ioError('the disk took none of it')
        return write(fd, bytes.subarray(written), position + written)
      }),
    )

  const fdatasync = (fd: number): Observable<never> => quietly((fs, done) => fs.fdatasync(fd, done))

  const read = (fd: number, target: Uint8Array, position = 0): Observable<number> =>
    of(0).pipe(
      expand((from) =>
        from === target.length
          ? EMPTY
          : call<number>((fs, done) =>
              fs.read(fd, target, from, Math.min(readBlockBytes, target.length - from), position + from, done),
            ).pipe(concatMap((read) => (read > 0 ? of(from + read) : ioError('it became shorter while it was read')))),
      ),
    )

  const fsync = (fd: number): Observable<never> => quietly((fs, done) => fs.fsync(fd, done))

  return {
    call,
    open,
    openDurable: (path, flags) => open(path, flags | fs.O_DSYNC),
    close,
    write,
    writeDurably: (fd, bytes, position) => {
      const written = write(fd, bytes, position)
      return fs.O_DSYNC === 0 ? concat(written, fdatasync(fd)) : written
    },
    read,
    fsync,
    // Windows opens no directories and keeps names by itself.
    fsyncDirectory: (directory) =>
      process.platform === 'win32' ? EMPTY : open(directory, 'r').pipe(mergeMap((fd) => concat(fsync(fd), close(fd)))),
    lastly: (cleanup) => {
      cleanups.push(cleanup)
    },
    ended$,
    release: () => {
      if (!ended) {
        ended = true
        ended$.next(null)
        ended$.complete()
        if (underWay === 0) closeAll()
      }
      return released$
    },
  }
}

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
