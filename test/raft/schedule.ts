import fc from 'fast-check'
import { logIndex, type NodeId, writeSeq } from '../../src/raft/ids.js'
import type { Settings } from '../../src/raft/settings.js'
import { type ClusterByHand, lastIndexOf } from '../../streams/testing/cluster.js'
import { comeToRest } from '../../streams/testing/settle.js'

/**
 * Something that may happen to a cluster; what cannot happen just then does not. `a`, `b` and `k` say to whom and how
 * much.
 */
export interface Move {
  readonly what: keyof typeof moves
  readonly a: number
  readonly b: number
  readonly k: number
}

const pick = <A>(from: ReadonlyArray<A>, n: number): A | undefined => from[n % from.length]
const links = (cluster: ClusterByHand): ReadonlyArray<readonly [NodeId, NodeId]> =>
  cluster.ids.flatMap((from) => cluster.ids.map((to) => [from, to] as const)).filter(([from, to]) => cluster.between(from, to).length > 0)
const running = (cluster: ClusterByHand): ReadonlyArray<NodeId> => cluster.ids.filter((id) => cluster.at(id).server !== null)
/** Mostly the oldest: networks reorder, but not always. */
const nth = (k: number, length: number): number => (k < 60 ? 1 : 1 + (k % length))

const onALink = (cluster: ClusterByHand, { a, b, k }: Move, act: (from: NodeId, to: NodeId, n: number) => void): void => {
  const link = pick(links(cluster), a + 7 * b)
  if (link !== undefined) act(...link, nth(k, cluster.between(...link).length))
}
const onAServer = (cluster: ClusterByHand, { a }: Move, act: (id: NodeId) => void): void => {
  const id = pick(running(cluster), a)
  if (id !== undefined) act(id)
}

const moves = {
  deliver: (cluster: ClusterByHand, move: Move) =>
    onALink(cluster, move, (from, to, n) => {
      const message = cluster.take(from, to, n)
      if (cluster.at(to).server !== null) cluster.happens(to, { _tag: 'Received', message })
    }),
  drop: (cluster: ClusterByHand, move: Move) => onALink(cluster, move, (from, to, n) => void cluster.take(from, to, n)),
  duplicate: (cluster: ClusterByHand, move: Move) =>
    onALink(cluster, move, (from, to, n) => void cluster.post(cluster.between(from, to)[n - 1]!)),
  persist: (cluster: ClusterByHand, move: Move) =>
    onAServer(cluster, move, (id) => {
      const { written, acknowledged } = cluster.server(id).writeProgress
      if (written > acknowledged) cluster.persist(id, writeSeq(acknowledged + 1 + (move.k % (written - acknowledged))))
    }),
  flush: (cluster: ClusterByHand, move: Move) => onAServer(cluster, move, (id) => void cluster.happens(id, { _tag: 'Flush' })),
  apply: (cluster: ClusterByHand, move: Move) =>
    onAServer(cluster, move, (id) => {
      const handServer = cluster.at(id)
      const [first, ...rest] = handServer.applying
      if (first === undefined) return
      handServer.applying = rest
      cluster.happens(id, { _tag: 'Applied', index: lastIndexOf(first) })
    }),
  /** Mostly of what was handed over last, sometimes of what the log begins after already or of what nobody has. */
  snapshot: (cluster: ClusterByHand, move: Move) =>
    onAServer(cluster, move, (id) => {
      const { applyingIndex } = cluster.server(id)
      cluster.takeSnapshot(id, logIndex(Math.max(0, applyingIndex - (move.k % 5) + (move.k > 95 ? 9 : 0))))
    }),
  store: (cluster: ClusterByHand, move: Move) =>
    onAServer(cluster, move, (id) => {
      if (cluster.at(id).snapshotWork.length > 0) cluster.store(id)
    }),
  propose: (cluster: ClusterByHand, move: Move) =>
    onAServer(cluster, move, (id) => {
      const leader = running(cluster).find((it) => cluster.server(it).role._tag === 'Leader') ?? id
      cluster.happens(move.k < 80 ? leader : id, {
        _tag: 'Proposed',
        request: move.k,
        commands: Array.from({ length: move.b }, (_, i) => Uint8Array.of(move.k, i)),
      })
    }),
  timeout: (cluster: ClusterByHand, move: Move) =>
    onAServer(
      cluster,
      move,
      (id) => void cluster.happens(id, { _tag: 'ElectionTimedOut', generation: cluster.at(id).electionTimer - (move.k < 90 ? 0 : 1) }),
    ),
  heartbeat: (cluster: ClusterByHand, move: Move) =>
    onAServer(
      cluster,
      move,
      (id) => void cluster.happens(id, { _tag: 'HeartbeatDue', generation: cluster.at(id).heartbeatTimer - (move.k < 90 ? 0 : 1) }),
    ),
  unreachable: (cluster: ClusterByHand, move: Move) =>
    onAServer(cluster, move, (id) => void cluster.happens(id, { _tag: 'Unreachable', peer: pick(cluster.ids, move.b)! })),
  crash: (cluster: ClusterByHand, move: Move) =>
    onAServer(cluster, move, (id) => cluster.crash(id, move.k % (cluster.at(id).unsynced.length + 1))),
  restart: (cluster: ClusterByHand, { a }: Move) => {
    const id = pick(
      cluster.ids.filter((it) => cluster.at(it).server === null),
      a,
    )
    if (id !== undefined) cluster.restart(id)
  },
  cut: (cluster: ClusterByHand, { a }: Move) => {
    const id = pick(cluster.ids, a)!
    cluster.cut(
      [id],
      cluster.ids.filter((other) => other !== id),
    )
  },
  heal: (cluster: ClusterByHand) => cluster.heal(),
  /** A while without faults: without it hardly anything would ever be committed. */
  calm: (cluster: ClusterByHand) => comeToRest(cluster),
} as const

