/**
 * The names that examples in doc comments and on the pages use without showing where they come from: what their reader has already.
 */
declare global {
  const servers: ReadonlyArray<import('rxraft').Raft<number, number>>
  const server: import('rxraft').Raft<number, number>
  const kvServer: import('rxraft/kv').KvServer
  const client: import('rxraft/kv').Client
  const network: import('rxraft').Network
  const storage: import('rxraft').Storage
  const scheduler: import('rxraft').VirtualScheduler
  const random: () => number
  /** The name of a data directory, as `readIdentity` tells it. */
  const incarnation: string
  /** Tells somebody who has to know. */
  const alarm: (text: string) => void
  const recording: import('rxraft/testing').Recording
  const lines: ReadonlyArray<import('rxraft/testing').TraceLine>
  /** Whatever has come of it. */
  const found: unknown[]
  const outside$: import('rxjs').Observable<import('rxraft/testing').Seen<number>>
}

export {}
