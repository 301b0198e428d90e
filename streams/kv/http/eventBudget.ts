import type { Release } from './byteBudget.js'

/**
 * Bytes of long events that are being sent to watches. The values of a revision are in memory once, however many
 * watches get them.
 */
export interface EventBudget {
  readonly bytes: number
  /** Counts an event until it is released. Beyond the bound, the watches that are furthest behind are cut. */
  hold(revision: number, bytes: number, cut: () => void): Release
}

interface Held {
  bytes: number
  readonly cuts: Set<() => void>
}

export const eventBudget = (maxBytes: number): EventBudget => {
  const held = new Map<number, Held>()
  let bytes = 0

  const release = (revision: number, cut: () => void): void => {
    const at = held.get(revision)
    if (at?.cuts.delete(cut) !== true || at.cuts.size > 0) return
    held.delete(revision)
    bytes -= at.bytes
  }

  /** Keeps the newest: an event that exceeds the bound alone is still sent. */
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
