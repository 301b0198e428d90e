import type { Observer, SchedulerLike } from 'rxjs'
import { type NodeId, nodeId } from '../../src/raft/ids.js'
import { checkedStep } from '../../src/raft/invariants.js'
import { defaultSettings } from '../../src/raft/settings.js'
import { restart } from '../../src/raft/state/server.js'
import { InvalidOption } from '../options/invalidOption.js'
import { defaultClock } from '../server/options.js'
import { applied } from '../sinks/applied.js'
import { electionTimer } from '../sinks/electionTimer.js'
import { flush } from '../sinks/flush.js'
import { heartbeat } from '../sinks/heartbeat.js'
import { type Codec, json } from '../wire/codec.js'
import type { ApplyMsg } from './applyMsg.js'
import { LabServer } from './labServer.js'
import type { Persister } from './persister.js'
import { type PeerEnd, RequestResponse } from './requestResponse.js'
import type { Rf } from './rf.js'
import { LabStore } from './store.js'

export type { Rf } from './rf.js'

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
  const rpc = new RequestResponse(ids[me]!, ids, peers)
  const store = new LabStore(ids, persister)
  const machine = applied<C, undefined>({
    stateMachine: null, // the service is told through applyCh, and answers no proposer
    decode: (command) => codec.decode(command),
    scheduler,
    maxAppliesPerTurn,
    readSnapshot: (ref, size) => store.snapshots.read(ref, 0, size),
  })
  const sinks = [
    electionTimer({ timeoutMs: electionTimeoutMs, random, scheduler }),
    heartbeat({ heartbeatMs, scheduler }),
    flush({ commitNoticeMs, scheduler }),
    machine.sink,
  ]
  return new LabServer({
    initial: restart(ids[me]!, settings, store.recover()),
    rpc,
    store,
    machine,
    sinks,
    scheduler,
    step,
    codec,
    applyCh,
  })
}

/** A snapshot goes whole, as the lab sends it. */
const settings = { ...defaultSettings, leaderNoop: false, maxSnapshotChunkBytes: Number.MAX_SAFE_INTEGER }
const maxAppliesPerTurn = 4_096

/** The name inside of the peer at `place`: the lab knows its servers by number only. */
const idOf = (place: number): NodeId => nodeId(`s${place}`)
