import type { SameAnswers } from './answers.js'

/**
 * An operation that a client has an answer to. Times of one clock.
 *
 * @example
 * const acknowledged: Acknowledged<number> = { client: 1, call: 0, return: 12, index: 3, result: 7 }
 * const seen: Seen<number> = { _tag: 'Acknowledged', ...acknowledged }
 * of(seen).pipe(observing([toldTheTruth<number>()])) // client 1 is told of entry 3, and only 0 are committed
 */
export interface Acknowledged<R> {
  readonly client: number
  readonly call: number
  readonly return: number
  /** The index of the entry that answered it; of a retry's, where it was offered more than once. */
  readonly index: number
  readonly result: R
}

/**
 * I14 and, where the order of the log is known, I15. A client may be told only of an entry that is committed, and only
 * the answer that state machines gave there. Operations must take effect in an order that agrees with real time: if one
 * was called after another was answered, its entry stands later in the log. Then the log shows that the history is
 * linearizable, and every client reads what it wrote. With retries the entry that took effect is the first with that
 * serial.
 */
export class ClientView<R> {
  readonly name = 'what a client was told is true, and in the order of real time (linearizability, with the log as witness)'
  /** The highest index of which a client was told before each moment, in the order of time. */
  private told: { readonly at: number; readonly index: number }[] = [{ at: Number.NEGATIVE_INFINITY, index: 0 }]

  constructor(
    private readonly answers: SameAnswers<R>,
    private readonly committed: { readonly last: number },
    private readonly same: (a: R, b: R) => boolean,
  ) {}

  /** The highest index that a client had been told of before `at`. */
  private toldBefore(at: number): number {
    let low = 0
    let high = this.told.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.told[middle]!.at < at) low = middle
      else high = middle - 1
    }
    return this.told[low]!.index
  }

  /**
   * Compares with the answer at `index`. Where another entry took effect, the servers that answered there may all be
   * gone, and their answers unknown.
   */
  see({ client, call, return: end, index, result }: Acknowledged<R>, effective = index): string | null {
    const who = `client ${client}`
    if (index > this.committed.last) return `${who} is told of entry ${index}, and only ${this.committed.last} are committed`
    const answered = this.answers.at(index)
    if (answered === undefined || !this.same(answered, result))
      return `${who} is told ${JSON.stringify(result)} for entry ${index}, where the state machines answered ${JSON.stringify(answered)}`
    const before = this.toldBefore(call)
    if (effective <= before)
      return `${who} called at ${call} ms and took effect at entry ${effective}, though a client was told of entry ${before} before`
    const last = this.told[this.told.length - 1]!
    if (effective > last.index) {
      if (last.at === end) this.told[this.told.length - 1] = { at: end, index: effective }
      else this.told.push({ at: end, index: effective })
      if (this.told.length > 2 * keptTimes) this.told = this.told.slice(-keptTimes)
    }
    return null
  }
}

/** No operation is under way for longer than it takes so many others to be answered. */
const keptTimes = 65_536
