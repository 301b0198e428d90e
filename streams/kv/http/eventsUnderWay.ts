import type { Release } from './room.js'

/** The values of events that are being sent to watches. Those of a revision are in memory once, however many watches are told of it. */
export interface EventsUnderWay {
  readonly bytes: number
  /** Until it is released. Where the bound is exceeded, the watches that are furthest behind are cut. */
  hold(revision: number, bytes: number, cut: () => void): Release
}

interface Held {
  bytes: number
  readonly cuts: Set<() => void>
}

export const eventsUnderWay = (maxBytes: number): EventsUnderWay => {
  const held = new Map<number, Held>()
  let bytes = 0

  const release = (revision: number, cut: () => void): void => {
    const at = held.get(revision)
    if (at?.cuts.delete(cut) !== true || at.cuts.size > 0) return
    held.delete(revision)
    bytes -= at.bytes
  }

  /** Never the newest: one event that exceeds the bound by itself is sent alone. */
  const makeRoom = (): void => {
    while (bytes > maxBytes && held.size > 1) {
      const oldest = Math.min(...held.keys())
      for (const cut of held.get(oldest)!.cuts) {
        release(oldest, cut)
        cut()
      }
    }
  }

  return {
    get bytes() {
      return bytes
    },
    hold: (revision, size, cut) => {
      const at = held.get(revision) ?? { bytes: 0, cuts: new Set() }
      held.set(revision, at)
      at.cuts.add(cut)
      bytes += Math.max(0, size - at.bytes)
      at.bytes = Math.max(size, at.bytes)
      makeRoom()
      return () => release(revision, cut)
    },
  }
}
