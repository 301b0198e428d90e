import type { SchedulerLike } from 'rxjs'
import type { KvServer } from './kvServer.js'
import type { Transport } from './transport.js'

export interface MemoryTransportOptions {
  /** Default `realClock`. */
  readonly scheduler?: SchedulerLike
}

/** Servers of the same process, by their ids, as endpoints. */
export const memoryTransport = (
  _servers: ReadonlyArray<KvServer> | ((id: string) => KvServer | undefined),
  _options: MemoryTransportOptions = {},
): Transport => {
  throw new Error('The body follows.')
}
