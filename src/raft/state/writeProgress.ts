import { type LogIndex, minIndex, nextWrite, type WriteSeq } from '../ids.js'

interface Pending {
  readonly seq: WriteSeq
  readonly lastIndex: LogIndex
}

/**
 * What is on stable storage: a value that counts writes and never compares terms. An entry may be written, truncated
 * and written again with the same index and term before the first write is acknowledged. That acknowledgement says
 * nothing about the third write.
 *
 * @example
 * const isOnDisk = (writeProgress: WriteProgress, index: LogIndex): boolean => index <= writeProgress.index
 */
export class WriteProgress {
  constructor(
    /** The log is on disk up to here, as it is now. */
    readonly index: LogIndex,
    /** The last write that was asked for. */
    readonly written: WriteSeq,
    /** The last write that is known to be done. */
    readonly acknowledged: WriteSeq,
    /**
     * The writes between the two, oldest first. Each makes the log durable up to its `lastIndex` once it is done. A
     * truncation lowers that.
     */
    readonly pending: ReadonlyArray<Pending>,
  ) {}

  /** The number that the next write will have. */
  get next(): WriteSeq {
    return nextWrite(this.written)
  }

  /** The entries after `kept` are no longer in the log: no earlier write makes more durable than that. */
  truncate(kept: LogIndex): WriteProgress {
    const pending = this.pending.map(({ seq, lastIndex }) => ({ seq, lastIndex: minIndex(lastIndex, kept) }))
    return new WriteProgress(minIndex(this.index, kept), this.written, this.acknowledged, pending)
  }

  /** One more write was asked for, after which the log ends at `lastIndex`. */
  write(lastIndex: LogIndex): WriteProgress {
    const written = this.next
    return new WriteProgress(this.index, written, this.acknowledged, [...this.pending, { seq: written, lastIndex }])
  }

  /** All writes up to `seq` are done. Gives the same value if that was known, or if they were never asked for. */
  acknowledge(seq: WriteSeq): WriteProgress {
    if (seq <= this.acknowledged || seq > this.written) return this
    const { pending } = this
    let done = 0
    while (done < pending.length && pending[done]!.seq <= seq) done++
    // The last of them counts for all: a truncation after an earlier one has lowered its `lastIndex` too.
    const { lastIndex } = pending[done - 1]!
    return new WriteProgress(lastIndex, this.written, seq, pending.slice(done))
  }

  /** Whether every write that was asked for is done. */
  get isComplete(): boolean {
    return this.written === this.acknowledged
  }
}
