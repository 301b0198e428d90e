import { either } from 'fp-ts'
import { distinctUntilChanged, map, type Observable } from 'rxjs'
import { NodeId } from '../../src/raft/ids.js'
import { settingsOf } from '../../src/raft/settings.js'
import { type Recovered, restart, type Server } from '../../src/raft/state/server.js'
import { raft } from '../loop/raft.js'
import type { Inspection } from '../loop/run.js'
import type { Rejected } from '../network/network.js'
import { Hot, Latest } from '../rx/hotInternals.js'
import { applied, type AppliedSink } from '../sinks/applied.js'
import { electionTimer } from '../sinks/electionTimer.js'
import { flush } from '../sinks/flush.js'
import { heartbeat } from '../sinks/heartbeat.js'
import { proposals } from '../sinks/proposals.js'
import { snapshotPolicy } from '../sinks/snapshotPolicy.js'
import { bytes, type Codec } from '../wire/codec.js'
import { Lifecycle, type RunningStorage } from './lifecycle.js'
import { counting } from './metrics.js'
import { InvalidOption } from '../options/invalidOption.js'
import { defaultClock, type RaftOptions, tuned } from './options.js'
import type { Raft } from './raftServer.js'
import { views } from './views.js'

export type { Raft } from './raftServer.js'
export type { StopReason } from './stopReason.js'

/**
 * A Raft server (§5). Builds only: nothing is opened or sent before `start()`. Throws `InvalidOption`
 * where an option cannot work.
 *
 * @example
 * const network = memoryNetwork()
 * const cluster = ['n1', 'n2', 'n3']
 * const servers = cluster.map((id) => createRaft({ id, network: network.join(id), storage: memoryStorage(cluster), codec: utf8 }))
 * for (const server of servers) server.start()
 */
export const createRaft = <C = Uint8Array, R = undefined>(options: RaftOptions<C, R>): Raft<C, R> => {
  const { network, storage, stateMachine = null, snapshots, step, scheduler = defaultClock, random = Math.random } = options
  const codec = options.codec ?? (bytes as unknown as Codec<C>)
  const tuning = tuned(options)
  const id = checkedId(options.id)
  const { maxProposals, maxCommandBytes, maxAppliesPerTurn, maxWaitingSends, maxEffectsPerTurn } = tuning

  const state$ = new Latest<Server>()
  const rejected$ = new Hot<Rejected>()
  const inspect$ = new Hot<Inspection>()
  const counters = counting()

  const machine: AppliedSink<C, R> = applied({
    stateMachine,
    decode: (command) => codec.decode(command),
    scheduler,
    maxAppliesPerTurn,
    ...(snapshots !== undefined && { readSnapshot: (ref, size) => lifecycle.storage!.snapshots.read(ref, 0, size) }),
  })
  const clients = proposals<R>({ scheduler, maxProposals, maxCommandBytes, result$: machine.result$ })
  const policy = snapshotPolicy({ ...snapshots, scheduler, maxEveryBytes: Math.max(1, tuning.maxLogBytes - maxCommandBytes) })
  const sinks = [
    electionTimer({ timeoutMs: tuning.electionTimeoutMs, random, scheduler }),
    heartbeat({ heartbeatMs: tuning.heartbeatMs, scheduler }),
    clients.sink,
    flush({ scheduler }),
    policy.sink,
    machine.sink,
  ]

  const loop = (recovered: Recovered, opened: RunningStorage): Observable<Inspection> => {
    // Given away, not kept: a log that is held holds all that it and its successors shared, compacted or not.
    let initial: Server | null = restart(id, settingsOf(tuning), recovered)
    state$.next(initial)
    const begin = (): Server => {
      const server = initial!
      initial = null
      return server
    }
    return raft(begin, {
      scheduler,
      maxEffectsPerTurn,
      ...(step !== undefined && { step }),
      sinks,
      network,
      user: { incarnation: recovered.incarnation ?? null, configuration$ },
      storage: {
        write: (batch) => opened.write(batch),
        maxWaitingSends,
        snapshots: opened.snapshots,
        checkSnapshot: snapshots?.check,
      },
      rejected: (what) => {
        counters.rejected()
        rejected$.next(what)
      },
    })
  }
  const onStep = (inspection: Inspection): void => {
    counters.watch(inspection)
    if (inspection.before !== inspection.after) state$.next(inspection.after)
    if (inspect$.observed) inspect$.next(inspection)
  }
  const configuration$ = state$.pipe(
    map(({ log }) => log.configuration),
    distinctUntilChanged(),
  )
  const streams = [state$, machine.apply$, machine.restore$, rejected$, inspect$]
  const lifecycle: Lifecycle = new Lifecycle({ storage, loop, onStep, completes: streams })

  return {
    id,
    start: () => lifecycle.start(),
    kill: () => lifecycle.kill(),
    propose: (command) => clients.propose(codec.encode(command)),
    snapshot: (index, data) => {
      if (snapshots === undefined) throw new InvalidOption('snapshots', 'is needed for taking any, on every server of the cluster')
      return policy.offer(index, data)
    },
    ...views<C>({ state$, rejected$, inspect$, machine, codec, scheduler, metricsMs: tuning.metricsMs, clients, counters, lifecycle }),
  }
}

const checkedId = (id: string): NodeId => {
  const decoded = NodeId.decode(id)
  if (either.isLeft(decoded)) throw new InvalidOption('id', `must match [a-z0-9][a-z0-9._-]{0,63}, not ${JSON.stringify(id)}`)
  return decoded.right
}