const weights: Readonly<Record<keyof typeof moves, number>> = {
  deliver: 40,
  persist: 30,
  flush: 16,
  propose: 12,
  heartbeat: 6,
  duplicate: 8,
  apply: 6,
  snapshot: 4,
  store: 12,
  timeout: 4,
  restart: 5,
  heal: 4,
  calm: 4,
  drop: 3,
  crash: 2,
  cut: 2,
  unreachable: 1,
}

const move: fc.Arbitrary<Move> = fc.record({
  what: fc.oneof(...Object.entries(weights).map(([what, weight]) => ({ weight, arbitrary: fc.constant(what as keyof typeof moves) }))),
  a: fc.nat(6),
  b: fc.nat(4),
  k: fc.nat(99),
})

/** What happens to a cluster in a few seconds of bad luck. */
export const schedule = fc.array(move, { minLength: 100, maxLength: 400, size: 'max' })
/** A shorter one, for tests that need many. */
export const shortSchedule = fc.array(move, { minLength: 60, maxLength: 180, size: 'max' })

/** Bounds so narrow that they are met all the time. */
export const settings: fc.Arbitrary<Partial<Settings>> = fc.record(
  {
    leaderNoop: fc.boolean(),
    maxEntriesPerMessage: fc.integer({ min: 1, max: 4 }),
    maxBytesPerMessage: fc.integer({ min: 1, max: 9 }),
    maxInflightMessages: fc.integer({ min: 1, max: 4 }),
    maxInflightBytes: fc.integer({ min: 1, max: 9 }),
    maxUncommittedEntries: fc.integer({ min: 1, max: 9 }),
    maxUnapplied: fc.integer({ min: 1, max: 9 }),
    maxApplying: fc.integer({ min: 1, max: 9 }),
    maxSnapshotChunkBytes: fc.integer({ min: 1, max: 9 }),
    maxPendingWrites: fc.integer({ min: 1, max: 9 }),
    maxLogBytes: fc.constantFrom(4, 20, 1_000, 1_000, 1_000),
  },
  { requiredKeys: [] },
)

/** The cluster's next event, disk write, delivery or fault. */
export const play = (cluster: ClusterByHand, schedule: ReadonlyArray<Move>): void => {
  for (const moved of schedule) moves[moved.what](cluster, moved)
}

/** All faults end: everyone is up and can reach everyone. */
export const mend = (cluster: ClusterByHand): void => {
  cluster.heal()
  for (const id of cluster.ids) if (cluster.at(id).server === null) cluster.restart(id)
}

/** `SEED=…` repeats what a failure printed. */
export const seed = process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) }
