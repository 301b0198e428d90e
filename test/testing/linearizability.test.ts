import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  checkLinearizability,
  keyValueModel,
  type KeyValueInput,
  type KeyValueOutput,
  linearizable,
  type Model,
} from '../../streams/testing.js'
import { marblesWith } from '../../streams/testing.js'
import { seed } from '../raft/schedule.js'
import { append, cas, get, isLegal, type KvOperation, legal, mutated, put, remove } from './histories.js'

const { print } = keyValueModel
const verdictOf = (history: ReadonlyArray<KvOperation>) => checkLinearizability(history, keyValueModel)
const illegalIn = (history: ReadonlyArray<KvOperation>) => {
  const verdict = verdictOf(history)
  if (verdict._tag !== 'Illegal') throw new Error(`${verdict._tag}: ${JSON.stringify(history)}`)
  return verdict
}

/** One line for each operation: `a 0-10 put 1`, `b 20-… append x`; answers after an arrow. */
const told = (client: string, call: number, end: number | null, input: KeyValueInput, output: KeyValueOutput = null): KvOperation =>
  end === null ? { client, key: 'x', call, return: null, input } : { client, key: 'x', call, return: end, input, output }

describe('checkLinearizability, against every order', () => {
  it('finds legal what a store did', () => {
    fc.assert(
      fc.property(legal(60, ['x', 'y'], 3), (history) => {
        expect(verdictOf(history)._tag).toBe('Legal')
      }),
      { ...seed, numRuns: 300 },
    )
  })

  it('agrees with its slow twin on what may be neither', () => {
    const met = { legal: 0, illegal: 0 }
    fc.assert(
      fc.property(mutated(7), (history) => {
        const expected = isLegal(history)
        met[expected ? 'legal' : 'illegal']++
        expect(verdictOf(history)._tag).toBe(expected ? 'Legal' : 'Illegal')
      }),
      { ...seed, numRuns: 1_500 },
    )
    expect(Math.min(met.legal, met.illegal)).toBeGreaterThan(150)
  })

  it('agrees where hardly any outcome is known', () => {
    const forgetful = fc.tuple(mutated(7), fc.array(fc.boolean(), { minLength: 7, maxLength: 7 })).map(([history, forget]) =>
      history.map((operation, i): KvOperation => {
        if (operation.input._tag === 'Get' || !forget[i]!) return operation
        const { output: _, ...asked } = operation
        return { ...asked, return: null }
      }),
    )
    fc.assert(
      fc.property(forgetful, (history) => {
        expect(verdictOf(history)._tag).toBe(isLegal(history) ? 'Legal' : 'Illegal')
      }),
      { ...seed, numRuns: 1_500 },
    )
  })

  it('shows of a bad history a part that is bad, of which nothing can go', () => {
    fc.assert(
      fc.property(mutated(7), (history) => {
        fc.pre(!isLegal(history))
        const part = illegalIn(history).history
        expect(isLegal(part)).toBe(false)
        expect(history).toEqual(expect.arrayContaining([...part]))
        const explained = (left: ReadonlyArray<KvOperation>) =>
          left.every((reader) =>
            part.every(
              (writer) =>
                !keyValueModel.explains!(writer, reader) ||
                left.some((it) => print(it.input, undefined) === print(writer.input, undefined)),
            ),
          )
        for (const operation of part) {
          const rest = part.filter((other) => other !== operation)
          expect(rest.length === 0 || isLegal(rest) || !explained(rest)).toBe(true)
        }
      }),
      { ...seed, numRuns: 500 },
    )
  })
})

