/**
 * The numbers from 0 to `length - 1` in their order, of which any may be taken out and put back, the last one first
 * (Knuth's dancing links). A walk visits only the numbers that are left. `end` stands before the first and after the
 * last.
 */
export class Links {
  readonly end: number
  private readonly nextOf: Int32Array
  private readonly formerOf: Int32Array

  constructor(length: number) {
    this.end = length
    this.nextOf = Int32Array.from({ length: length + 1 }, (_, i) => (i === length ? 0 : i + 1))
    this.formerOf = Int32Array.from({ length: length + 1 }, (_, i) => (i === 0 ? length : i - 1))
  }

  get first(): number {
    return this.nextOf[this.end]!
  }
  /** The next one that is left; of one that was taken out, the one that followed it then. */
  next(i: number): number {
    return this.nextOf[i]!
  }
  takeOut(i: number): void {
    this.nextOf[this.formerOf[i]!] = this.nextOf[i]!
    this.formerOf[this.nextOf[i]!] = this.formerOf[i]!
  }
  putBack(i: number): void {
    this.nextOf[this.formerOf[i]!] = i
    this.formerOf[this.nextOf[i]!] = i
  }
}
