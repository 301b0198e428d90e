import type { Model } from './model.js'
import type { Operation } from './operation.js'

/** The states that a search has met, by number, and the steps of the model from one to others. */
export class States<State, Input, Output> {
  /** How often the model was asked. */
  steps = 0
  private readonly states: State[] = []
  private readonly numbers = new Map<unknown, number>()

  constructor(
    private readonly model: Model<State, Input, Output>,
    private readonly operations: ReadonlyArray<Operation<Input, Output>>,
  ) {}

  /** The number of a state. Equal states have one number. */
  readonly numberOf = (state: State): number => {
    const key = this.model.keyOf === undefined ? state : this.model.keyOf(state)
    let number = this.numbers.get(key)
    if (number === undefined) {
      this.numbers.set(key, (number = this.states.length))
      this.states.push(state)
    }
    return number
  }

  /** The states that the operation may lead to; none if it cannot come next. */
  step(from: number, operation: number): ReadonlyArray<State> {
    this.steps++
    const { input, output } = this.operations[operation]!
    return this.model.step(this.states[from]!, input, output)
  }
}