describe('checkLinearizability, by hand', () => {
  const noise = [told('n', 1, 2, put('old')), told('n', 3, 4, get, 'old'), told('n', 5, 6, remove)]

  it.each([
    { title: 'a stale read', history: [told('a', 10, 20, put('1')), told('b', 30, 40, put('2')), told('c', 50, 60, get, '1')] },
    { title: 'a lost update', history: [told('a', 10, 20, append('1')), told('b', 30, 40, append('2')), told('c', 50, 60, get, '2')] },
    {
      title: 'two compare-and-sets of which both won',
      history: [told('a', 10, 20, put('1')), told('b', 30, 50, cas('1', '2'), true), told('c', 30, 50, cas('1', '3'), true)],
    },
    { title: 'the read of a value that nobody wrote', history: [told('c', 50, 60, get, '9')] },
    {
      title: 'reads that go back',
      history: [told('a', 10, 20, put('1')), told('w', 25, 90, put('2')), told('b', 30, 40, get, '2'), told('c', 50, 60, get, '1')],
    },
    { title: 'an append that happened twice', history: [told('a', 10, 20, append('1')), told('b', 30, 40, get, '11')] },
    {
      title: 'a write without an answer that must have happened, and then was gone',
      history: [told('a', 10, 20, put('1')), told('w', 15, null, put('2')), told('b', 30, 40, get, '2'), told('c', 50, 60, get, '1')],
    },
    { title: 'a deleted value', history: [told('a', 10, 20, put('1')), told('b', 30, 40, remove), told('c', 50, 60, get, '1')] },
  ])('$title is illegal, and shown as small as that', ({ history }) => {
    const verdict = illegalIn([...noise, ...history, told('late', 70, 80, put('3')), told('late', 85, 95, get, '3')])
    expect(verdict.history).toEqual(history)
  })

  it.each([
    { title: 'nothing', history: [] },
    { title: 'a write without an answer that took effect late', history: [told('w', 0, null, put('2')), told('a', 10, 20, put('1')), told('b', 30, 40, get, '1'), told('c', 50, 60, get, '2')] }, // prettier-ignore
    { title: 'or never', history: [told('w', 0, null, put('2')), told('a', 10, 20, put('1')), told('b', 30, 40, get, '1')] },
    { title: 'a read beside the write it sees', history: [told('a', 0, 20, put('1')), told('b', 10, 15, get, '1'), told('c', 16, 18, get, '1')] }, // prettier-ignore
    { title: 'what returns at the moment of the next call is beside it', history: [told('a', 0, 10, put('1')), told('b', 10, 20, get, null)] }, // prettier-ignore
  ])('$title is legal', ({ history }) => {
    expect(verdictOf([...noise, ...history])._tag).toBe('Legal')
  })

  it('prints one line for each operation, with its interval', () => {
    const history = [told('a', 10, 20, put('1')), told('w', 15, null, put('2')), told('b', 30, 40, get, '2'), told('c', 50, 60, get, '1')]
    expect(illegalIn([...noise, ...history]).text).toBe(
      [
        'Not linearizable: of the 7 operations of "x", these 4 allow no order.',
        '  client a  [10, 20]  ├───┤            put "1"',
        '  client w  [15, …]     ├───────────…  put "2"',
        '  client b  [30, 40]        ├─┤        get → "2"',
        '  client c  [50, 60]            ├─┤    get → "1"',
      ].join('\n'),
    )
  })

  it('refuses an operation that returns before it is called', () => {
    expect(() => verdictOf([told('a', 10, 9, get)])).toThrow('client a is called at 10 and returns at 9')
  })
})

describe('the limits', () => {
  /** Every order of the appends must be tried, and none ends in what was read. */
  const hard = [
    ...Array.from({ length: 12 }, (_, i) => told(`c${i}`, 0, 10, append(String.fromCharCode(97 + i)))),
    told('r', 20, 30, get, 'nothing of the kind'),
  ]

  it.each(['maxStates', 'maxSteps'] as const)('%s: beyond it nothing is claimed', (limit) => {
    expect(checkLinearizability(hard, keyValueModel, { [limit]: 1_000 })).toEqual({
      _tag: 'Unknown',
      partition: 'x',
      limit,
      value: 1_000,
    })
  })

  it('another partition that is bad is found all the same', () => {
    const bad: KvOperation = { client: 'a', key: 'y', call: 0, return: 1, input: get, output: 'never written' }
    expect(checkLinearizability([...hard, bad], keyValueModel, { maxStates: 1_000 })).toMatchObject({ _tag: 'Illegal', partition: 'y' })
  })

  it('many writes without an answer cost little', () => {
    const lost = Array.from({ length: 40 }, (_, i) => told(`w${i}`, 0, null, put(`${i}`)))
    const reads = Array.from({ length: 40 }, (_, i) => told('r', 10 + 2 * i, 11 + 2 * i, get, `${39 - i}`))
    expect(verdictOf([...lost, ...reads])).toMatchObject({ _tag: 'Legal', operations: 80 })
    expect(verdictOf([...lost, ...reads, told('r', 100, 101, get, '7')])._tag).toBe('Illegal')
  })

  it('keep one client for a long time', () => {
    const history = Array.from({ length: 20_000 }, (_, i) => told('a', i, i + 0.5, i % 2 === 0 ? put(`${i}`) : get, i % 2 === 0 ? null : `${i - 1}`)) // prettier-ignore
    expect(verdictOf(history)).toEqual({ _tag: 'Legal', operations: 20_000, states: 10_000 })
  })
})

