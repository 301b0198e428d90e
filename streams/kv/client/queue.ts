import { Fifo } from './fifo.js'
import type { Operation } from './operation.js'
import type { ClientTuning } from './options.js'

/** Operations that wait to be sent: those that are tried again come before those that wait for their first attempt. */
export class Queue {
  private readonly again = new Fifo<Operation>()
  private readonly first = new Fifo<Operation>()
  private maxBatch: number
  private readonly maxBatchBytes: number

  constructor({ maxBatch, maxBatchBytes }: Pick<ClientTuning, 'maxBatch' | 'maxBatchBytes'>) {
    this.maxBatch = maxBatch
    this.maxBatchBytes = maxBatchBytes
  }

  /** Operations that wait for their first attempt. */
  get length(): number {
    return this.first.length
  }

  push(operation: Operation): void {
    this.first.push(operation)
  }

  pushAgain(operation: Operation): void {
    this.again.push(operation)
  }

  /** A server took no batch of `size`: the next ones are at most half as long. */
  halve(size: number): void {
    this.maxBatch = Math.max(1, size >> 1)
  }

  /** The next batch. An operation that `admit` refuses waits, and so do those behind it. */
  take(admit: (operation: Operation) => boolean): ReadonlyArray<Operation> {
    const batch: Operation[] = []
    let bytes = 0
    while (batch.length < this.maxBatch) {
      const queue = this.again.length > 0 ? this.again : this.first
      const operation = queue.first()
      if (operation === undefined) break
      if (!operation.hasEnded) {
        bytes += operation.bytes
        if (batch.length > 0 && bytes > this.maxBatchBytes) break
        if (!admit(operation)) break
        batch.push(operation)
      }
      queue.shift()
    }
    return batch
  }
}
