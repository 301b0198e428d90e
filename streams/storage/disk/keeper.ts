/*
 * Entries are views of the bytes they were read from, and a view holds all of those: a few entries that
 * survived a truncation would hold the 64 MiB segment that was read. So each payload is copied, once,
 * and an entry holds a block of 64 KiB or, if larger, what was appended together with it. The copy
 * costs little against checking the same bytes.
 */

const blockBytes = 1 << 16

/** Copies what it is given into blocks of its own. */
export const keeper = (): ((payload: Uint8Array) => Uint8Array) => {
  let block = new Uint8Array(0)
  let used = 0
  return (payload) => {
    if (payload.length > blockBytes / 4) return new Uint8Array(payload)
    if (used + payload.length > block.length) {
      block = new Uint8Array(blockBytes)
      used = 0
    }
    block.set(payload, used)
    return block.subarray(used, (used += payload.length))
  }
}
