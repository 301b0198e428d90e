import { votersOnly } from '../../src/raft/state/configuration.js'
import type { Apply, Effect, Restore } from '../../src/raft/effect.js'
import { InvariantViolation } from '../../src/raft/error.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { byCodeUnit, logIndex, type LogIndex, type NodeId, nodeId, term, type WriteSeq } from '../../src/raft/ids.js'
import { checkedStep } from '../../src/raft/invariants.js'
import { logFrom } from '../../src/raft/state/log.js'
import type { Message } from '../../src/raft/messages.js'
import { printEffect, printEvent, printMessage } from '../../src/raft/print.js'
import { fresh, type Recovered, restart, type Server } from '../../src/raft/state/server.js'
import { defaultSettings, type Settings } from '../../src/raft/settings.js'
import type { Step } from '../../src/raft/step.js'
import { type DiskRecord, isOnDisk, recordsOf, written } from './disk.js'
import { HandNetwork } from './handNetwork.js'
import { discard, down, type HandServer } from './handServer.js'
import { watch } from './properties.js'

/**
 * The options of `ClusterByHand`.
 *
 * @example
 * const options: ClusterOptions = { size: 5, settings: { leaderNoop: false }, step: immerStep }
 * new ClusterByHand(options).ids // ['n1', 'n2', 'n3', 'n4', 'n5']
 */
export interface ClusterOptions {
  /** Servers n1, n2, …; all vote. */
  readonly size: number
  readonly settings?: Partial<Settings>
  /** What a server does with an event. Default `checkedStep`. */
  readonly step?: typeof checkedStep
}

