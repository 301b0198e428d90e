/**
 * How far the search goes: what is not within these bounds is not looked at.
 *
 * @example
 * const bounds: Partial<SearchBounds> = { servers: 3, terms: 1, entries: 0, messages: 4, crashes: 1 }
 * search(bounds).states // 2427
 */
export interface SearchBounds {
  /** Servers n1, n2, …; all vote. */
  readonly servers: number
  /** The last term that an election is started for. */
  readonly terms: number
  /** Commands that are proposed, each in a batch of its own. */
  readonly entries: number
  /** Messages under way at the same time; if more are sent, any of them are lost. */
  readonly messages: number
  /** Crashes, each with a restart, of all servers together. */
  readonly crashes: number
  /** Messages that arrive twice. */
  readonly duplicates: number
  /** Heartbeats that come due, of all leaders together; the first AppendEntries of a term is none. */
  readonly heartbeats: number
  /** Different states; a search that meets this one is not exhausted. */
  readonly states: number
}

export const defaultBounds: SearchBounds = {
  servers: 3,
  terms: 1,
  entries: 1,
  messages: 4,
  crashes: 1,
  duplicates: 1,
  heartbeats: 0,
  states: 50_000_000,
}

/** What may happen in a state, and to whom. */
export const moveKinds = ['timeout', 'heartbeat', 'propose', 'flush', 'persist', 'crash', 'deliver', 'duplicate'] as const
export type MoveKind = (typeof moveKinds)[number]

/** What has been used of the bounds so far: it is a part of a state. */
export interface Used {
  readonly crashes: number
  readonly duplicates: number
  readonly heartbeats: number
  readonly entries: number
}

const bits = 7
const mask = (1 << bits) - 1
export const pack = ({ crashes, duplicates, heartbeats, entries }: Used): number =>
  crashes | (duplicates << bits) | (heartbeats << (2 * bits)) | (entries << (3 * bits))
export const unpack = (used: number): Used => ({
  crashes: used & mask,
  duplicates: (used >> bits) & mask,
  heartbeats: (used >> (2 * bits)) & mask,
  entries: (used >> (3 * bits)) & mask,
})

/** With one duplicate less; null where there is none. */
export const withoutDuplicate = (used: number): number | null => (unpack(used).duplicates === 0 ? null : used - (1 << bits))

/** Throws an `Error` that says which bound makes no sense. */
export const checkBounds = (bounds: SearchBounds): void => {
  for (const [name, value] of Object.entries(bounds)) {
    const most = name === 'states' ? 2 ** 32 - 1 : name === 'servers' ? 5 : mask
    const least = name === 'servers' || name === 'states' ? 1 : 0
    if (!Number.isInteger(value) || value < least || value > most)
      throw new Error(`the bound ${name} is ${value}: it must be a whole number from ${least} to ${most}`)
  }
}
