import { type Entry, kindOf, numberOf } from '../../src/raft/state/entry.js'
import { term } from '../../src/raft/ids.js'

/*
 * Entries as bytes, the same on the wire and on disk, little-endian:
 *
 *   kind u8 | term u48 | size u32 | command, `size` bytes
 *
 * An entry of a kind that this build does not know is read and written like any other, so that its bytes stay as they
 * are.
 */

export const entryHeaderBytes = 11

/** How many bytes `entries` take. */
export const entriesByteLength = (entries: ReadonlyArray<Entry>): number => {
  let length = entries.length * entryHeaderBytes
  for (const { size } of entries) length += size
  return length
}

/** Writes `entries` into `target` from `offset` on and returns where they end. */
export const writeEntries = (entries: ReadonlyArray<Entry>, target: Uint8Array, offset: number): number => {
  let at = offset
  for (const { kind, term: t, size, command } of entries) {
    const low = t >>> 0
    const high = (t - low) / 0x1_0000_0000
    target[at] = numberOf(kind)
    target[at + 1] = low
    target[at + 2] = low >>> 8
    target[at + 3] = low >>> 16
    target[at + 4] = low >>> 24
    target[at + 5] = high
    target[at + 6] = high >>> 8
    target[at + 7] = size
    target[at + 8] = size >>> 8
    target[at + 9] = size >>> 16
    target[at + 10] = size >>> 24
    target.set(command, at + entryHeaderBytes)
    at += entryHeaderBytes + size
  }
  return at
}

/**
 * All entries in `bytes`, whose commands are views of it; null where the bytes are not exactly a run of `maxEntries` at
 * most.
 */
export const readEntries = (bytes: Uint8Array, maxEntries = Number.POSITIVE_INFINITY): ReadonlyArray<Entry> | null => {
  const entries: Entry[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + entryHeaderBytes > bytes.length || entries.length === maxEntries) return null
    const kind = kindOf(bytes[at]!)
    const low = (bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 24)) >>> 0
    const high = bytes[at + 5]! | (bytes[at + 6]! << 8)
    const size = (bytes[at + 7]! | (bytes[at + 8]! << 8) | (bytes[at + 9]! << 16) | (bytes[at + 10]! << 24)) >>> 0
    const end = at + entryHeaderBytes + size
    if (end > bytes.length) return null
    entries.push({ term: term(low + high * 0x1_0000_0000), kind, size, command: view(bytes, at + entryHeaderBytes, size) })
    at = end
  }
  return entries
}

/** What `bytes.subarray` gives, in half the time, and no Buffer where `bytes` is one. */
const view = (bytes: Uint8Array, offset: number, length: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length)
