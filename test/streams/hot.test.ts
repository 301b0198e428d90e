import { describe, expect, it } from '@jest/globals'
import { EMPTY, Observable, Subject, take, throwError } from 'rxjs'
import { endedBy, Hot, Latest, SharedEnd } from '../../streams/rx/hotInternals.js'

describe('a hot stream', () => {
  it('gives each value to those who are there, in the order in which they came', () => {
    const value$ = new Hot<number>()
    const seen: string[] = []
    value$.next(0)
    value$.subscribe((value) => seen.push(`a${value}`))
    value$.next(1)
    value$.subscribe((value) => seen.push(`b${value}`))
    value$.next(2)
    expect(seen).toEqual(['a1', 'a2', 'b2'])
  })

  it('those who come or go while a value is under way change nothing for the others', () => {
    const value$ = new Hot<number>()
    const seen: string[] = []
    const join = (name: string) => value$.subscribe((value) => seen.push(`${name}${value}`))
    let meanwhile = () => {
      join('late')
      b.unsubscribe()
    }
    value$.subscribe((value) => {
      seen.push(`a${value}`)
      meanwhile()
      meanwhile = () => undefined
    })
    const b = join('b')
    join('c')
    value$.next(1)
    value$.next(2)
    expect(seen).toEqual(['a1', 'c1', 'a2', 'c2', 'late2'])
  })

  it('knows whether anybody is there', () => {
    const value$ = new Hot<number>()
    const observed = [value$.observed]
    value$.pipe(take(1)).subscribe()
    observed.push(value$.observed)
    value$.next(1)
    observed.push(value$.observed)
    expect(observed).toEqual([false, true, false])
  })

  it('ends for all, and for those who come later at once', () => {
    const value$ = new Hot<number>()
    const seen: string[] = []
    value$.subscribe({ complete: () => seen.push('a') })
    value$.complete()
    value$.next(1)
    value$.subscribe({ next: () => seen.push('a value'), complete: () => seen.push('b') })
    expect(seen).toEqual(['a', 'b'])
  })
})

describe('the latest of a stream', () => {
  it('is given to those who come, if there is one', () => {
    const value$ = new Latest<number>()
    const seen: string[] = []
    value$.subscribe((value) => seen.push(`a${value}`))
    value$.next(1)
    value$.subscribe((value) => seen.push(`b${value}`))
    value$.next(2)
    expect(seen).toEqual(['a1', 'b1', 'a2', 'b2'])
  })

  it('and what that makes them do leads to the next, which they get too', () => {
    const value$ = new Latest<number>()
    value$.next(1)
    const seen: number[] = []
    value$.subscribe((value) => {
      seen.push(value)
      if (value < 3) value$.next(value + 1)
    })
    expect(seen).toEqual([1, 2, 3])
  })

  it('once only to one that leaves with the first', () => {
    const value$ = new Latest<number>()
    value$.next(1)
    const seen: number[] = []
    value$.pipe(take(1)).subscribe((value) => seen.push(value))
    value$.next(2)
    expect(seen).toEqual([1])
    expect(value$.observed).toBe(false)
  })

  it('is there to be asked for after the end, and not given any more', () => {
    const value$ = new Latest<number>()
    value$.next(1)
    value$.complete()
    const seen: string[] = []
    value$.subscribe({ next: () => seen.push('a value'), complete: () => seen.push('the end') })
    expect(seen).toEqual(['the end'])
    expect(value$.value).toBe(1)
  })
})

describe('an end that several wait for', () => {
  const watched = () => {
    const seen: string[] = []
    const source$ = new Subject<never>()
    const counted$ = new Observable((subscriber) => {
      seen.push('begun')
      subscriber.add(source$.subscribe(subscriber))
      return () => seen.push('let go')
    })
    return { seen, source$, end$: new SharedEnd(counted$) }
  }
  const wait = (seen: string[], end$: SharedEnd, name: string) =>
    end$.subscribe({ complete: () => seen.push(`${name} done`), error: (error: unknown) => seen.push(`${name} failed: ${String(error)}`) })

  it('is asked for once, and told to all, late comers too', () => {
    const { seen, source$, end$ } = watched()
    expect(seen).toEqual([])
    wait(seen, end$, 'a')
    wait(seen, end$, 'b')
    source$.complete()
    wait(seen, end$, 'late')
    expect(seen).toEqual(['begun', 'a done', 'b done', 'let go', 'late done'])
  })

  it('a failure, too', () => {
    const { seen, source$, end$ } = watched()
    wait(seen, end$, 'a')
    source$.error(new Error('no disk'))
    wait(seen, end$, 'late')
    expect(seen).toEqual(['begun', 'a failed: Error: no disk', 'let go', 'late failed: Error: no disk'])
  })

  it('goes on while anybody waits, and ends with the last who leaves', () => {
    const { seen, end$ } = watched()
    const a = wait(seen, end$, 'a')
    const b = wait(seen, end$, 'b')
    a.unsubscribe()
    expect(seen).toEqual(['begun'])
    b.unsubscribe()
    expect(seen).toEqual(['begun', 'let go'])
  })

  it('may come within the call', () => {
    const seen: string[] = []
    wait(seen, new SharedEnd(EMPTY), 'a')
    wait(seen, new SharedEnd(throwError(() => new Error('full'))), 'b')
    expect(seen).toEqual(['a done', 'b failed: Error: full'])
  })
})

describe('endedBy', () => {
  it('ends a stream, and lets go of both', () => {
    const value$ = new Subject<number>()
    const end$ = new Subject<void>()
    const seen: unknown[] = []
    value$.pipe(endedBy(end$)).subscribe({ next: (value) => seen.push(value), complete: () => seen.push('ended') })
    value$.next(1)
    end$.next()
    value$.next(2)
    expect([seen, value$.observed, end$.observed]).toEqual([[1, 'ended'], false, false])
  })

  it('also within the subscribing of what it ends', () => {
    const end$ = new Subject<void>()
    const seen: number[] = []
    const counting$ = new Observable<number>((subscriber) => {
      for (let i = 0; i < 5 && !subscriber.closed; i++) subscriber.next(i)
    })
    counting$.pipe(endedBy(end$)).subscribe((value) => {
      seen.push(value)
      if (value === 2) end$.next()
    })
    expect(seen).toEqual([0, 1, 2])
  })
})