/**
 * A cluster in which nothing happens by itself: every timeout, delivery, write and crash is a call.
 * The servers run the real `step`. After every call the invariants of each server and the properties
 * of the cluster are checked: `InvariantViolation` is thrown if one does not hold.
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
  private readonly servers: ReadonlyMap<NodeId, HandServer>
  private readonly network = new HandNetwork()
  private readonly watch = watch()
  private requests = 0

  constructor({ size, settings = {}, step = checkedStep }: ClusterOptions) {
    this.step = step
    this.settings = { ...defaultSettings, ...settings }
    this.ids = Array.from({ length: size }, (_, i) => nodeId(`n${i + 1}`)).sort(byCodeUnit)
    const empty = fresh(logFrom({ index: logIndex(0), term: term(0), configuration: votersOnly(this.ids) }))
    this.servers = new Map(this.ids.map((id) => [id, down(id, empty)]))
    for (const id of this.ids) this.restart(id)
  }

  /** The server of that name. */
  at(id: NodeId): HandServer {
    const handServer = this.servers.get(id)
    if (handServer === undefined) throw new Error(`there is no server ${id}: the servers are ${this.ids.join(' ')}`)
    return handServer
  }

  /** The server at `id`, which must be running. */
  server(id: NodeId): Server {
    const { server } = this.at(id)
    if (server === null) throw new Error(`${id} is down: restart it first`)
    return server
  }

  /** Steps the server at `id`. Of its effects it carries out what needs no further call. */
  happens(id: NodeId, event: RaftEvent): Step {
    const handServer = this.at(id)
    const stepped = this.step(this.server(id), event, 0)
    handServer.server = stepped.server
    for (const effect of stepped.effects) this.perform(handServer, effect)
    this.check(printEvent(event))
    return stepped
  }

  /** A number that no batch of commands had before. */
  nextRequest(): number {
    return ++this.requests
  }

  /** Messages under way, oldest first. */
  between(from: NodeId, to: NodeId): ReadonlyArray<Message> {
    return this.network.between(from, to)
  }

  /** Takes the n-th oldest message off its link. */
  take(from: NodeId, to: NodeId, n = 1): Message {
    return this.network.take(from, to, n)
  }

  /** Puts a message on its link, as the youngest; false if the link is cut. */
  post(message: Message): boolean {
    return this.network.post(message)
  }

  /** Cuts all links between the two groups. Messages under way on them are lost. */
  cut(some: ReadonlyArray<NodeId>, others: ReadonlyArray<NodeId>): void {
    this.network.cut(some, others)
  }

  /** Mends all links. */
  heal(): void {
    this.network.heal()
  }

  /** Whether nothing passes from one to the other. */
  isCut(from: NodeId, to: NodeId): boolean {
    return this.network.isCut(from, to)
  }

  /**
   * The disk has done every write up to `seq`, by default all of them: messages that waited are sent, and the server is
   * told.
   */
  persist(
    id: NodeId,
    seq: WriteSeq = this.server(id).writeProgress.written,
  ): { readonly step: Step; readonly released: ReadonlyArray<Message> } {
    const handServer = this.at(id)
    this.sync(handServer, (record) => record.seq <= seq)
    const free = handServer.waiting.filter(({ after }) => after! <= seq)
    handServer.waiting = handServer.waiting.filter(({ after }) => after! > seq)
    const released = free.flatMap((effect) => (effect._tag === 'Send' ? [effect.message] : []))
    for (const effect of free) {
      if (effect._tag === 'Send') this.leave(handServer, effect.message)
      else discard(handServer, effect)
    }
    return { step: this.happens(id, { _tag: 'Persisted', seq }), released }
  }

  /** The disk does the next thing it has to do about snapshots: stores a piece, or reads a chunk. */
  store(id: NodeId): Step {
    const handServer = this.at(id)
    const [work, ...rest] = handServer.snapshotWork
    if (work === undefined) throw new Error(`the disk of ${id} has nothing to do about snapshots`)
    handServer.snapshotWork = rest
    const { ref, offset } = work
    if (work._tag === 'ReadChunk') {
      const data = handServer.snapshots.get(ref)!.slice(offset, offset + work.maxBytes)
      return this.happens(id, { _tag: 'ChunkRead', peer: work.peer, ref, offset, data })
    }
    const whole = Uint8Array.of(...(offset === 0 ? [] : handServer.snapshots.get(ref)!), ...work.data)
    handServer.snapshots = new Map(handServer.snapshots).set(ref, whole)
    return this.happens(
      id,
      work.last ? { _tag: 'SnapshotStored', ref, size: whole.length } : { _tag: 'ChunkStored', ref, offset: whole.length },
    )
  }

  /** The state machine at `id` gives its state after `index`: all commands that it was handed up to there. */
  takeSnapshot(id: NodeId, index: LogIndex): Step {
    return this.happens(id, { _tag: 'SnapshotTaken', index, data: this.watch.stateAfter(index) })
  }

  /**
   * The server crashes, and loses everything that is not on its disk. Of the records that were not acknowledged the
   * first `survive` are on disk all the same.
   */
  crash(id: NodeId, survive = 0): void {
    this.server(id)
    const handServer = this.at(id)
    const survivors = new Set(handServer.unsynced.slice(0, survive))
    this.sync(handServer, (record) => survivors.has(record))
    Object.assign(handServer, down(id, handServer.disk, handServer.snapshots))
    this.check(`${id} crashes`)
  }

  /** The server starts again, from its disk or from what is given. */
  restart(id: NodeId, recovered: Recovered = this.at(id).disk): Step {
    const handServer = this.at(id)
    if (handServer.server !== null) throw new Error(`${id} is running: crash it first`)
    const server = restart(id, this.settings, recovered)
    const { snapshot } = recovered
    const kept = new Map([...handServer.snapshots].filter(([ref]) => ref === snapshot?.ref))
    Object.assign(handServer, down(id, recovered, kept), { server })
    this.watch.restarted(id, snapshot === null ? recovered.log.base.index : logIndex(0))
    return this.happens(id, { _tag: 'Started' })
  }

  private perform(handServer: HandServer, effect: Effect): void {
    switch (effect._tag) {
      case 'Persist':
        handServer.unsynced = [...handServer.unsynced, ...recordsOf(effect)]
        return
      case 'Send':
        if (effect.after !== null && effect.after > handServer.server!.writeProgress.acknowledged)
          handServer.waiting = [...handServer.waiting, effect]
        else this.leave(handServer, effect.message)
        return
      case 'Apply':
        this.watch.applying(handServer.server!, effect)
        handServer.applying = [...handServer.applying, effect]
        return
      case 'Restore':
        this.watch.restoring(handServer.id, effect, handServer.snapshots.get(effect.snapshot.ref))
        handServer.applying = [...handServer.applying, effect]
        return
      case 'StoreSnapshot':
      case 'ReadChunk':
        handServer.snapshotWork = [...handServer.snapshotWork, effect]
        return
      case 'DiscardSnapshots':
        if (effect.after !== null && effect.after > handServer.server!.writeProgress.acknowledged)
          handServer.waiting = [...handServer.waiting, effect]
        else discard(handServer, effect)
        return
      case 'Ignored':
        // All servers here are members: a message that one of them does not believe is a mistake of another.
        throw new InvariantViolation('every message of a server is believed', printEffect(effect))
      case 'ArmElectionTimer':
        handServer.electionTimer = effect.generation
        return
      case 'ArmHeartbeat':
        handServer.heartbeatTimer = effect.generation
        return
      case 'ScheduleFlush':
        handServer.flushDue = true
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

  private sync(handServer: HandServer, isDone: (record: DiskRecord) => boolean): void {
    handServer.disk = handServer.unsynced.filter(isDone).reduce(written, handServer.disk)
    handServer.unsynced = handServer.unsynced.filter((record) => !isDone(record))
  }

  private check(move: string): void {
    this.watch.check(
      this.ids.map((id) => this.at(id)),
      move,
    )
  }
}

/**
 * The last index for which a state machine answers.
 *
 * @example
 * lastIndexOf({ _tag: 'Apply', firstIndex: logIndex(4), entries: [noopEntry(term(2)), noopEntry(term(2))] }) // 5
 */
export const lastIndexOf = (effect: Apply | Restore): LogIndex =>
  effect._tag === 'Restore' ? effect.base.index : logIndex(effect.firstIndex + effect.entries.length - 1)
