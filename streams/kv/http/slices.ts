/*
 * Long answers are made in slices: the next one when the socket has taken the last.
 */

/** Characters or bytes that are made, and written to a socket, at once. */
export const sliceBytes = 64 << 10

/** Puts small pieces together, so that each slice but the last has at least `sliceBytes`. */
export function* inSlicesOf(pieces: Iterable<string>): Generator<string> {
  let slice = ''
  for (const piece of pieces) {
    slice += piece
    if (slice.length < sliceBytes) continue
    yield slice
    slice = ''
  }
  if (slice !== '') yield slice
}

/** Bytes as views of the same memory. */
export function* slicesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sliceBytes) yield bytes.subarray(at, at + sliceBytes)
}

/** The pieces of each in turn, with a comma between two. */
export function* commaSeparated<T>(items: Iterable<T>, pieces: (item: T) => Iterable<string>): Generator<string> {
  let isFirst = true
  for (const item of items) {
    if (!isFirst) yield ','
    isFirst = false
    yield* pieces(item)
  }
}
