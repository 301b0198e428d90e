import type { Observable } from 'rxjs'
import type { NodeId } from '../../src/raft/ids.js'
import type { Role } from '../../src/raft/state/role.js'
import type { Server } from '../../src/raft/state/server.js'
import type { Inspection } from '../loop/run.js'
import type { Rejected } from '../network/network.js'
import type { IterableObservable } from '../rx/iterable.js'
import type { Proposal } from '../sinks/proposal.js'
import type { SnapshotAnswer } from '../sinks/snapshotPolicy.js'
import type { ApplyMsg, Snapshot } from '../sinks/stateMachine.js'
import type { Metrics } from './metrics.js'
import type { StopReason } from './stopReason.js'

/**
 * One server of a cluster. Built by `createRaft`, it runs from `start()` to `close()` or `kill()`;
 * subscribing only watches. Its streams never fail: they complete when it stops, and `stopped$` says why.
 *
 * @example
 * server.start()
 * server.stopped$.subscribe(({ _tag }) => alarm(`stopped: ${_tag}`))
 * console.log(await server.propose(1).result()) // the state machine's answer
 * await firstValueFrom(server.close()) // { _tag: 'Closed' }
 */
export interface Raft<C = Uint8Array, R = unknown> {
  readonly id: NodeId
  /** Opens the storage and takes part. Does nothing if it was started before. */
  start(): void
  /**
   * Stops in good order: what is being written is finished and files are closed. Proposals that have
   * not ended are `Indeterminate`. Gives `stopped$`, which emits when all is closed.
   */
  close(): Observable<StopReason>
  /** Stops at once, as a crash would. */
  kill(): void
  /**
   * Offers a command, now and once; see `Proposal` for what is told of it. Anywhere but at the leader it
   * is refused with the leader's name.
   */
  propose(command: C): Proposal<R>
  /**
   * §7: `data` is the state of the state machine after the command at `index`, any that it was given: once it is on the
   * disk, the log forgets what it replaces. Says at once what becomes of it. May be called from within `apply$` and
   * from within the state machine. Needs the option `snapshots`, which may be `{}`.
   */
  snapshot(index: number, data: Uint8Array): SnapshotAnswer
  /**
   * The state, from when the storage was read; replays the last. `distinctUntilChanged()` on any part of it is cheap.
   */
  readonly state$: IterableObservable<Server>
  /** What it is: replays the last. */
  readonly role$: IterableObservable<Role['_tag']>
  /** Who leads, as far as it knows, null if it does not: replays the last. */
  readonly leader$: IterableObservable<NodeId | null>
  /** Every command as the state machine gets it; from now on (hot). Late comers use `applyFrom`. */
  readonly apply$: IterableObservable<ApplyMsg<C>>
  /**
   * Every command from `index` on as far as the log holds it, then `apply$`, without a gap. Begins later if the log
   * does.
   */
  applyFrom(index: number): IterableObservable<ApplyMsg<C>>
  /**
   * Every snapshot that the state machine begins with: at the start, and when a leader sent one (hot). The next of
   * `apply$` follows it.
   */
  readonly restore$: IterableObservable<Snapshot>
  /** What arrived and was not let in (hot). */
  readonly rejected$: IterableObservable<Rejected>
  /** Numbers, every `metricsMs` from subscription on (cold). */
  readonly metrics$: IterableObservable<Metrics>
  /** Every step (hot). Free when nobody watches. */
  readonly inspect$: IterableObservable<Inspection>
  /** Emits why it stopped, once, and completes: replays. */
  readonly stopped$: IterableObservable<StopReason>
}
