/** Gives back what was taken; a second time does nothing. */
export type Release = () => void

/** Bytes that are in memory together, within a bound. */
export interface Room {
  /** How many there are. */
  readonly bytes: number
  /** Null where they do not fit. What exceeds the bound by itself fits alone, or it would never be served. */
  take(bytes: number): Release | null
  /** The same for what must go: it is small, and counted. */
  add(bytes: number): Release
}

export const room = (maxBytes: number): Room => {
  let taken = 0
  const add = (bytes: number): Release => {
    let left = bytes
    taken += bytes
    return () => {
      taken -= left
      left = 0
    }
  }
  return {
    get bytes() {
      return taken
    },
    take: (bytes) => (taken > 0 && taken + bytes > maxBytes ? null : add(bytes)),
    add,
  }
}
