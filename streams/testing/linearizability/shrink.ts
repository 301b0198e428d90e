import type { Model } from './model.js'
import { endOf, type Operation } from './operation.js'

type History<Input, Output> = ReadonlyArray<Operation<Input, Output>>

/**
 * A small part of an illegal history that is illegal by itself: up to the first answer that cannot
 * be right, and of that as little as will do. Nothing more can be left out of it without making it
 * legal, or taking from an operation that stays what its answer comes from. `isIllegal` may say no
 * where it does not know: then more stays.
 */
export const shrink = <State, Input, Output>(
  history: History<Input, Output>,
  model: Model<State, Input, Output>,
  isIllegal: (history: History<Input, Output>) => boolean,
): History<Input, Output> => {
  let kept = untilItBreaks(history, isIllegal)
  const isExplained = explanations(kept, model)
  for (let size = kept.length >> 1; size >= 1; size >>= 1) {
    // The latest first: what came early explains more. Single ones again, until none can go.
    let shorter = true
    while (shorter) {
      shorter = false
      for (let end = kept.length; end > 0; end -= size) {
        const rest = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)]
        if (rest.length === 0 || !isExplained(rest) || !isIllegal(rest)) continue
        kept = rest
        shorter = size === 1
      }
    }
  }
  return kept
}

/** Up to the first answer at which it is illegal, by halving: what is illegal stays so, whatever comes after. */
const untilItBreaks = <Input, Output>(
  history: History<Input, Output>,
  isIllegal: (history: History<Input, Output>) => boolean,
): History<Input, Output> => {
  const ends = [...new Set(history.map(endOf))].filter(Number.isFinite).sort((a, b) => a - b)
  const until = (time: number): History<Input, Output> => history.filter(({ call }) => call <= time)
  /** As it was known at that time. */
  const knownAt = (time: number): History<Input, Output> =>
    until(time).map((operation) => {
      if (endOf(operation) <= time) return operation
      const { output: _, ...asked } = operation
      return { ...asked, return: null }
    })
  let low = 0
  let high = ends.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (isIllegal(knownAt(ends[middle]!))) high = middle
    else low = middle + 1
  }
  const kept = until(ends[low] ?? Number.POSITIVE_INFINITY)
  return isIllegal(kept) ? kept : history
}

/** Whether what stays still has, for each of its answers, one operation of each kind that it may come from. */
const explanations = <State, Input, Output>(
  history: History<Input, Output>,
  { explains, print }: Model<State, Input, Output>,
): ((kept: History<Input, Output>) => boolean) => {
  if (explains === undefined) return () => true
  const kindOf = (writer: Operation<Input, Output>): string => print(writer.input, undefined)
  const kindsFor = (reader: Operation<Input, Output>, among: History<Input, Output>): ReadonlySet<string> =>
    new Set(among.filter((writer) => writer !== reader && explains(writer, reader)).map(kindOf))
  const needed = new Map(history.map((reader) => [reader, kindsFor(reader, history)]))
  return (kept) => {
    const kinds = new Set(kept.map(kindOf))
    return kept.every((reader) => [...needed.get(reader)!].every((kind) => kinds.has(kind)))
  }
}
