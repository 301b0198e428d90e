import { from, Observable, type ObservableInput, Subject, takeUntil } from 'rxjs'

/**
 * More values came than the reader of an async iterator took. It was cut off so that it could not fill the memory.
 *
 * @example
 * try {
 *   for await (const role of iterate(server.role$, { maxBuffered: 10 })) console.log(role)
 * } catch (error) {
 *   if (error instanceof IteratorOverrun) alarm('this loop is too slow')
 * }
 */
export class IteratorOverrun extends Error {
  override readonly name = 'IteratorOverrun'
  constructor(readonly maxBuffered: number) {
    super(`The reader of this stream fell ${maxBuffered} values behind and was cut off: read faster, or iterate over less of it.`)
  }
}

/**
 * A stream as an `AsyncIterable`: what arrives between two reads is buffered, at most `maxBuffered`
 * values; one more ends the iteration with an `IteratorOverrun`. Leaving the loop unsubscribes.
 *
 * @example
 * for await (const leader of iterate(server.leader$)) console.log(leader)
 */
export const iterate = <T>(stream$: ObservableInput<T>, { maxBuffered = 65_536 } = {}): AsyncIterableIterator<T> => {
  const buffer: T[] = []
  const readers: { readonly resolve: (r: IteratorResult<T>) => void; readonly reject: (e: unknown) => void }[] = []
  let ending: { readonly error: unknown } | 'complete' | null = null

  /** Also for a stream that emits while it is being subscribed to, when there is no subscription yet. */
  const cut$ = new Subject<void>()

  const finish = (how: { readonly error: unknown } | 'complete'): void => {
    ending ??= how
    for (const { resolve, reject } of readers.splice(0)) {
      if (how === 'complete') resolve({ done: true, value: undefined })
      else reject(how.error)
    }
    cut$.next()
  }
  from(stream$)
    .pipe(takeUntil(cut$))
    .subscribe({
      next: (value) => {
        const reader = readers.shift()
        if (reader !== undefined) reader.resolve({ done: false, value })
        else if (buffer.length < maxBuffered) buffer.push(value)
        else finish({ error: new IteratorOverrun(maxBuffered) })
      },
      error: (error: unknown) => finish({ error }),
      complete: () => finish('complete'),
    })

  const iterator: AsyncIterableIterator<T> = {
    [Symbol.asyncIterator]: () => iterator,
    next: () => {
      if (buffer.length > 0) return Promise.resolve({ done: false, value: buffer.shift()! })
      if (ending === 'complete') return Promise.resolve({ done: true, value: undefined })
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a stream's error is passed on as it is
      if (ending !== null) return Promise.reject(ending.error)
      return new Promise((resolve, reject) => {
        readers.push({ resolve, reject })
      })
    },
    return: () => {
      finish('complete')
      buffer.length = 0
      return Promise.resolve({ done: true, value: undefined })
    },
  }
  return iterator
}

/**
 * An Observable that can be iterated over with `for await` as well. What is piped from it is a plain Observable.
 *
 * @example
 * for await (const role of server.role$) if (role === 'Leader') break
 */
export class IterableObservable<T> extends Observable<T> {
  constructor(stream$: Observable<T>) {
    super((subscriber) => stream$.subscribe(subscriber))
  }

  /** So that `for await` takes it, as `iterate` does. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return iterate(this)
  }
}
