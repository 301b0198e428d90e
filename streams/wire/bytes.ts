import { maxTerm } from '../../src/raft/ids.js'

/* Numbers and names as bytes, little-endian; the layout of messages is in message.ts. */

export const writeName = (name: string, target: Uint8Array, offset: number): number => {
  target[offset] = name.length
  for (let i = 0; i < name.length; i++) target[offset + 1 + i] = name.charCodeAt(i)
  return offset + 1 + name.length
}

export const writeFlag = (flag: boolean, target: Uint8Array, offset: number): number => {
  target[offset] = flag ? 1 : 0
  return offset + 1
}

export const writeTerm = (term: number, target: Uint8Array, offset: number): number => {
  if (term > maxTerm) throw new RangeError(`term ${term} does not fit into 48 bits`)
  writeU32(term, target, offset)
  const high = Math.floor(term / 2 ** 32)
  target[offset + 4] = high
  target[offset + 5] = high >>> 8
  return offset + 6
}

export const writeU64 = (n: number, target: Uint8Array, offset: number): number => {
  writeU32(n, target, offset)
  writeU32(n / 2 ** 32, target, offset + 4)
  return offset + 8
}

export const writeU32 = (n: number, target: Uint8Array, offset: number): void => {
  target[offset] = n
  target[offset + 1] = n >>> 8
  target[offset + 2] = n >>> 16
  target[offset + 3] = n >>> 24
}

/** Reads one field after another. Past the end it gives zeros: one look at `at`, at the end, is enough. */
export class Reader {
  at = 0
  constructor(private readonly bytes: Uint8Array) {}

  u8(): number {
    return this.bytes[this.at++]! | 0
  }

  /** 0 is false and 1 true; any other byte stays what it is, for the codec to refuse. */
  flag(): boolean | number {
    const byte = this.u8()
    return byte === 0 ? false : byte === 1 ? true : byte
  }

  u48(): number {
    return this.u32() + (this.u8() | (this.u8() << 8)) * 2 ** 32
  }

  /** May be no safe integer; that too is for the codec to refuse. */
  u64(): number {
    return this.u32() + this.u32() * 2 ** 32
  }

  name(): string {
    const end = this.at + 1 + this.u8()
    let name = ''
    while (this.at < end) name += String.fromCharCode(this.u8())
    return name
  }

  /** As many bytes as the u32 before them says; none where that is more than `maxBytes` or than there are. */
  sized(maxBytes: number): Uint8Array {
    const length = this.u32()
    const from = this.at
    this.at += length
    return length > maxBytes ? new Uint8Array(0) : this.bytes.subarray(from, this.at)
  }

  rest(): Uint8Array {
    const rest = this.bytes.subarray(this.at)
    this.at = Math.max(this.at, this.bytes.length)
    return rest
  }

  private u32(): number {
    return (this.u8() | (this.u8() << 8) | (this.u8() << 16) | (this.u8() << 24)) >>> 0
  }
}
