/** A set of numbers that fills from the bottom: nearly all numbers below some number are in it, and few above. */
export class Bits {
  private readonly words: Uint32Array
  /** Words below this one are full. */
  private full = 0
  /** Words after this one are empty. */
  private last = 0

  constructor(length: number) {
    this.words = new Uint32Array((length >> 5) + 1)
  }

  add(i: number): void {
    const word = i >> 5
    this.words[word]! |= 1 << (i & 31)
    if (word > this.last) this.last = word
    while (this.words[this.full] === 0xffff_ffff) this.full++
  }

  remove(i: number): void {
    const word = i >> 5
    this.words[word]! &= ~(1 << (i & 31))
    if (word < this.full) this.full = word
    while (this.last > 0 && this.words[this.last] === 0) this.last--
  }

  /** How many numbers `write` needs. */
  get width(): number {
    return 2 + Math.max(0, this.last - this.full + 1)
  }

  /** Writes itself to `memory` at `at`, the same for equal sets and for no others. Answers where it ends. */
  write(memory: Int32Array, at: number): number {
    memory[at++] = this.full
    memory[at++] = this.last - this.full
    for (let word = this.full; word <= this.last; word++) memory[at++] = this.words[word]!
    return at
  }
}
