import type { Model } from './model.js'
import type { Operation } from './operation.js'
import { Remaining } from './remaining.js'
import { Seen } from './seen.js'
import { States } from './states.js'

/**
 * How much a search may do, for each partition. Beyond a limit the verdict is `Unknown`.
 *
 * @example
 * const limits: Partial<SearchLimits> = { maxStates: 500_000, maxSteps: 5_000_000 }
 * checkLinearizability([], keyValueModel, limits)
 */
export interface SearchLimits {
  /** Different pairs of operations done and state. They take the memory, some hundred bytes each. */
  readonly maxStates: number
  /** Steps of the model. They take the time. */
  readonly maxSteps: number
}

export interface SearchOutcome {
  readonly legal: boolean | null
  /** Which limit was met, where `legal` is null. */
  readonly limit: keyof SearchLimits | null
  readonly states: number
  readonly steps: number
}

/** One operation of the order so far. */
interface Placed<State> {
  readonly operation: number
  /** The state before it, and the states that it may lead to. */
  readonly before: number
  readonly alternatives: ReadonlyArray<State>
  /** Which of these was taken. */
  readonly taken: number
  readonly deadline: number
}

/**
 * Whether the operations of one partition can be put in an order that the model allows, and in which an operation
 * that returned before another was called comes first.
 *
 * This is the search of Wing and Gong (1993) as Lowe (2017) made it fast. It goes depth first, one operation after the
 * other: each that may come next. A pair of operations done and state that was seen before is not followed again.
 * States are interned, so a state is a number. The search leaves out two more kinds of branches:
 *
 *  - An operation that only reads, and may come next, comes next: nothing is lost by doing it now.
 *  - An operation without an outcome never has to be done. So it is tried last, and only where it makes a difference
 *    to the operation that comes next: otherwise another branch reaches the same state, without it or with the two in
 *    the other order.
 */
export const searchOrder = <State, Input, Output>(
  operations: ReadonlyArray<Operation<Input, Output>>,
  model: Model<State, Input, Output>,
  limits: SearchLimits,
): SearchOutcome => new OrderSearch(operations, model).run(limits)

class OrderSearch<State, Input, Output> {
  private readonly remaining: Remaining<Input, Output>
  private readonly states: States<State, Input, Output>
  /** By the number of an answered operation. */
  private readonly onlyReads: ReadonlyArray<boolean>
  private readonly seen = new Seen()
  private readonly path: Placed<State>[] = []
  private state: number
  /** The operation that is tried next, or -1: then the search goes back. */
  private candidate = -1
  /** The states that it may lead to, and which of them is tried next. */
  private alternatives: ReadonlyArray<State> = []
  private alternative = 0

  constructor(operations: ReadonlyArray<Operation<Input, Output>>, model: Model<State, Input, Output>) {
    this.remaining = new Remaining(operations)
    this.states = new States(model, this.remaining.operations)
    this.onlyReads = this.remaining.operations.map(
      (operation) => operation.return !== null && model.onlyReads?.(operation.input, operation.output) === true,
    )
    this.state = this.states.numberOf(model.initial)
  }

  run({ maxStates, maxSteps }: SearchLimits): SearchOutcome {
    const { remaining, states, seen } = this
    this.goOn()
    while (!remaining.isEmpty) {
      if (states.steps > maxSteps) return this.outcome(null, 'maxSteps')
      if (seen.size > maxStates) return this.outcome(null, 'maxStates')
      if (this.candidate < 0) {
        if (!this.goBack()) return this.outcome(false)
      } else if (this.alternative >= this.alternatives.length) this.tryNext(remaining.after(this.candidate))
      else this.tryAlternative(states.numberOf(this.alternatives[this.alternative]!))
    }
    return this.outcome(true)
  }

  private outcome(legal: boolean | null, limit: keyof SearchLimits | null = null): SearchOutcome {
    return { legal, limit, states: this.seen.size, steps: this.states.steps }
  }

  private tryNext(operation: number): void {
    this.candidate = operation
    this.alternatives = operation < 0 ? [] : this.states.step(this.state, operation)
    this.alternative = 0
  }

  private tryAlternative(next: number): void {
    const { remaining, candidate, alternatives, alternative, path } = this
    this.alternative++
    // An operation without an outcome that changes nothing need not be done.
    if (remaining.isPending(candidate) && next === this.state) return
    if (this.isNeedless(candidate, next)) return
    remaining.take(candidate)
    if (!this.seen.add(next, remaining.done, remaining.pendingDone)) return remaining.giveBack(candidate)
    path.push({ operation: candidate, before: this.state, alternatives, taken: alternative, deadline: remaining.deadline })
    this.state = next
    this.goOn()
  }

  /** Whether another branch also leads from before the last, pending operation to `next`, over `operation`. */
  private isNeedless(operation: number, next: number): boolean {
    const { states, path } = this
    const last = path[path.length - 1]
    if (last === undefined || !this.remaining.isPending(last.operation)) return false
    const swaps = operation < last.operation
    return states
      .step(last.before, operation)
      .map(states.numberOf)
      .some((without) => without === next || (swaps && states.step(without, last.operation).map(states.numberOf).includes(next)))
  }

  /** Does the operations that only read, as far as they may come next, and begins to try what may come then. */
  private goOn(): void {
    const { remaining } = this
    do remaining.findDeadline()
    while (this.readUntilDeadline())
    this.tryNext(remaining.first)
  }

  /** Whether the operation that set the deadline was done: then more operations may come next. */
  private readUntilDeadline(): boolean {
    const { remaining, path, states, state } = this
    for (let i = remaining.first; i >= 0 && !remaining.isPending(i); i = remaining.after(i)) {
      if (!this.onlyReads[i]! || states.step(state, i).length === 0) continue
      path.push({ operation: i, before: state, alternatives: [], taken: 0, deadline: remaining.deadline })
      remaining.take(i)
      if (remaining.isDeadline(i)) return true
    }
    return false
  }

  /** Takes the last operation out of the order and tries what else may stand there; false if there is none. */
  private goBack(): boolean {
    const last = this.path.pop()
    if (last === undefined) return false
    this.remaining.giveBack(last.operation)
    this.remaining.deadline = last.deadline
    this.state = last.before
    // After an operation that only reads there is nothing else to try.
    this.candidate = last.alternatives.length === 0 ? -1 : last.operation
    this.alternatives = last.alternatives
    this.alternative = last.taken + 1
    return true
  }
}
