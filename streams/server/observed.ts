import { distinctUntilChanged, map } from 'rxjs'
import type { Server } from '../../src/raft/state/server.js'
import type { Inspection } from '../loop/run.js'
import type { Rejected } from '../network/network.js'
import { Hot, Latest } from '../rx/hotInternals.js'
import { counting } from './metrics.js'

/** What is seen of a server while it runs, step by step. */
export class Observed {
  readonly state$ = new Latest<Server>()
  readonly rejected$ = new Hot<Rejected>()
  readonly inspect$ = new Hot<Inspection>()
  readonly configuration$ = this.state$.pipe(
    map(({ log }) => log.configuration),
    distinctUntilChanged(),
  )
  readonly counters = counting()

  readonly onStep = (inspection: Inspection): void => {
    this.counters.watch(inspection)
    if (inspection.before !== inspection.after) this.state$.next(inspection.after)
    if (this.inspect$.observed) this.inspect$.next(inspection)
  }

  readonly onRejected = (what: Rejected): void => {
    this.counters.rejected()
    this.rejected$.next(what)
  }
}
