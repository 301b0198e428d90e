/** Gives back what was taken; a second time does nothing. */
export type Release = () => void

/** Bytes that are in memory together, within a bound. */
export interface Room {
  /** How many there are. */
  readonly bytes: number
  /** Null where they do not fit. The first always do: what exceeds the bound by itself would never be served. */
  take(bytes: number): Release | null
  /** The same for what must go: it is small, and counted. */
  add(bytes: number): Release
}

export const room = (maxBytes: number): Room => {
  let held = 0
  /** How many have taken some: what was added does not keep them out. */
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
