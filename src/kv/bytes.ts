import { either } from 'fp-ts'
import { type Key, key, keyOfBytes } from './key.js'

/**
 * Bytes that are not what they should be.
 *
 * @example
 * const show = ({ reason, at }: BadBytes) => `${reason} (at byte ${at})`
 */
export interface BadBytes {
  readonly _tag: 'BadBytes'
  /** The offset at which reading stopped making sense. */
  readonly at: number
  readonly reason: string
}

/**
 * Writes into one growing buffer: numbers as little-endian base 128 (up to 2^53 - 1), bytes with their length before
 * them.
 */
export class Writer {
  private buffer = new Uint8Array(64)
  length = 0

  byte(n: number): void {
    this.reserve(1)
    this.buffer[this.length++] = n
  }

  flag(yes: boolean): void {
    this.byte(yes ? 1 : 0)
  }

  number(n: number): void {
    if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`${n} is not a whole number from 0 to 2^53 - 1`)
    this.reserve(8)
    let rest = n
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.buffer[this.length++] = rest
  }

  /** Four bytes, little-endian. */
  word(n: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte((n >>> shift) & 0xff)
  }

  bytes(bytes: Uint8Array): void {
    this.number(bytes.length)
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  key(k: string): void {
    this.number(k.length)
    this.reserve(k.length)
    let units = 0
    for (let i = 0; i < k.length; i++) {
      const unit = k.charCodeAt(i)
      units |= unit
      this.buffer[this.length++] = unit
    }
    if (units > 0xff) throw new RangeError('a key is a binary string, one unit per byte: make it with keyOfBytes')
  }

  /** A copy of everything written since the last `take`. */
  take(): Uint8Array {
    const taken = this.buffer.slice(0, this.length)
    this.length = 0
    return taken
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes))
    larger.set(this.buffer.subarray(0, this.length))
    this.buffer = larger
  }
}

const nothing = new Uint8Array(0)

/** Bounds the recursion of reading, and so the stack that hostile bytes can use. */
const maxDepth = 8

/**
 * Reads what `Writer` wrote, and any other bytes. It never throws: the first fault is kept, from then on everything
 * reads as zero and empty, and `done` tells. So a loop over a count ends at a fault: `for (…; i < count &&
 * reader.sound; …)`.
 */
export class Reader {
  private at = 0
  private depth = 0
  private fault: BadBytes | null = null

  constructor(private readonly source: Uint8Array) {}

  get sound(): boolean {
    return this.fault === null
  }

  get remaining(): number {
    return this.source.length - this.at
  }

  get offset(): number {
    return this.at
  }

  /** Reads something that lies inside something of its own kind. */
  nested<A>(read: () => A): A {
    this.depth++
    if (this.depth > maxDepth) this.fail(`nested deeper than ${maxDepth}`)
    const a = read()
    this.depth--
    return a
  }

  fail(reason: string): void {
    this.fault ??= { _tag: 'BadBytes', at: this.at, reason }
    this.at = this.source.length
  }

  byte(): number {
    if (this.remaining >= 1) return this.source[this.at++] as number
    this.fail('the bytes end too early')
    return 0
  }

  flag(): boolean {
    const byte = this.byte()
    if (byte > 1) this.fail(`a flag is 0 or 1, not ${byte}`)
    return byte === 1
  }

  number(): number {
    let n = 0
    for (let scale = 1; scale < 2 ** 56; scale *= 0x80) {
      const byte = this.byte()
      n += (byte & 0x7f) * scale
      if (byte >= 0x80) continue
      if (byte === 0 && scale > 1) this.fail('a number is longer than it needs to be')
      return n <= Number.MAX_SAFE_INTEGER ? n : this.tooLarge()
    }
    return this.tooLarge()
  }

  word(): number {
    return (this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)) >>> 0
  }

  /** A copy, so that neither side can change the other's bytes, nor a small value keep a large frame alive. */
  bytes(): Uint8Array {
    return new Uint8Array(this.view()) // not `slice`, which gives a view where the source is a Buffer
  }

  key(): Key {
    const view = this.view()
    return view.length === 0 ? key('') : keyOfBytes(view)
  }

  /** `value`, if all bytes were read and made sense. */
  done<A>(value: A): either.Either<BadBytes, A> {
    if (this.remaining > 0) this.fail(`${this.remaining} bytes too many`)
    return this.fault === null ? either.right(value) : either.left(this.fault)
  }

  private view(): Uint8Array {
    const length = this.number()
    if (length > this.remaining) {
      this.fail(`${length} bytes are announced, ${this.remaining} are left`)
      return nothing
    }
    this.at += length
    return this.source.subarray(this.at - length, this.at)
  }

  private tooLarge(): number {
    this.fail('a number is larger than 2^53 - 1')
    return 0
  }
}
