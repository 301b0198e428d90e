import { Bits } from './bits.js'
import { Links } from './links.js'
import { endOf, type Operation } from './operation.js'

/**
 * The operations of one partition by number, and which of them are done. Operations that were answered have the
 * first numbers, in the order of their calls; then come those without an outcome, in the same order.
 */
export class Remaining<Input, Output> {
  readonly operations: ReadonlyArray<Operation<Input, Output>>
  readonly done: Bits
  readonly pendingDone: Bits
  /** When the first of the answered operations that are left returned: what was called later must come later. */
  deadline = Number.POSITIVE_INFINITY
  private readonly answered: number
  private readonly calls: Float64Array
  private readonly ends: Float64Array
  private readonly completed: Links
  private readonly pending: Links

  constructor(operations: ReadonlyArray<Operation<Input, Output>>) {
    const byCall = (some: ReadonlyArray<Operation<Input, Output>>) => [...some].sort((a, b) => a.call - b.call)
    const answered = byCall(operations.filter((operation) => operation.return !== null))
    this.operations = [...answered, ...byCall(operations.filter((operation) => operation.return === null))]
    this.answered = answered.length
    this.calls = Float64Array.from(this.operations, ({ call }) => call)
    this.ends = Float64Array.from(this.operations, endOf)
    this.completed = new Links(answered.length)
    this.pending = new Links(operations.length - answered.length)
    this.done = new Bits(answered.length)
    this.pendingDone = new Bits(operations.length - answered.length)
  }

  /** Whether all answered operations are done: the others need not be. */
  get isEmpty(): boolean {
    return this.completed.first === this.completed.end
  }

  isPending(operation: number): boolean {
    return operation >= this.answered
  }

  take(operation: number): void {
    if (this.isPending(operation)) {
      this.pending.takeOut(operation - this.answered)
      this.pendingDone.add(operation - this.answered)
    } else {
      this.completed.takeOut(operation)
      this.done.add(operation)
    }
  }

  giveBack(operation: number): void {
    if (this.isPending(operation)) {
      this.pending.putBack(operation - this.answered)
      this.pendingDone.remove(operation - this.answered)
    } else {
      this.completed.putBack(operation)
      this.done.remove(operation)
    }
  }

  /** Finds the deadline anew. */
  findDeadline(): void {
    const { completed, calls, ends } = this
    this.deadline = Number.POSITIVE_INFINITY
    for (let i = completed.first; i !== completed.end && calls[i]! <= this.deadline; i = completed.next(i))
      this.deadline = Math.min(this.deadline, ends[i]!)
  }

  /** Whether the deadline is when this operation returned. */
  isDeadline(operation: number): boolean {
    return this.ends[operation] === this.deadline
  }

  /** The first operation that may come next, or -1. */
  get first(): number {
    return this.completedFrom(this.completed.first)
  }

  /** The operation after this one that may come next, or -1. */
  after(operation: number): number {
    return this.isPending(operation)
      ? this.pendingFrom(this.pending.next(operation - this.answered))
      : this.completedFrom(this.completed.next(operation))
  }

  private completedFrom(i: number): number {
    return i !== this.completed.end && this.calls[i]! <= this.deadline ? i : this.pendingFrom(this.pending.first)
  }

  private pendingFrom(i: number): number {
    const operation = this.answered + i
    return i !== this.pending.end && this.calls[operation]! <= this.deadline ? operation : -1
  }
}
