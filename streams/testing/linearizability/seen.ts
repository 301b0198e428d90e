import type { Bits } from './bits.js'

/**
 * The configurations that a search has been in: the number of a state, and which operations are done. It is exact:
 * entries with the same hash are compared. It uses open addressing over one array that holds them all, since millions
 * of strings or objects cost several times as much.
 */
export class Seen {
  size = 0
  /** Where each begins in `memory`, plus 1; 0 where there is none. At most half of it is taken. */
  private places = new Int32Array(1 << 8)
  private memory = new Int32Array(1 << 10)
  private used = 0

  /** Adds a configuration; false if it was there already. */
  add(state: number, done: Bits, pendingDone: Bits): boolean {
    const start = this.used
    this.reserve(1 + done.width + pendingDone.width)
    this.memory[start] = state
    const end = pendingDone.write(this.memory, done.write(this.memory, start + 1))
    const place = this.placeOf(start, end)
    if (this.places[place] !== 0) return false
    this.places[place] = start + 1
    this.used = end
    if (++this.size * 2 > this.places.length) this.rehash(end)
    return true
  }

  /**
   * Where the configuration that is written from `start` to `end` is, or could be put. Each says itself where it ends.
   */
  private placeOf(start: number, end: number): number {
    let hash = 0x9e37_79b9
    for (let i = start; i < end; i++) hash = mix(hash ^ this.memory[i]!)
    const mask = this.places.length - 1
    let place = hash & mask
    while (this.places[place] !== 0 && !this.isSame(this.places[place]! - 1, start, end)) place = (place + 1) & mask
    return place
  }

  private isSame(other: number, start: number, end: number): boolean {
    for (let i = start; i < end; i++, other++) if (this.memory[other] !== this.memory[i]) return false
    return true
  }

  private reserve(width: number): void {
    if (this.used + width <= this.memory.length) return
    const larger = new Int32Array(2 * this.memory.length + width)
    larger.set(this.memory)
    this.memory = larger
  }

  private rehash(end: number): void {
    const starts = this.places.filter((place) => place !== 0).sort()
    this.places = new Int32Array(2 * this.places.length)
    starts.forEach((start, i) => {
      this.places[this.placeOf(start - 1, (starts[i + 1] ?? end + 1) - 1)] = start
    })
  }
}

/** Half of a MurmurHash3 round. */
const mix = (n: number): number => {
  n = Math.imul(n ^ (n >>> 16), 0x85eb_ca6b)
  return Math.imul(n ^ (n >>> 13), 0xc2b2_ae35) ^ (n >>> 16)
}
