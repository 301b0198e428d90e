/**
 * The names that examples in doc comments and on the pages use without showing where they come from: what their reader
 * has already.
 */
import type { Network, Raft, Storage, VirtualScheduler } from 'rxraft'
import type { Client, KvServer } from 'rxraft/kv'
import type { Recording, Seen, TraceLine } from 'rxraft/testing'
import type { Observable } from 'rxjs'

declare global {
  const servers: ReadonlyArray<Raft<number, number>>
  const server: Raft<number, number>
  const kvServer: KvServer
  const client: Client
  const network: Network
  const storage: Storage
  const scheduler: VirtualScheduler
  const random: () => number
  /** The name of a data directory, as `readIdentity` tells it. */
  const incarnation: string
  /** Tells somebody who has to know. */
  const alarm: (text: string) => void
  const recording: Recording
  const lines: ReadonlyArray<TraceLine>
  /** Whatever has come of it. */
  const found: unknown[]
  const outside$: Observable<Seen<number>>
}
