/**
 * A running hash of a run: the same numbers and texts in the same order give the same 16 hexadecimal digits in every
 * JavaScript engine, since all of it is 32-bit integer arithmetic. There are two lanes; each is multiplied and rotated
 * as in FNV and in xxHash. The hash is not meant against attackers.
 */
export class TraceHash {
  private a = 0x811c9dc5 | 0
  private b = 0x9e3779b9 | 0

  /** A whole number from 0 to 2⁵³ − 1. */
  add(n: number): void {
    const high = n > 0xffffffff ? (n / 0x100000000) | 0 : 0
    const mixed = (n | 0) ^ (high === 0 ? 0 : Math.imul(high, 0x27d4eb2f))
    this.a = Math.imul(this.a ^ mixed, 0x01000193)
    const b = Math.imul(this.b ^ mixed, 0x85ebca6b)
    this.b = (((b << 13) | (b >>> 19)) + 0x165667b1) | 0 // not a double, which would be a new object each time
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i))
    this.add(text.length)
  }

  get hex(): string {
    return hex(this.finish(this.a ^ (this.b >>> 16))) + hex(this.finish(this.b ^ (this.a >>> 15)))
  }

  /** Every bit of the lane reaches every bit of the result (murmur3's finalizer). */
  private finish(lane: number): number {
    let h = lane
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return h ^ (h >>> 16)
  }
}

const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, '0')
