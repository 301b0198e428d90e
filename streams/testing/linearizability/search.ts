import { Bits } from './bits.js'
import { Links } from './links.js'
import type { Model } from './model.js'
import { endOf, type Operation } from './operation.js'
import { Seen } from './seen.js'

/** How much a search may do, for each partition. Beyond it the verdict is `Unknown`. */
export interface SearchLimits {
  /** Different pairs of operations done and state: the memory it takes, some hundred bytes each. */
  readonly maxStates: number
  /** Steps of the model: the time it takes. */
  readonly maxSteps: number
}

export interface SearchOutcome {
  readonly legal: boolean | null
  /** Which limit was met, where `legal` is null. */
  readonly limit: keyof SearchLimits | null
  readonly states: number
  readonly steps: number
}

/** One operation put in its place. */
interface Placed<State> {
  readonly operation: number
  /** The state before it, and those it may lead to. */
  readonly before: number
  readonly alternatives: ReadonlyArray<State>
  /** Which of these was taken. */
  readonly taken: number
  /** When the first of the operations that were then left to do returned. */
  readonly deadline: number
}

/**
 * Whether the operations of one partition can be put in an order that the model allows, and that
 * keeps those apart of which one returned before the other was called.
 *
 * The search of Wing and Gong (1993) as Lowe (2017) made it fast: depth first, one operation after
 * the other, each of those that no other one left has to precede; a pair of operations done and
 * state that was seen leads nowhere a second time. States are interned, so a state is a number.
 * Two more ways not to try what need not be tried:
 *
 *  - an operation that only reads, and may come next, comes next: nothing is lost by doing it now;
 *  - an operation without outcome never has to be done, so it is tried last, and only where it makes
 *    a difference to the one that comes next: without it, or with the two in the other order, the
 *    same state would be reached by another branch.
 */
export const searchOrder = <State, Input, Output>(
  operations: ReadonlyArray<Operation<Input, Output>>,
  model: Model<State, Input, Output>,
  { maxStates, maxSteps }: SearchLimits,
): SearchOutcome => {
  // Those with an outcome have the first numbers, each kind in the order of calls.
  const byCall = (some: ReadonlyArray<Operation<Input, Output>>) => [...some].sort((a, b) => a.call - b.call)
  const answered = byCall(operations.filter((operation) => operation.return !== null))
  const ordered = [...answered, ...byCall(operations.filter((operation) => operation.return === null))]
  const calls = Float64Array.from(ordered, ({ call }) => call)
  const ends = Float64Array.from(ordered, endOf)
  const onlyReads = answered.map(({ input, output }) => model.onlyReads?.(input, output as Output) === true)
  const completed = new Links(answered.length)
  const pending = new Links(ordered.length - answered.length)
  const done = new Bits(completed.end)
  const pendingDone = new Bits(pending.end)
  const isPending = (operation: number): boolean => operation >= completed.end

  const states: State[] = []
  const numbers = new Map<unknown, number>()
  const intern = (state: State): number => {
    const key = model.keyOf === undefined ? state : model.keyOf(state)
    let number = numbers.get(key)
    if (number === undefined) {
      numbers.set(key, (number = states.length))
      states.push(state)
    }
    return number
  }
  let steps = 0
  const stepOf = (from: number, operation: number): ReadonlyArray<State> => {
    steps++
    const { input, output } = ordered[operation]!
    return model.step(states[from]!, input, output)
  }

  const take = (operation: number): void => {
    const [links, bits, i] = isPending(operation) ? [pending, pendingDone, operation - completed.end] : [completed, done, operation]
    links.takeOut(i)
    bits.add(i)
  }
  const giveBack = (operation: number): void => {
    const [links, bits, i] = isPending(operation) ? [pending, pendingDone, operation - completed.end] : [completed, done, operation]
    links.putBack(i)
    bits.remove(i)
  }
  // Which may come next, or none (-1): what was called later than the first of those left returns has to come later.
  const pendingFrom = (i: number): number => (i !== pending.end && calls[completed.end + i]! <= deadline ? completed.end + i : -1)
  const completedFrom = (i: number): number => (i !== completed.end && calls[i]! <= deadline ? i : pendingFrom(pending.first))
  const following = (operation: number): number =>
    isPending(operation) ? pendingFrom(pending.next(operation - completed.end)) : completedFrom(completed.next(operation))

  const seen = new Seen()
  const path: Placed<State>[] = []
  /** Whether another branch also leads from before the last, pending operation to `next`, over `operation`. */
  const isNeedless = (operation: number, next: number): boolean => {
    const last = path[path.length - 1]
    if (last === undefined || !isPending(last.operation)) return false
    const swaps = operation < last.operation
    return stepOf(last.before, operation)
      .map(intern)
      .some((without) => without === next || (swaps && stepOf(without, last.operation).map(intern).includes(next)))
  }

  let state = intern(model.initial)
  let deadline = Number.POSITIVE_INFINITY
  let candidate = -1
  let alternatives: ReadonlyArray<State> = []
  let alternative = 0
  const tryNext = (operation: number): void => {
    candidate = operation
    alternatives = operation < 0 ? [] : stepOf(state, operation)
    alternative = 0
  }
  /** Does what only reads, as far as it may come next, and begins to try what may come then. */
  const goOn = (): void => {
    for (let reading = true; reading;) {
      deadline = Number.POSITIVE_INFINITY
      for (let i = completed.first; i !== completed.end && calls[i]! <= deadline; i = completed.next(i))
        deadline = Math.min(deadline, ends[i]!)
      reading = false
      for (let i = completed.first; i !== completed.end && calls[i]! <= deadline; i = completed.next(i)) {
        if (!onlyReads[i]! || stepOf(state, i).length === 0) continue
        path.push({ operation: i, before: state, alternatives: [], taken: 0, deadline })
        take(i)
        // Its place in time was the deadline: now there may be more.
        if (ends[i] === deadline) {
          reading = true
          break
        }
      }
    }
    tryNext(completedFrom(completed.first))
  }
  const answer = (legal: boolean | null, limit: keyof SearchLimits | null = null): SearchOutcome => ({
    legal,
    limit,
    states: seen.size,
    steps,
  })

  goOn()
  while (completed.first !== completed.end) {
    if (steps > maxSteps) return answer(null, 'maxSteps')
    if (seen.size > maxStates) return answer(null, 'maxStates')
    if (candidate < 0) {
      const last = path.pop()
      if (last === undefined) return answer(false)
      giveBack(last.operation)
      state = last.before
      deadline = last.deadline
      // After what only reads there is nothing else to try.
      candidate = last.alternatives.length === 0 ? -1 : last.operation
      alternatives = last.alternatives
      alternative = last.taken + 1
    } else if (alternative >= alternatives.length) {
      tryNext(following(candidate))
    } else {
      const next = intern(alternatives[alternative]!)
      // An operation that nobody has to answer for and that changes nothing need not be.
      const changesNothing = isPending(candidate) && next === state
      if (changesNothing || isNeedless(candidate, next)) {
        alternative++
        continue
      }
      take(candidate)
      if (!seen.add(next, done, pendingDone)) {
        giveBack(candidate)
        alternative++
        continue
      }
      path.push({ operation: candidate, before: state, alternatives, taken: alternative, deadline })
      state = next
      goOn()
    }
  }
  return answer(true)
}
