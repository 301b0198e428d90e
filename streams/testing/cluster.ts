import { votersOnly } from '../../src/raft/state/configuration.js'
import type { Apply, DiscardSnapshots, Effect, ReadChunk, Restore, Send, StoreSnapshot } from '../../src/raft/effect.js'
import { InvariantViolation } from '../../src/raft/error.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { byCodeUnit, logIndex, type LogIndex, type NodeId, nodeId, type SnapshotRef, term, type WriteSeq } from '../../src/raft/ids.js'
import { checkedStep } from '../../src/raft/invariants.js'
import { logFrom } from '../../src/raft/state/log.js'
import type { Message } from '../../src/raft/messages.js'
import { printEffect, printEvent, printMessage } from '../../src/raft/print.js'
import { fresh, type Recovered, restart, type Server } from '../../src/raft/state/server.js'
import { defaultSettings, type Settings } from '../../src/raft/settings.js'
import type { Step } from '../../src/raft/step.js'
import { type DiskRecord, isOnDisk, recordsOf, written } from './disk.js'
import { watch } from './properties.js'

/** A server of a cluster by hand, with all that is around it. */
export interface HandServer {
  readonly id: NodeId
  /** Null while it is down. */
  server: Server | null
  /** What is on its disk for certain. */
  disk: Recovered
  /** Written and not acknowledged. */
  unsynced: ReadonlyArray<DiskRecord>
  /** What waits for a write. */
  waiting: ReadonlyArray<Send | DiscardSnapshots>
  /** Snapshots on its disk, those that are there in part included. */
  snapshots: ReadonlyMap<SnapshotRef, Uint8Array>
  /** What its disk has yet to do about snapshots, in order; see `store`. */
  snapshotWork: ReadonlyArray<StoreSnapshot | ReadChunk>
  /** Handed to the state machine, which has not answered. */
  applying: ReadonlyArray<Apply | Restore>
  flushDue: boolean
  /** Its disk does nothing unless told by `persist`, even where everything else happens by itself (settle.ts). */
  slowDisk: boolean
  electionTimer: number
  heartbeatTimer: number
}

/** The options of a `ClusterByHand`. */
export interface ClusterOptions {
  /** Servers n1, n2, …; all vote. */
  readonly size: number
  readonly settings?: Partial<Settings>
  /** What a server does with an event; `checkedStep` unless told otherwise. */
  readonly step?: typeof checkedStep
}

/**
 * A cluster in which nothing happens by itself: every timeout, delivery, write and crash is a call.
 * The servers are the real `step`; after every one, the invariants of each server and the properties
 * of the cluster are checked, and `InvariantViolation` is thrown where one does not hold.
 *
 * @example
 * const cluster = new ClusterByHand({ size: 3 })
 * cluster.happens(nodeId('n1'), { _tag: 'ElectionTimedOut', generation: 1 })
 * cluster.persist(nodeId('n1'))
 * cluster.between(nodeId('n1'), nodeId('n2')) // [RequestVote]
 */
export class ClusterByHand {
  readonly ids: ReadonlyArray<NodeId>
  private readonly settings: Settings
  private readonly step: typeof checkedStep
  private readonly places: ReadonlyMap<NodeId, HandServer>
  private readonly links = new Map<string, ReadonlyArray<Message>>()
  private readonly cuts = new Set<string>()
  private readonly watch = watch()
  private requests = 0

