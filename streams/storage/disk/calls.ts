import { AsyncSubject, Observable } from 'rxjs'
import type { Done, FileSystem } from './fileSystem.js'

export type Perform<A> = (fs: FileSystem, done: Done<A>) => void

/**
 * Every call and open file of one life of a storage, so that its end can be awaited. A call that was made cannot be
 * taken back: after `release` no further call begins, no answer is heard any more, and what is open is closed once the
 * last call under way has returned.
 */
export class Calls {
  /** The files that are open. */
  readonly files = new Set<number>()
  private readonly end$ = new AsyncSubject<null>()
  private readonly released$ = new AsyncSubject<never>()
  private readonly cleanups: (() => void)[] = []
  private underWay = 0
  private isEnding = false

  constructor(protected readonly fileSystem: FileSystem) {}

  /** Emits as soon as the end begins. */
  get ended$(): Observable<null> {
    return this.end$
  }

  /** One call for each subscription; emits its value. */
  call<A>(perform: Perform<A>): Observable<A> {
    return new Observable((subscriber) => {
      if (this.isEnding) return
      this.underWay++
      const answer: Done<A> = (error, value) => {
        this.underWay--
        if (this.isEnding) {
          if (this.underWay === 0) this.closeAll()
        } else if (error) subscriber.error(error)
        else {
          subscriber.next(value as A)
          subscriber.complete()
        }
      }
      try {
        perform(this.fileSystem, answer)
      } catch (error) {
        answer(error as NodeJS.ErrnoException) // an argument that is refused at once, such as a path with a zero in it
      }
    })
  }

  /** Done when everything is closed, latest first. */
  lastly(cleanup: () => void): void {
    this.cleanups.push(cleanup)
  }

  /** The end. Acts at the call, and once; completes when everything is closed and cleaned up. */
  release(): Observable<never> {
    if (!this.isEnding) {
      this.isEnding = true
      this.end$.next(null)
      this.end$.complete()
      if (this.underWay === 0) this.closeAll()
    }
    return this.released$
  }

  private closeAll(): void {
    const open = [...this.files]
    this.files.clear()
    let left = 1 + open.length
    const closed = (): void => {
      if (--left > 0) return
      for (const cleanup of this.cleanups.reverse()) cleanup()
      this.released$.complete()
    }
    for (const fd of open) this.fileSystem.close(fd, closed)
    closed()
  }
}
