/** Gives the bytes back; a second call does nothing. */
export type Release = () => void

/** Bytes that are in memory together, within a bound. */
export interface ByteBudget {
  /** The bytes in memory now. */
  readonly bytes: number
  /**
   * Null where the bytes do not fit. They always fit where nothing else was taken: otherwise a long answer would never
   * be sent.
   */
  take(bytes: number): Release | null
  /** Counts bytes that must be sent whatever the bound is, such as short answers. */
  add(bytes: number): Release
}

export const byteBudget = (maxBytes: number): ByteBudget => {
  let held = 0
  /** How many have taken bytes. Bytes that were added do not count here: they must not keep the first taker out. */
  let takers = 0
  const hold = (bytes: number, taker: 0 | 1): Release => {
    let isHeld = true
    held += bytes
    takers += taker
    return () => {
      if (!isHeld) return
      isHeld = false
      held -= bytes
      takers -= taker
    }
  }
  return {
    get bytes() {
      return held
    },
    take: (bytes) => (takers > 0 && held + bytes > maxBytes ? null : hold(bytes, 1)),
    add: (bytes) => hold(bytes, 0),
  }
}
