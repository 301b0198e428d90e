import { EMPTY, type Observable, type Observer, ReplaySubject, type SchedulerLike, Subject, takeUntil } from 'rxjs'
import { votersOnly } from '../../src/raft/state/configuration.js'
import type { Effect } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, type NodeId, nodeId } from '../../src/raft/ids.js'
import { checkedStep } from '../../src/raft/invariants.js'
import { restart, type Server } from '../../src/raft/state/server.js'
import { defaultSettings } from '../../src/raft/settings.js'
import { applied, type ApplyMsg as Command } from '../sinks/applied.js'
import { type Codec, json } from '../wire/codec.js'
import { electionTimer } from '../sinks/electionTimer.js'
import type { Rejected } from '../network/network.js'
import { InvalidOption } from '../options/invalidOption.js'
import { defaultClock } from '../server/options.js'
import { raft } from '../loop/raft.js'
import type { Inspection } from '../loop/run.js'
import { reasonOf, type StopReason } from '../server/stopReason.js'
import type { ApplyMsg } from './applyMsg.js'
import { flushing } from './flushing.js'
import { heartbeat } from '../sinks/heartbeat.js'
import type { Persister } from './persister.js'
import { RaftState } from './raftState.js'
import { type PeerEnd, RequestResponse } from './requestResponse.js'
import { LabSnapshots } from './snapshots.js'

export interface LabOptions<C = unknown> {
  /** Default: the real clock. */
  readonly scheduler?: SchedulerLike
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number
  /** The same on every server. Default: JSON. */
  readonly codec?: Codec<C>
  /** Quiet time after which a leader sends a heartbeat. Default 120: at most ten a second, as the lab asks. */
  readonly heartbeatMs?: number
  /** Both ends included. Default 400 to 800: a few heartbeats, and an election that fails leaves time for others within 5 s. */
  readonly electionTimeoutMs?: { readonly min: number; readonly max: number }
  /** How long the news of a commit waits for a command to ride with. Default 10: half of what the lab's tests wait between two looks. */
  readonly commitNoticeMs?: number
  /** What decides. Default `checkedStep`; a test may put a mistaken one in its place, to see that it is found. */
  readonly step?: typeof checkedStep
}

/** A Raft as the lab describes it: an object with five calls, all of which answer at once, inside `applyCh` and after `kill()` too. */
export interface Rf<C = unknown> {
  /**
   * Offers a command. `isLeader` says whether it was appended, at `index` in `term`; if it ever commits it is at that index.
   * Where it was not (no leader, too much under way, killed) `index` is -1, and offering it again is safe.
   */
  start(command: C): { readonly index: number; readonly term: number; readonly isLeader: boolean }
  /** The current term, and whether this server takes itself for its leader. */
  getState(): { readonly term: number; readonly isLeader: boolean }
  /**
   * The service's state after `index`, which it was given through `applyCh`: the log forgets what stands up to there. One that
   * is not newer than the last changes nothing. The bytes are kept, not copied.
   */
  snapshot(index: number, snapshot: Uint8Array): void
  /** Stops it as a crash would; `applyCh` completes. */
  kill(): void
  killed(): boolean
  /** What `applyCh` is given, for any number of others (hot). */
  readonly apply$: Observable<ApplyMsg<C>>
  /** Emits why it stopped, once, and completes: replays. */
  readonly stopped$: Observable<StopReason>
  /** What arrived and was not let in (hot). */
  readonly rejected$: Observable<Rejected>
  /** A peer's request, as its end was called with it. Act on it by subscribing; emits the reply's bytes, or completes without. */
  receive(request: Uint8Array): Observable<Uint8Array>
}

/**
 * A Raft server among `peers`, of which it is number `me` (its own end is never called); it runs at
 * once, from what `persister` holds. Throws `InvalidOption` or `UnreadableRaftState`.
 *
 * Without a no-op at the start of a term, so that the first command gets index 1; see
 * docs/decisions/0009 for what else differs from `createRaft`.
 *
 * @example
 * const network = labNetwork({ servers: 3, scheduler, random })
 * const servers = [0, 1, 2].map((me) => {
 *   const rf = make(network.ends(me), me, memoryPersister(), { next: console.log }, { scheduler, random })
 *   network.serve(me, (request) => rf.receive(request))
 *   return rf
 * })
 */
