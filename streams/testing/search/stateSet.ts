/**
 * The states that were seen, as hashes of 63 bits (the 64th says that a place is taken): open addressing in two typed
 * arrays, eight bytes a place, which grow with them. That any two of n states share a hash, so that one of them is not
 * looked at, has a probability of about n²/2⁶⁴: 5 in a million for 10⁷ states.
 */
export class StateSet {
  size = 0
  private low = new Uint32Array(1 << 12)
  private high = new Uint32Array(1 << 12)
  /** The two halves of the last hash. */
  private a = 0
  private b = 0

  /** Whether these numbers were not there before; from now on they are. */
  add(state: Int32Array): boolean {
    this.hash(state)
    if (!this.put(this.a, this.b)) return false
    if (++this.size * 3 > this.low.length * 2) this.grow()
    return true
  }

  has(state: Int32Array): boolean {
    this.hash(state)
    return this.high[this.placeOf(this.a, this.b)] !== 0
  }

  private hash(state: Int32Array): void {
    let a = 0x9747_b28c
    let b = 0x5bd1_e995
    for (let i = 0; i < state.length; i++) {
      const n = state[i]!
      a = Math.imul(a ^ n, 0xcc9e_2d51)
      a = Math.imul(a ^ (a >>> 15), 0x1b87_3593)
      b = Math.imul(b ^ n ^ (a >>> 16), 0x85eb_ca6b)
      b = (b ^ (b >>> 13)) + (a << 5)
    }
    a = Math.imul(a ^ (a >>> 16), 0x85eb_ca6b)
    a ^= a >>> 13
    b = Math.imul(b ^ (b >>> 16), 0xc2b2_ae35)
    b ^= b >>> 16
    this.a = a >>> 0
    // A place with a zero here is free.
    this.b = (b | 1) >>> 0
  }

  /** Where this hash is, or the free place for it. */
  private placeOf(a: number, b: number): number {
    const { low, high } = this
    const mask = low.length - 1
    let place = a & mask
    while (high[place] !== 0 && (low[place] !== a || high[place] !== b)) place = (place + 1) & mask
    return place
  }

  private put(a: number, b: number): boolean {
    const { low, high } = this
    const place = this.placeOf(a, b)
    if (high[place] !== 0) return false
    low[place] = a
    high[place] = b
    return true
  }

  private grow(): void {
    const { low, high } = this
    this.low = new Uint32Array(2 * low.length)
    this.high = new Uint32Array(2 * high.length)
    for (let i = 0; i < low.length; i++) if (high[i] !== 0) this.put(low[i]!, high[i]!)
  }
}
