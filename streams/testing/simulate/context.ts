import type { MemoryNetwork } from '../../network/memory/memoryNetwork.js'
import type { VirtualScheduler } from '../../time/heapScheduler.js'
import type { Conditions } from './conditions.js'
import type { Observer } from './observer.js'
import type { Workload } from './workload.js'

/** What the servers, clients and watchers of one simulation share. */
export interface SimulationContext {
  readonly scheduler: VirtualScheduler
  readonly network: MemoryNetwork
  readonly workload: Workload<unknown, unknown>
  readonly conditions: Conditions
  readonly observer: Observer
}
