import { type LogIndex, minIndex, nextWrite, type WriteSeq } from './ids.js'

interface Pending {
  readonly seq: WriteSeq
  readonly lastIndex: LogIndex
}

/**
 * What is on stable storage: a value, kept by counting writes and never by comparing terms. An entry may be written, truncated
 * and written again with the same index and term before the first write is acknowledged, which then says nothing about the third.
 */
export class Durable {
  constructor(
    /** The log is on disk up to here, as it is now. */
    readonly index: LogIndex,
    /** The last write that was asked for. */
    readonly written: WriteSeq,
    /** The last write that is known to be done. */
    readonly acknowledged: WriteSeq,
    /** The writes between, oldest first: each, once done, makes the log durable up to its `lastIndex`, which a later truncation lowers. */
    readonly pending: ReadonlyArray<Pending>,
  ) {}

  /** The number that the next write will have. */
  get next(): WriteSeq {
    return nextWrite(this.written)
  }

  /**
   * One more write was asked for: it leaves the first `kept` entries as they were and ends at `lastIndex`. Where it truncates, it
   * takes back what earlier writes made durable or will: their entries after `kept` are no longer in the log.
   */
  write(kept: LogIndex, lastIndex: LogIndex, truncates: boolean): Durable {
    const written = this.next
    const pending = truncates ? this.pending.map(({ seq, lastIndex: last }) => ({ seq, lastIndex: minIndex(last, kept) })) : this.pending
    return new Durable(truncates ? minIndex(this.index, kept) : this.index, written, this.acknowledged, [...pending, { seq: written, lastIndex }])
  }

  /** All writes up to `seq` are done. The same value if that was known, or if they were never asked for. */
  acknowledge(seq: WriteSeq): Durable {
    if (seq <= this.acknowledged || seq > this.written) return this
    const { pending } = this
    let done = 0
    while (done < pending.length && pending[done]!.seq <= seq) done++
    // The last of them speaks for all: a truncation after an earlier one has lowered that.
    const { lastIndex } = pending[done - 1]!
    return new Durable(lastIndex, this.written, seq, pending.slice(done))
  }

  /** Whether everything that was asked for is done. */
  get settled(): boolean {
    return this.written === this.acknowledged
  }
}
