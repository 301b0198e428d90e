import { either } from 'fp-ts'
import type { Observable } from 'rxjs'
import { NodeId } from '../../src/raft/ids.js'
import { settingsOf } from '../../src/raft/settings.js'
import { type Recovered, restart, type Server } from '../../src/raft/state/server.js'
import { raft } from '../loop/raft.js'
import type { Inspection } from '../loop/run.js'
import { applied, type AppliedSink } from '../sinks/applied.js'
import { electionTimer } from '../sinks/electionTimer.js'
import { flush } from '../sinks/flush.js'
import { heartbeat } from '../sinks/heartbeat.js'
import { proposals } from '../sinks/proposals.js'
import { snapshotPolicy } from '../sinks/snapshotPolicy.js'
import { bytes, type Codec } from '../wire/codec.js'
import { Lifecycle, type LoopStorage } from './lifecycle.js'
import { Observed } from './observed.js'
import { InvalidOption } from '../options/invalidOption.js'
import { checkParts, defaultClock, type RaftOptions, tuned } from './options.js'
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
  checkParts(options)
  const id = checkedId(options.id)
  const { maxProposals, maxCommandBytes, maxAppliesPerTurn, maxWaitingSends, maxEffectsPerTurn } = tuning

  const observed = new Observed()
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

  const loop = (recovered: Recovered, opened: LoopStorage): Observable<Inspection> => {
    const initial = restart(id, settingsOf(tuning), recovered)
    observed.state$.next(initial)
    return raft(givenAway(initial), {
      scheduler,
      maxEffectsPerTurn,
      ...(step !== undefined && { step }),
      sinks,
      network,
      user: { incarnation: initial.incarnation, configuration$: observed.configuration$ },
      storage: { ...opened, maxWaitingSends, checkSnapshot: snapshots?.check },
      rejected: observed.onRejected,
    })
  }
  const { state$, rejected$, inspect$, onStep } = observed
  const completes = [state$, machine.apply$, machine.restore$, rejected$, inspect$]
  const lifecycle: Lifecycle = new Lifecycle({ storage, loop, onStep, completes })

  return {
    id,
    start: () => lifecycle.start(),
    kill: () => lifecycle.kill(),
    propose: (command) => clients.propose(codec.encode(command)),
    snapshot: (index, data) => {
      if (snapshots === undefined) throw new InvalidOption('snapshots', 'is needed for taking any, on every server of the cluster')
      return policy.offer(index, data)
    },
    ...views<C>({ observed, machine, codec, scheduler, metricsMs: tuning.metricsMs, clients, lifecycle }),
  }
}

/**
 * The state, once. It is not kept: a log that is held holds all that it shares with its successors, compacted or not.
 */
const givenAway = (server: Server): (() => Server) => {
  let kept: Server | null = server
  return () => {
    const given = kept!
    kept = null
    return given
  }
}

const checkedId = (id: string): NodeId => {
  const decoded = NodeId.decode(id)
  if (either.isLeft(decoded)) throw new InvalidOption('id', `must match [a-z0-9][a-z0-9._-]{0,63}, not ${JSON.stringify(id)}`)
  return decoded.right
}
