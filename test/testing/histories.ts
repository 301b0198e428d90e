import fc from 'fast-check'
import { type KeyValueInput, keyValueModel, type KeyValueOutput, type Operation } from '../../streams/testing.js'

export type KvOperation = Operation<KeyValueInput, KeyValueOutput>

export const get: KeyValueInput = { _tag: 'Get' }
export const put = (value: string): KeyValueInput => ({ _tag: 'Put', value })
export const append = (value: string): KeyValueInput => ({ _tag: 'Append', value })
export const cas = (expected: string | null, value: string): KeyValueInput => ({ _tag: 'CompareAndSet', expected, value })
export const remove: KeyValueInput = { _tag: 'Delete' }

/** What a real store answers: the twin of the model's step, in which there is one next state. */
const answer = (state: string | null, input: KeyValueInput): KeyValueOutput =>
  input._tag === 'Get' ? state : input._tag === 'CompareAndSet' ? state === input.expected : null

/** The slow, obvious twin: every order of the operations, and every choice among those without an outcome. */
export const isLegal = (history: ReadonlyArray<KvOperation>, state = keyValueModel.initial): boolean => {
  const end = (operation: KvOperation): number => operation.return ?? Infinity
  return (
    history.every((operation) => operation.return === null) ||
    history.some(
      (next) =>
        history.every((other) => end(other) >= next.call) &&
        keyValueModel.step(state, next.input, next.output).some((after) =>
          isLegal(
            history.filter((other) => other !== next),
            after,
          ),
        ),
    )
  )
}

const value = fc.constantFrom('a', 'b', 'c')
const input: fc.Arbitrary<KeyValueInput> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(get) },
  { weight: 3, arbitrary: value.map(put) },
  { weight: 2, arbitrary: value.map(append) },
  { weight: 1, arbitrary: fc.constant(remove) },
  { weight: 2, arbitrary: fc.tuple(fc.option(value), value).map(([expected, to]) => cas(expected, to)) },
)

interface Plan {
  readonly input: KeyValueInput
  readonly key: string
  /** Call, moment of the effect, return: in this order once sorted. */
  readonly times: ReadonlyArray<number>
  readonly outcome: 'known' | 'lost' | 'never'
}

const plan = (keys: ReadonlyArray<string>): fc.Arbitrary<Plan> =>
  fc.record({
    input,
    key: fc.constantFrom(...keys),
    times: fc.array(fc.nat(24), { minLength: 3, maxLength: 3 }),
    outcome: fc.constantFrom('known', 'known', 'known', 'known', 'lost', 'never'),
  })

/** What a real store made of the plans, each taking effect at its moment; unanswered ones maybe long after, maybe never. */
const play = (plans: ReadonlyArray<Plan>, apart: number): ReadonlyArray<KvOperation> => {
  const states = new Map<string, string | null>()
  const timed = plans.map((it, client) => {
    const [call = 0, effect = 0, end = 0] = [...it.times].sort((a, b) => a - b).map((time) => time + client * apart)
    return { ...it, client, call, effect: it.outcome === 'lost' ? effect + 8 : effect, end }
  })
  return [...timed]
    .sort((a, b) => a.effect - b.effect)
    .map(({ client, key, call, end, input: asked, outcome }): KvOperation => {
      if (outcome === 'never') return { client, key, call, return: null, input: asked }
      const state = states.get(key) ?? keyValueModel.initial
      states.set(key, keyValueModel.step(state, asked, undefined)[0]!)
      if (outcome === 'lost') return { client, key, call, return: null, input: asked }
      return { client, key, call, return: end, input: asked, output: answer(state, asked) }
    })
}

/** What a linearizable store may have answered; operations begin `apart` from each other, all within 24 by default. */
export const legal = (length: number, keys: ReadonlyArray<string> = ['x'], apart = 0): fc.Arbitrary<ReadonlyArray<KvOperation>> =>
  fc.array(plan(keys), { maxLength: length, size: 'max' }).map((plans) => play(plans, apart))

/** The same, in which some answers and times may have been changed: legal, or not. */
export const mutated = (length: number): fc.Arbitrary<ReadonlyArray<KvOperation>> =>
  fc
    .tuple(legal(length), fc.array(fc.tuple(fc.nat(), fc.option(value), fc.nat(12)), { minLength: 1, maxLength: 2 }))
    .map(([history, mutations]) =>
      mutations.reduce((now, [at, seen, earlier]) => {
        const place = now.length === 0 ? 0 : at % now.length
        return now.map((operation, i): KvOperation => {
          if (i !== place || operation.return === null) return operation
          const output = operation.input._tag === 'Get' ? seen : operation.input._tag === 'CompareAndSet' ? !operation.output : null
          return { ...operation, output, return: Math.max(operation.call, operation.return - earlier) }
        })
      }, history),
    )
