import { describe, expect, it } from '@jest/globals'
import { take } from 'rxjs'
import { Hot } from '../../streams/hotInternals.js'

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
})
