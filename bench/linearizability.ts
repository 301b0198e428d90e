import { checkLinearizability, keyValueModel, type KeyValueInput, type KeyValueOutput, type Operation } from '../streams/testing.js'
import { median } from './measure.js'

type KvOperation = Operation<KeyValueInput, KeyValueOutput>

/** Uniform whole numbers below `n`; the same ones in every run. */
const dice = (seed: number) => {
  let state = seed
  return (n: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % n
  }
}

/** What a linearizable store did, in the order in which it did it: `clients` at a time on each key, one in a hundred without an answer. */
const historyOf = (operations: number, keys: number, clients: number): ReadonlyArray<KvOperation> => {
  const roll = dice(1)
  const states = Array.from({ length: keys }, () => keyValueModel.initial)
  return Array.from({ length: operations }, (_, i): KvOperation => {
    const place = i % keys
    // Each takes effect at its own tick; it was called and returns up to so many ticks of its key away.
    const call = i - keys * roll(clients)
    const end = i + keys * roll(clients)
    const state = states[place]!
    const inputs: ReadonlyArray<KeyValueInput> = [
      { _tag: 'Get' },
      { _tag: 'Put', value: `${i}` },
      { _tag: 'CompareAndSet', expected: roll(2) === 0 ? state : 'another', value: `${i}` },
    ]
    const input = inputs[roll(3)]!
    states[place] = keyValueModel.step(state, input, undefined)[0]!
    const known = { client: roll(clients), key: `${place}`, call, input }
    if (roll(100) === 0) return { ...known, return: null }
    const output = input._tag === 'Get' ? state : input._tag === 'CompareAndSet' ? state === input.expected : null
    return { ...known, return: end, output }
  })
}

/** Every order of a few operations, without remembering anything. */
const tryEveryOrder = (history: ReadonlyArray<KvOperation>, state = keyValueModel.initial): boolean =>
  history.every((operation) => operation.return === null) ||
  history.some(
    (next) =>
      history.every((other) => other.return === null || other.return >= next.call) &&
      keyValueModel.step(state, next.input, next.output).some((after) =>
        tryEveryOrder(
          history.filter((other) => other !== next),
          after,
        ),
      ),
  )

const rate = (operations: number, run: () => void): number => {
  const rates = Array.from({ length: 5 }, () => {
    const startMs = performance.now()
    run()
    return (operations / (performance.now() - startMs)) * 1_000
  })
  return Math.round(median(rates))
}

/**
 * Operations per second: the checker on 100 keys with 4 and with 8 clients on each at a time, on one key, and on histories of nine
 * operations that are illegal; beside it the bare pass of the model over the first of these, and every order of those nine.
 */
export const linearizability = (): Record<string, number> => {
  const legal = (operations: number, keys: number, clients: number): number => {
    const history = historyOf(operations, keys, clients)
    return rate(operations, () => {
      const { _tag } = checkLinearizability(history, keyValueModel)
      if (_tag !== 'Legal') throw new Error(`a legal history is ${_tag}`)
    })
  }
  const small = Array.from({ length: 20 }, (_, i): ReadonlyArray<KvOperation> => {
    const writes = Array.from({ length: 8 }, (_, w): KvOperation => {
      return { client: w, call: 0, return: 10, input: { _tag: 'Put', value: `${(w * (i + 1)) % 5}` }, output: null }
    })
    return [...writes, { client: 9, call: 20, return: 30, input: { _tag: 'Get' }, output: 'nobody wrote this' }]
  })
  const passed = historyOf(100_000, 100, 4)
  return {
    '100 keys, 4 clients': legal(100_000, 100, 4),
    '100 keys, 8 clients': legal(100_000, 100, 8),
    '1 key, 4 clients': legal(10_000, 1, 4),
    'bare pass': rate(passed.length, () => {
      let state = keyValueModel.initial
      for (const { input } of passed) state = keyValueModel.step(state, input, undefined)[0]!
    }),
    '9 operations, illegal': rate(20 * 9, () => {
      for (const history of small) checkLinearizability(history, keyValueModel)
    }),
    '9, every order': rate(20 * 9, () => {
      for (const history of small) tryEveryOrder(history)
    }),
  }
}