  constructor({ size, settings = {}, step = checkedStep }: ClusterOptions) {
    this.step = step
    this.settings = { ...defaultSettings, ...settings }
    this.ids = Array.from({ length: size }, (_, i) => nodeId(`n${i + 1}`)).sort(byCodeUnit)
    const empty = fresh(logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly(this.ids) }))
    this.places = new Map(this.ids.map((id) => [id, down(id, empty)]))
    for (const id of this.ids) this.restart(id)
  }

  /** The server of that name. */
  at(id: NodeId): HandServer {
    const place = this.places.get(id)
    if (place === undefined) throw new Error(`there is no server ${id}: the servers are ${this.ids.join(' ')}`)
    return place
  }

  /** The server at `id`, which must be running. */
  server(id: NodeId): Server {
    const { server } = this.at(id)
    if (server === null) throw new Error(`${id} is down: restart it first`)
    return server
  }

  /** Steps the server at `id`, and does what its effects say as far as it needs no hand. */
  happens(id: NodeId, event: RaftEvent): Step {
    const place = this.at(id)
    const stepped = this.step(this.server(id), event, 0)
    place.server = stepped.server
    for (const effect of stepped.effects) this.perform(place, effect)
    this.check(printEvent(event))
    return stepped
  }

  /** A number that no batch of commands had before. */
  nextRequest(): number {
    return ++this.requests
  }

  /** Messages under way, oldest first. */
  between(from: NodeId, to: NodeId): ReadonlyArray<Message> {
    return this.links.get(link(from, to)) ?? []
  }

  /** Takes the n-th oldest message off its way. */
  take(from: NodeId, to: NodeId, n = 1): Message {
    const messages = this.between(from, to)
    const message = messages[n - 1]
    if (message === undefined) throw new Error(`${messages.length} messages are under way from ${from} to ${to}: there is no #${n}`)
    this.links.set(
      link(from, to),
      messages.filter((_, i) => i !== n - 1),
    )
    return message
  }

  /** Puts a message on its way, as the youngest; false if the line is cut. */
  post(message: Message): boolean {
    const { from, to } = message
    if (this.isCut(from, to)) return false
    this.links.set(link(from, to), [...this.between(from, to), message])
    return true
  }

  /** The disk has done every write up to `seq`, by default all of them: what waited for them leaves and the server is told. */
  persist(
    id: NodeId,
    seq: WriteSeq = this.server(id).writeProgress.written,
  ): { readonly step: Step; readonly released: ReadonlyArray<Message> } {
    const place = this.at(id)
    this.sync(place, (record) => record.seq <= seq)
    const free = place.waiting.filter(({ after }) => after! <= seq)
    place.waiting = place.waiting.filter(({ after }) => after! > seq)
    const released = free.flatMap((effect) => (effect._tag === 'Send' ? [effect.message] : []))
    for (const effect of free) {
      if (effect._tag === 'Send') this.leave(place, effect.message)
      else discard(place, effect)
    }
    return { step: this.happens(id, { _tag: 'Persisted', seq }), released }
  }

  /** The disk does the next thing it has to do about snapshots: stores a piece, or reads a chunk. */
  store(id: NodeId): Step {
    const place = this.at(id)
    const [work, ...rest] = place.snapshotWork
    if (work === undefined) throw new Error(`the disk of ${id} has nothing to do about snapshots`)
    place.snapshotWork = rest
    const { ref, offset } = work
    if (work._tag === 'ReadChunk') {
      const data = place.snapshots.get(ref)!.slice(offset, offset + work.maxBytes)
      return this.happens(id, { _tag: 'ChunkRead', peer: work.peer, ref, offset, data })
    }
    const whole = Uint8Array.of(...(offset === 0 ? [] : place.snapshots.get(ref)!), ...work.data)
    place.snapshots = new Map(place.snapshots).set(ref, whole)
    return this.happens(
      id,
      work.last ? { _tag: 'SnapshotStored', ref, size: whole.length } : { _tag: 'ChunkStored', ref, offset: whole.length },
    )
  }

  /** The state machine at `id` gives its state after `index`: all commands that it was handed up to there. */
  takeSnapshot(id: NodeId, index: LogIndex): Step {
    return this.happens(id, { _tag: 'SnapshotTaken', index, data: this.watch.stateAfter(index) })
  }

  /** The server is gone, with all that waited and was not on disk. Of what was not acknowledged the first `survive` records are on disk all the same. */
  crash(id: NodeId, survive = 0): void {
    this.server(id)
    const place = this.at(id)
    const survivors = new Set(place.unsynced.slice(0, survive))
    this.sync(place, (record) => survivors.has(record))
    Object.assign(place, down(id, place.disk, place.snapshots))
    this.check(`${id} crashes`)
  }

  /** The server starts anew, from its disk or from what is given. */
  restart(id: NodeId, recovered: Recovered = this.at(id).disk): Step {
    const place = this.at(id)
    if (place.server !== null) throw new Error(`${id} is running: crash it first`)
    const server = restart(id, this.settings, recovered)
    const { snapshot } = recovered
    const kept = new Map([...place.snapshots].filter(([ref]) => ref === snapshot?.ref))
    Object.assign(place, down(id, recovered, kept), { server })
    this.watch.restarted(id, snapshot === null ? recovered.log.base.index : logIndex(0))
    return this.happens(id, { _tag: 'Started' })
  }

  /** Nothing passes between the two groups any more, nor arrives of what is under way. */
  cut(some: ReadonlyArray<NodeId>, others: ReadonlyArray<NodeId>): void {
    for (const [from, to] of [...pairs(some, others), ...pairs(others, some)]) {
      this.cuts.add(link(from, to))
      this.links.delete(link(from, to))
    }
  }

  /** Takes back every cut. */
  heal(): void {
    this.cuts.clear()
  }

  /** Whether nothing passes between the two. */
  isCut(from: NodeId, to: NodeId): boolean {
    return this.cuts.has(link(from, to))
  }

  private perform(place: HandServer, effect: Effect): void {
    switch (effect._tag) {
      case 'Persist':
        place.unsynced = [...place.unsynced, ...recordsOf(effect)]
        return
      case 'Send':
        if (effect.after !== null && effect.after > place.server!.writeProgress.acknowledged) place.waiting = [...place.waiting, effect]
        else this.leave(place, effect.message)
        return
      case 'Apply':
        this.watch.applying(place.server!, effect)
        place.applying = [...place.applying, effect]
        return
      case 'Restore':
        this.watch.restoring(place.id, effect, place.snapshots.get(effect.snapshot.ref))
        place.applying = [...place.applying, effect]
        return
      case 'StoreSnapshot':
      case 'ReadChunk':
        place.snapshotWork = [...place.snapshotWork, effect]
        return
      case 'DiscardSnapshots':
        if (effect.after !== null && effect.after > place.server!.writeProgress.acknowledged) place.waiting = [...place.waiting, effect]
        else discard(place, effect)
        return
      case 'Ignored':
        // Nobody is a stranger here: what one server does not believe is a mistake of another.
        throw new InvariantViolation('every message of a server is believed', printEffect(effect))
      case 'ArmElectionTimer':
        place.electionTimer = effect.generation
        return
      case 'ArmHeartbeat':
        place.heartbeatTimer = effect.generation
        return
      case 'ScheduleFlush':
        place.flushDue = true
        return
      case 'Appended':
      case 'Refused':
        return
    }
  }

  private leave({ disk, server }: HandServer, message: Message): void {
    if (!isOnDisk(message, disk, server!))
      throw new InvariantViolation('nothing is promised before it is on disk (Figure 2)', printMessage(message))
    this.post(message)
  }

  private sync(place: HandServer, isDone: (record: DiskRecord) => boolean): void {
    place.disk = place.unsynced.filter(isDone).reduce(written, place.disk)
    place.unsynced = place.unsynced.filter((record) => !isDone(record))
  }

  private check(move: string): void {
    this.watch.check(
      this.ids.map((id) => this.at(id)),
      move,
    )
  }
}

/** The last index for which a state machine answers. */
export const lastIndexOf = (effect: Apply | Restore): LogIndex =>
  effect._tag === 'Restore' ? effect.base.index : logIndex(effect.firstIndex + effect.entries.length - 1)

/** Nobody refers to these any more: what was still to be done about them is not done. */
const discard = (place: HandServer, { refs }: DiscardSnapshots): void => {
  place.snapshots = new Map([...place.snapshots].filter(([ref]) => !refs.includes(ref)))
  place.snapshotWork = place.snapshotWork.filter(({ ref }) => !refs.includes(ref))
}

const link = (from: NodeId, to: NodeId): string => `${from}→${to}`

const pairs = (some: ReadonlyArray<NodeId>, others: ReadonlyArray<NodeId>): ReadonlyArray<readonly [NodeId, NodeId]> =>
  some.flatMap((a) => others.map((b) => [a, b] as const))

const down = (id: NodeId, disk: Recovered, snapshots: HandServer['snapshots'] = new Map()): HandServer => ({
  id,
  disk,
  server: null,
  unsynced: [],
  waiting: [],
  snapshots,
  snapshotWork: [],
  applying: [],
  flushDue: false,
  slowDisk: false,
  electionTimer: 0,
  heartbeatTimer: 0,
})
