/**
 * Values by log index, of which only the latest `kept` are remembered: what makes a checker fit for
 * a cluster that runs for months. Indexes mostly rise; one that was passed over, or came before all others, may follow.
 */
export class Window<T> {
  private values: (T | undefined)[] = []
  /** The index of `values[0]`. */
  private first = 0

  constructor(private readonly kept = 1 << 20) {}

  /** The highest index that was set; 0 before the first. */
  get last(): number {
    return this.values.length === 0 ? 0 : this.first + this.values.length - 1
  }

  /** The lowest index that is remembered. */
  get lowest(): number {
    return this.first
  }

  at(index: number): T | undefined {
    return this.values[index - this.first]
  }

  set(index: number, value: T): void {
    const { values } = this
    if (values.length === 0) this.first = index
    const place = index - this.first
    if (place < 0) {
      if (this.last - index >= this.kept) return
      this.values = [value, ...Array.from({ length: -place - 1 }, () => undefined), ...values]
      this.first = index
      return
    }
    // Where an index was passed over, nothing is known of it.
    while (values.length < place) values.push(undefined)
    values[place] = value
    if (values.length >= 2 * this.kept) {
      this.values = values.slice(values.length - this.kept)
      this.first += values.length - this.kept
    }
  }
}