export const make = <C = unknown>(
  peers: ReadonlyArray<PeerEnd>,
  me: number,
  persister: Persister,
  applyCh: Partial<Observer<ApplyMsg<C>>>,
  options: LabOptions<C> = {},
): Rf<C> => {
  const { scheduler = defaultClock, random = Math.random, codec = json<C>(), step = checkedStep } = options
  const { heartbeatMs = 120, electionTimeoutMs = { min: 400, max: 800 }, commitNoticeMs = 10 } = options
  if (peers[me] === undefined) throw new InvalidOption('me', `must be the place of one of the ${peers.length} peers, not ${me}`)
  if (!(heartbeatMs > 0 && heartbeatMs < electionTimeoutMs.min && electionTimeoutMs.min <= electionTimeoutMs.max))
    throw new InvalidOption('heartbeatMs', 'must be above 0 and below electionTimeoutMs.min, which must not exceed its max')

  const ids = peers.map((_, place) => idOf(place))
  const raftState = new RaftState(ids, persister.readRaftState())
  const snapshots = new LabSnapshots(persister)
  const recovered = raftState.recovered(votersOnly(ids), snapshots.current.length)
  let server: Server = restart(ids[me]!, settings, recovered)
  /** What the last proposal's own step led to; others follow it within the same call. */
  let proposed: ReadonlyArray<Effect> = []

  /** Of the snapshot that was handed over last. */
  let restoredTerm = recovered.log.base.term

  const client$ = new Subject<RaftEvent>()
  const apply$ = new Subject<ApplyMsg<C>>()
  const rejected$ = new Subject<Rejected>()
  const stopped$ = new ReplaySubject<StopReason>(1)
  const halt$ = new Subject<void>()
  let running = true
  apply$.subscribe(applyCh)

  const stop = (reason: StopReason): void => {
    if (!running) return
    running = false
    halt$.next()
    for (const subject of [client$, apply$, rejected$]) subject.complete()
    stopped$.next(reason)
    stopped$.complete()
  }

  const rpc = new RequestResponse(ids[me]!, ids, peers)
  raft(server, {
    scheduler,
    step,
    network: rpc.network,
    storage: {
      maxWaitingSends,
      write: (batch) => {
        for (const { write } of batch) {
          raftState.write(write)
          if (write.snapshot !== null) snapshots.pointTo(write.snapshot)
        }
        persister.save(raftState.view(), snapshots.current)
        return EMPTY
      },
      snapshots: snapshots.storage,
    },
    maxEffectsPerTurn,
    rejected: (what) => rejected$.next(what),
    sinks: [
      electionTimer({ timeoutMs: electionTimeoutMs, random, scheduler }),
      heartbeat({ heartbeatMs, scheduler }),
      flushing({ urgent: () => hasToSend(server), commitNoticeMs, scheduler }),
      () => client$,
      applied<C, undefined>({
        stateMachine: null, // the service is told through applyCh, and answers nobody
        decode: (command) => codec.decode(command),
        scheduler,
        maxAppliesPerTurn,
        settle: () => undefined,
        tap: (index, term, command) => apply$.next(commandMsg({ index, term, command })),
        snapshots: {
          awaited: recovered.snapshot !== null,
          read: (ref, size) => snapshots.storage.read(ref, 0, size),
          tap: ({ index, data }) => {
            // What the service has read from the persister itself, before it called `make`.
            if (index > recovered.log.base.index) apply$.next(snapshotMsg(index, restoredTerm, data))
          },
        },
      }),
    ],
  })
    .pipe(takeUntil(halt$))
    .subscribe({
      next: (inspection: Inspection) => {
        server = inspection.after
        for (const effect of inspection.effects) if (effect._tag === 'Restore') restoredTerm = effect.base.term
        if (inspection.event._tag === 'Proposed') proposed = inspection.effects
      },
      error: (error: unknown) => stop(reasonOf(error)),
    })

  return {
    start: (command) => {
      const refused = { index: -1, term: server.currentTerm, isLeader: false }
      // Whoever asks all servers until one accepts asks many who do not.
      if (!running || server.role._tag !== 'Leader') return refused
      proposed = []
      // The step is taken within the call, whatever is under way.
      client$.next({ _tag: 'Proposed', request: 0, commands: [codec.encode(command)] })
      for (const effect of proposed) {
        if (effect._tag === 'Appended') return { index: effect.firstIndex, term: effect.term, isLeader: true }
      }
      return refused
    },
    getState: () => ({ term: server.currentTerm, isLeader: running && server.role._tag === 'Leader' }),
    snapshot: (index, snapshot) => client$.next({ _tag: 'SnapshotTaken', index: logIndex(index), data: snapshot }),
    kill: () => stop({ _tag: 'Killed' }),
    killed: () => !running,
    apply$: apply$.asObservable(),
    stopped$: stopped$.asObservable(),
    rejected$: rejected$.asObservable(),
    receive: (request) => rpc.receive(request),
  }
}

/** A snapshot goes whole, as the lab sends it. */
const settings = { ...defaultSettings, leaderNoop: false, maxSnapshotChunkBytes: Number.MAX_SAFE_INTEGER }
const maxWaitingSends = 4_096
const maxEffectsPerTurn = 1_024
const maxAppliesPerTurn = 4_096

/** Whether a leader can send something that is more than the news of a commit. */
const hasToSend = ({ role, log }: Server): boolean =>
  role._tag === 'Leader' &&
  role.followers.some(({ flow, inflight, nextIndex }) => (flow === 'Probe' ? inflight.length === 0 : nextIndex <= log.lastIndex))

/** The name inside of the peer at `place`: the lab knows its servers by number only. */
const idOf = (place: number): NodeId => nodeId(`s${place}`)

const commandMsg = <C>({ index, command }: Command<C>): ApplyMsg<C> => ({
  commandValid: true,
  snapshotValid: false,
  command,
  commandIndex: index,
})

const snapshotMsg = (snapshotIndex: number, snapshotTerm: number, snapshot: Uint8Array): ApplyMsg<never> => ({
  commandValid: false,
  snapshotValid: true,
  snapshot,
  snapshotTerm,
  snapshotIndex,
})