it('a model of one’s own: states that are objects, answers that are not determined', () => {
  // A bag: what is taken out is any of what is in it.
  const bag: Model<ReadonlyArray<string>, string | null, string | null> = {
    partition: () => '',
    initial: [],
    keyOf: (state) => state.join(),
    step: (state, put, taken) => {
      if (put !== null) return [[...state, put].sort()]
      const choices = taken === undefined ? state : state.filter((it) => it === taken)
      return choices.map((choice) => state.toSpliced(state.indexOf(choice), 1))
    },
    print: (put, taken) => (put === null ? `take → ${taken ?? 'unknown'}` : `put ${put}`),
  }
  const history = (taken: string) => [
    { client: 1, call: 0, return: 1, input: 'a', output: null },
    { client: 1, call: 2, return: 3, input: 'b', output: null },
    { client: 2, call: 4, return: null, input: null },
    { client: 3, call: 5, return: 6, input: null, output: taken },
  ]
  expect(checkLinearizability(history('a'), bag)._tag).toBe('Legal')
  expect(checkLinearizability(history('b'), bag)._tag).toBe('Legal')
  expect(checkLinearizability(history('c'), bag)._tag).toBe('Illegal')
})

describe('linearizable', () => {
  const marbles = marblesWith(it)
  const operations = {
    a: told('a', 0, 10, put('1')),
    b: told('b', 20, 30, get, '1'),
    c: told('c', 40, 50, get, null),
  }
  const legalOf = (count: number, states: number) => ({ _tag: 'Legal', operations: count, states })

  marbles('one verdict, at the end of the history', ({ hot, expectObservable }) => {
    const history = '--a--b--|'
    const verdict = '--------(v|)'
    expectObservable(hot(history, operations).pipe(linearizable(keyValueModel))).toBe(verdict, { v: legalOf(2, 1) })
  })
  marbles('an answer may come before the call that explains it', ({ hot, expectObservable }) => {
    const history = '--b--a--|'
    const verdict = '--------(v|)'
    expectObservable(hot(history, operations).pipe(linearizable(keyValueModel))).toBe(verdict, { v: legalOf(2, 1) })
  })
  marbles('a bad one', ({ hot, expectObservable }) => {
    const history = '--a--b-c|'
    const verdict = '--------(v|)'
    expectObservable(hot(history, operations).pipe(linearizable(keyValueModel))).toBe(verdict, { v: illegalIn(Object.values(operations)) })
  })
  marbles('an empty one', ({ hot, expectObservable }) => {
    expectObservable(hot<KvOperation>('--|').pipe(linearizable(keyValueModel))).toBe('--(v|)', { v: legalOf(0, 0) })
  })
  marbles('more than it may keep: Unknown at once, and the source is let go', ({ hot, expectObservable, expectSubscriptions }) => {
    const source = hot('--a--b--c--|', operations)
    const subscribed = '^----!'
    const verdict = '   -----(v|)'
    const unknown = { _tag: 'Unknown', partition: null, limit: 'maxOperations', value: 1 }
    expectObservable(source.pipe(linearizable(keyValueModel, { maxOperations: 1 }))).toBe(verdict, { v: unknown })
    expectSubscriptions(source.subscriptions).toBe(subscribed)
  })
  marbles('an error of the source, and silence after unsubscription', ({ hot, expectObservable }) => {
    expectObservable(hot('--a-#', operations).pipe(linearizable(keyValueModel))).toBe('----#')
    expectObservable(hot('--a--|', operations).pipe(linearizable(keyValueModel)), '^--!').toBe('---')
  })
})
