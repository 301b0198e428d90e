import { describe, expect, it } from '@jest/globals'
import { concat, EMPTY, firstValueFrom, from, NEVER, Observable, of, range, Subject, throwError, toArray } from 'rxjs'
import { iterate, IterableObservable, IteratorOverrun } from '../streams/rx/iterable.js'

/** A source that says whether it is subscribed to. */
const watched = <T>() => {
  const value$ = new Subject<T>()
  const source = {
    subscribed: false,
    value$,
    stream$: new Observable<T>((subscriber) => {
      source.subscribed = true
      subscriber.add(() => {
        source.subscribed = false
      })
      subscriber.add(value$.subscribe(subscriber))
    }),
  }
  return source
}

const all = async <T>(iterable: AsyncIterable<T>): Promise<ReadonlyArray<T>> => {
  const values: T[] = []
  for await (const value of iterable) values.push(value)
  return values
}

describe('iterate', () => {
  it('gives what was buffered and what comes, and ends when the stream does', async () => {
    expect(await all(iterate(of(1, 2, 3)))).toEqual([1, 2, 3])
    const { value$, stream$ } = watched<number>()
    const iterator = iterate(stream$)
    const first = iterator.next()
    value$.next(1)
    value$.next(2)
    expect(await first).toEqual({ done: false, value: 1 })
    const rest = all(iterator)
    value$.next(3)
    value$.complete()
    expect(await rest).toEqual([2, 3])
  })

  it('ends at once where nothing comes', async () => {
    expect(await all(iterate(EMPTY))).toEqual([])
    const iterator = iterate(NEVER)
    const waiting = iterator.next()
    await iterator.return!()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  it('answers several readers in their order', async () => {
    const { value$, stream$ } = watched<string>()
    const iterator = iterate(stream$)
    const reads = [iterator.next(), iterator.next(), iterator.next(), iterator.next()]
    value$.next('a')
    value$.next('b')
    value$.complete()
    expect((await Promise.all(reads)).map(({ done, value }) => (done === true ? 'done' : value))).toEqual(['a', 'b', 'done', 'done'])
  })

  it('throws what the stream fails with, after the values before it', async () => {
    const values: number[] = []
    const failing = async (): Promise<void> => {
      for await (const value of iterate(
        concat(
          of(1, 2),
          throwError(() => new Error('lost')),
        ),
      ))
        values.push(value)
    }
    await expect(failing()).rejects.toEqual(new Error('lost'))
    expect(values).toEqual([1, 2])
    const { value$, stream$ } = watched()
    const waiting = iterate(stream$).next()
    const failure: unknown = { _tag: 'StorageFailed' }
    value$.error(failure)
    await expect(waiting).rejects.toBe(failure)
  })

  it('unsubscribes when the loop is left', async () => {
    const source = watched<number>()
    const iterator = iterate(source.stream$)
    source.value$.next(1)
    source.value$.next(2)
    for await (const value of iterator) {
      expect(source.subscribed).toBe(true)
      if (value === 1) break
    }
    expect(source.subscribed).toBe(false)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('buffers `maxBuffered` values; one more cuts the reader off, after those', async () => {
    const source = watched<number>()
    const reads = async (count: number): Promise<ReadonlyArray<unknown>> => {
      const iterator = iterate(source.stream$, { maxBuffered: 2 })
      for (let value = 0; value < count; value++) source.value$.next(value)
      const seen: unknown[] = [source.subscribed]
      await iterator.next().then(({ value }) => seen.push(value))
      await iterator.next().then(({ value }) => seen.push(value))
      if (source.subscribed) await iterator.return!()
      else await iterator.next().catch((error: unknown) => seen.push(error))
      return seen
    }
    expect(await reads(2)).toEqual([true, 0, 1])
    const [subscribed, , , error] = await reads(3)
    expect(subscribed).toBe(false)
    expect(error).toBeInstanceOf(IteratorOverrun)
    expect(error).toMatchObject({
      maxBuffered: 2,
      message: 'The reader of this stream fell 2 values behind and was cut off: read faster, or iterate over less of it.',
    })
  })

  it('cuts off a reader whose stream never pauses', async () => {
    const iterator = iterate(range(0, 1_000_000), { maxBuffered: 2 })
    expect([await iterator.next(), await iterator.next()]).toEqual([0, 1].map((value) => ({ done: false, value })))
    await expect(iterator.next()).rejects.toBeInstanceOf(IteratorOverrun)
  })
})

describe('IterableObservable', () => {
  it('is an Observable and an AsyncIterable', async () => {
    const stream$ = new IterableObservable(of('a', 'b'))
    expect(await firstValueFrom(stream$.pipe(toArray()))).toEqual(['a', 'b'])
    expect(await all(stream$)).toEqual(['a', 'b'])
    expect(await firstValueFrom(from(stream$))).toBe('a')
  })

  it('iterates over each subscription anew, and is not subscribed to before', async () => {
    const source = watched<number>()
    const stream$ = new IterableObservable(source.stream$)
    expect(source.subscribed).toBe(false)
    const iterator = stream$[Symbol.asyncIterator]()
    expect(source.subscribed).toBe(true)
    await iterator.return!()
    expect(source.subscribed).toBe(false)
  })

  it('what is piped from it is a plain Observable', () => {
    expect(Symbol.asyncIterator in new IterableObservable(EMPTY).pipe(toArray())).toBe(false)
  })
})
