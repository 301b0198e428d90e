/**
 * The states that were seen, as hashes of 63 bits (the 64th says that a place is taken): open addressing in two typed arrays, eight
 * bytes a place, which grow with them. That any two of n states share a hash, so that one of them is not looked at, has a probability
 * of about n²/2⁶⁴: 5 in a million for 10⁷ states.
 */
export class StateSet {
  size = 0
  private low = new Uint32Array(1 << 12)
  private high = new Uint32Array(1 << 12)

  /** Whether the numbers from `start` to `end` were not there before; from now on they are. */
  add(state: Int32Array, start: number, end: number): boolean {
    let a = 0x9747_b28c
    let b = 0x5bd1_e995
    for (let i = start; i < end; i++) {
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
    // A place with a zero here is free.
    if (!this.put(a >>> 0, (b | 1) >>> 0)) return false
    if (++this.size * 3 > this.low.length * 2) this.grow()
    return true
  }

  private put(a: number, b: number): boolean {
    const { low, high } = this
    const mask = low.length - 1
    let place = a & mask
    while (high[place] !== 0) {
      if (low[place] === a && high[place] === b) return false
      place = (place + 1) & mask
    }
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
