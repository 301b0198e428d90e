import { describe, expect, it } from '@jest/globals'
import { delay, interval, map, merge, of, throwError } from 'rxjs'
import { logIndex, term } from '../../src/raft/ids.js'
import { commandEntry } from '../../src/raft/state/entry.js'
import { votersOnly } from '../../src/raft/state/configuration.js'
import { logFrom } from '../../src/raft/state/log.js'
import { inVirtualTime, type MarbleHelpers, marblesWith } from '../../streams/testing.js'

const complaint = (run: (helpers: MarbleHelpers) => void): string => {
  try {
    inVirtualTime(run)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

describe('inVirtualTime', () => {
  it('is silent where both sides are equal', () => {
    expect(complaint(({ cold, expectObservable }) => expectObservable(cold('--a--(bc)--|')).toBe('--a--(bc)--|'))).toBe('')
    expect(
      complaint(({ expectObservable }) =>
        expectObservable(throwError((): unknown => ({ _tag: 'Broken' }))).toBe('#', {}, { _tag: 'Broken' }),
      ),
    ).toBe('')
  })

  it('hands over the scheduler, whose frame is a millisecond', () => {
    expect(
      complaint(({ scheduler, expectObservable }) => expectObservable(interval(3, scheduler), '^------!').toBe('---0--1', [0, 1])),
    ).toBe('')
  })

  it('shows both sides as rows', () => {
    expect(complaint(({ cold, expectObservable }) => expectObservable(cold('--a--(bc)--|')).toBe('--a---(bc)-#'))).toBe(
      ['The streams differ:', '  expected  --a---(bc)-#d', '  actual    --a--(bc)--|', '  d = "error"'].join('\n'),
    )
  })

  it('gives a letter to each value that is none', () => {
    const got = complaint(({ cold, expectObservable }) =>
      expectObservable(cold('--a').pipe(map(() => ({ n: 1, at: [1n] })))).toBe('--x', { x: { at: [1n], n: 2 } }),
    )
    expect(got).toBe(
      ['The streams differ:', '  expected  --b', '  actual    --a', '  a = {"at":["1"],"n":1}', '  b = {"at":["1"],"n":2}'].join('\n'),
    )
  })

  it('writes long waits as times, and says when what no row can draw happened', () => {
    const got = complaint(({ cold, expectObservable }) => expectObservable(cold('(abc) 995ms d')).toBe('(abc) 996ms d'))
    expect(got).toContain('  expected  (abc) 996ms d\n  actual    (abc) 995ms d')
    const crowded = complaint(({ scheduler, expectObservable }) =>
      expectObservable(merge(of('a', 'b'), of('c').pipe(delay(1, scheduler)))).toBe('-'),
    )
    expect(crowded).toContain('  actual    (ab) (at 1ms) (c|)')
  })

  it('shows when a source was subscribed to', () => {
    const got = complaint(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-')
      expectObservable(source$, '--^--!').toBe('-')
      expectSubscriptions(source$.subscriptions).toBe('--^---!')
    })
    expect(got).toBe(['The streams differ:', '  expected  --^---!', '  actual    --^--!'].join('\n'))
    const never = complaint(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-')
      expectObservable(source$).toBe('-')
      expectSubscriptions(source$.subscriptions).toBe([])
    })
    expect(never).toContain('  actual    ^--')
  })

  it('tells apart what is different, and only that', () => {
    const same = (a: unknown, b: unknown): boolean =>
      complaint(({ expectObservable }) => expectObservable(of(a)).toBe('(a|)', { a: b })) === ''
    const log = (...commands: number[]) =>
      logFrom(
        { index: logIndex(0), term: term(0), configuration: votersOnly([]) },
        commands.map((c) => commandEntry(term(1), Uint8Array.of(c))),
      )
    expect(same({ a: 1, b: undefined }, { a: 1 })).toBe(true)
    expect(same({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true)
    expect(same(new Map([['a', 1]]), new Map([['a', 2]]))).toBe(false)
    expect(same(Uint8Array.of(1), Uint8Array.of(2))).toBe(false)
    expect(same(new Error('a'), new Error('b'))).toBe(false)
    expect(same(Number.NaN, null)).toBe(false)
    expect(same(undefined, null)).toBe(false)
    expect(same(log(1, 2).truncateFrom(logIndex(2)), log(1))).toBe(true)
    expect(same(log(1), log(2))).toBe(false)
  })
})

it('marblesWith makes tests of whoever runs tests', () => {
  const tests: [title: string, test: () => void][] = []
  marblesWith((...test) => tests.push(test))('a stream is itself', ({ cold, expectObservable }) =>
    expectObservable(cold('-a-|')).toBe('-a-#'),
  )
  expect(tests.map(([title]) => title)).toEqual(['a stream is itself'])
  expect(tests[0]![1]).toThrow('The streams differ')
})
