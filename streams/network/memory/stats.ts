/**
 * What became of the messages so far: a run in which a fault had no effect has not tested it.
 *
 * @example
 * const { sent, delivered, lost }: MemoryNetworkStats = memoryNetwork({ loss: 0.1 }).stats
 * console.log(sent, delivered, lost) // 0 0 0: nothing was sent yet
 */
export interface MemoryNetworkStats {
  readonly sent: number
  readonly delivered: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  /** Swallowed by a cut. */
  readonly cut: number
  /** Dropped at `maxInFlight`. */
  readonly overflowed: number
  /** Addressed to a server that was not there. */
  readonly absent: number
  /** Delayed by `slow`. */
  readonly slowed: number
  /** On their way when their link was reset. */
  readonly reset: number
  /** Waited for `release`. */
  readonly held: number
}

export type StatsDraft = { -readonly [K in keyof MemoryNetworkStats]: number }

export const noStats = (): StatsDraft => ({
  sent: 0,
  delivered: 0,
  lost: 0,
  duplicated: 0,
  reordered: 0,
  cut: 0,
  overflowed: 0,
  absent: 0,
  slowed: 0,
  reset: 0,
  held: 0,
})
