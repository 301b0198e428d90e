import { describe, it } from '@jest/globals'
import type { Observable } from 'rxjs'
import { eachEntry } from '../streams/rx/eachEntry.js'
import { marblesWith } from '../streams/testing.js'

const marbles = marblesWith(it)

type Book = ReadonlyMap<string, number>
const books: Readonly<Record<string, Book>> = {
  0: new Map(),
  a: new Map([['a', 1]]),
  b: new Map([
    ['a', 1],
    ['b', 2],
  ]),
  c: new Map([
    ['a', 1],
    ['b', 3],
  ]),
}
const same = (a: number, b: number): boolean => a === b

describe('eachEntry', () => {
  marbles(
    'begins a stream when an entry appears, and ends it when the entry vanishes',
    ({ hot, cold, expectObservable, expectSubscriptions }) => {
      const book = '    --a---0----'
      const a = cold('    xx|')
      const merged = '  --xx'
      const run = eachEntry<string, number, string>(same, () => a)
      expectObservable(hot(book, books).pipe(run)).toBe(merged)
      expectSubscriptions(a.subscriptions).toBe('--^-!')
    },
  )

  marbles('ends a stream and begins another when the value changes', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const book = '    --b---c---0--'
    const values: Readonly<Record<number, Observable<string> & { readonly subscriptions: never[] }>> = {
      1: cold('         --p------'),
      2: cold('         -q--q--q--'),
      3: cold('         -r--r--r--'),
    } as never
    const merged = '  ---qp--r----'
    const run = eachEntry<string, number, string>(same, (_, value) => values[value]!)
    expectObservable(hot(book, books).pipe(run)).toBe(merged)
    expectSubscriptions(values[1]!.subscriptions).toBe('--^-------!')
    expectSubscriptions(values[2]!.subscriptions).toBe('--^---!')
    expectSubscriptions(values[3]!.subscriptions).toBe('------^---!')
  })

  marbles('the same entry again changes nothing', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const book = '    --a-a-a--'
    const a = cold('    ----x---')
    const merged = '  ------x'
    const run = eachEntry<string, number, string>(same, () => a)
    expectObservable(hot(book, books).pipe(run)).toBe(merged)
    expectSubscriptions(a.subscriptions).toBe('--^')
  })

  marbles('an error of one stream ends all', ({ hot, cold, expectObservable, expectSubscriptions }) => {
    const book = '    --b----'
    const a = cold('    ----x')
    const b = cold('    --#')
    const merged = '  ----#'
    const run = eachEntry<string, number, string>(same, (key) => (key === 'a' ? a : b))
    expectObservable(hot(book, books).pipe(run)).toBe(merged)
    expectSubscriptions(a.subscriptions).toBe('--^-!')
  })

  marbles('the end of the maps ends no stream', ({ hot, cold, expectObservable }) => {
    const book = '    --a|'
    const a = cold('    --x--x')
    const merged = '  ----x--x'
    expectObservable(hot(book, books).pipe(eachEntry<string, number, string>(same, () => a))).toBe(merged)
  })
})
