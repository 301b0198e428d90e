import { type Apply, type Effect, type Send } from '../../../src/raft/effect.js'
import { InvariantViolation } from '../../../src/raft/error.js'
import type { RaftEvent } from '../../../src/raft/event.js'
import { after, type LogIndex, logIndex, writeSeq } from '../../../src/raft/ids.js'
import type { checkedStep } from '../../../src/raft/invariants.js'
import type { Message } from '../../../src/raft/messages.js'
import { printEffect, printMessage } from '../../../src/raft/print.js'
import { type Recovered, restart, type Server } from '../../../src/raft/state/server.js'
import { type DiskRecord, isOnDisk, recordsOf, written } from '../disk.js'
import { placeOfSeq, withSeq } from './messages.js'
import { canonical, type Site } from './site.js'

/** What may happen at one site. */
export type SiteEvent =
  | { readonly _tag: 'Happens'; readonly event: RaftEvent }
  /** The disk has done the first `count` writes that were not acknowledged. */
  | { readonly _tag: 'Persists'; readonly count: number }
  /**
   * It crashes and starts again. The first `survive` records that were not acknowledged are on its disk.
   */
  | { readonly _tag: 'Crashes'; readonly survive: number }

/** What a site does with an event, and what it sends. It depends on values only, so equal ones need to be done once. */
export interface SiteStep {
  readonly site: Site
  readonly sent: ReadonlyArray<Message>
  /** As `site`, with the numbers of requests as they were given out. */
  readonly server: Server
}

export interface SiteOptions {
  readonly step: typeof checkedStep
  /**
   * A turn of the loop may hold several events, so that `Flush` is an event that may come late. Otherwise each event is
   * a turn of its own.
   */
  readonly longTurns: boolean
  /** How many heartbeats without an answer are told apart (`silencesOf`). */
  readonly silences: number
}

/**
 * Does one event at a site. The state machine answers at once; all else that is done by hand in cluster.ts is an event
 * here.
 */
export const stepSite = (site: Site, event: SiteEvent, options: SiteOptions): SiteStep => {
  const turn = new SiteTurn(site, options)
  switch (event._tag) {
    case 'Happens':
      turn.take(event.event)
      break
    case 'Persists':
      turn.persist(event.count)
      break
    case 'Crashes':
      turn.crash(event.survive)
      break
  }
  turn.end()
  const { server, disk, unsynced, waiting, flushDue, sent } = turn
  return {
    site: canonical({ server, disk, unsynced, waiting, flushDue }, options.silences),
    sent: sent.map(({ message }) => numbered(message, server, event)),
    server,
  }
}

/** One turn of a site: its server and its disk, while they do an event. */
class SiteTurn {
  server: Server
  disk: Recovered
  unsynced: ReadonlyArray<DiskRecord>
  waiting: ReadonlyArray<Send>
  flushDue: boolean
  readonly sent: Send[] = []
  /** The last index that the state machine was given in this run. */
  private given: LogIndex

  constructor(
    { server, disk, unsynced, waiting, flushDue }: Site,
    private readonly options: SiteOptions,
  ) {
    this.server = server
    this.disk = disk
    this.unsynced = unsynced
    this.waiting = waiting
    this.flushDue = flushDue
    this.given = server.applyingIndex
  }

  take(event: RaftEvent): void {
    if (event._tag === 'Flush') this.flushDue = false
    this.happens(event)
  }

  /** The disk has done the first `count` writes that were not acknowledged. */
  persist(count: number): void {
    const seq = writeSeq(this.server.writeProgress.acknowledged + count)
    this.disk = this.unsynced.filter((record) => record.seq <= seq).reduce(written, this.disk)
    this.unsynced = this.unsynced.filter((record) => record.seq > seq)
    const free = this.waiting.filter((send) => send.after! <= seq)
    this.waiting = this.waiting.filter((send) => send.after! > seq)
    for (const send of free) this.leave(send)
    this.happens({ _tag: 'Persisted', seq })
  }

  /** The server crashes and starts again. The first `survive` records that were not acknowledged are on its disk. */
  crash(survive: number): void {
    const { id, settings } = this.server
    this.disk = this.unsynced.slice(0, survive).reduce(written, this.disk)
    this.server = restart(id, settings, this.disk)
    this.unsynced = []
    this.waiting = []
    this.flushDue = false
    this.given = this.server.applyingIndex
    this.happens({ _tag: 'Started' })
  }

  /** The turn ends with a flush, unless turns may hold several events. */
  end(): void {
    if (!this.flushDue || this.options.longTurns) return
    this.flushDue = false
    this.happens({ _tag: 'Flush' })
  }

  private happens(event: RaftEvent): void {
    const stepped = this.options.step(this.server, event, 0)
    this.server = stepped.server
    for (const effect of stepped.effects) this.perform(effect)
  }

  private perform(effect: Effect): void {
    switch (effect._tag) {
      case 'Persist':
        this.unsynced = [...this.unsynced, ...recordsOf(effect)]
        return
      case 'Send':
        if (effect.after !== null && effect.after > this.server.writeProgress.acknowledged) this.waiting = [...this.waiting, effect]
        else this.leave(effect)
        return
      case 'Apply':
        checkApply(this.given, this.server, effect)
        this.given = logIndex(effect.firstIndex + effect.entries.length - 1)
        this.happens({ _tag: 'Applied', index: this.given })
        return
      case 'ScheduleFlush':
        this.flushDue = true
        return
      case 'ArmElectionTimer':
      case 'ArmHeartbeat':
      case 'Appended':
      case 'Refused':
        return
      case 'Ignored':
        throw new InvariantViolation('every message of a server is believed', printEffect(effect))
      case 'Restore':
      case 'StoreSnapshot':
      case 'ReadChunk':
      case 'DiscardSnapshots':
        throw new Error(`the search takes no snapshots: ${effect._tag}`)
    }
  }

  private leave(send: Send): void {
    if (!isOnDisk(send.message, this.disk, this.server))
      throw new InvariantViolation('nothing is promised before it is on disk (Figure 2)', printMessage(send.message))
    this.sent.push(send)
  }
}

/**
 * A message with the number that it has in the search: a request the place among those which its
 * leader counts as unanswered. A refusal that only tells of a newer term answers nothing in that term: 0.
 */
const numbered = (message: Message, sender: Server, event: SiteEvent): Message => {
  if (message._tag === 'AppendEntries') return withSeq(message, placeOfSeq(message, sender))
  const asked = event._tag === 'Happens' && event.event._tag === 'Received' ? event.event.message : message
  return message._tag === 'AppendEntriesReply' && message.term !== asked.term ? withSeq(message, 0) : message
}

/**
 * Committed entries are applied in order, each once per run. With "what one server knows to be committed, no other
 * server knows otherwise" this is State Machine Safety.
 */
const checkApply = (given: LogIndex, { id, log, commitIndex }: Server, { firstIndex, entries }: Apply): void => {
  const last = logIndex(firstIndex + entries.length - 1)
  let inOrder = firstIndex > given && last <= commitIndex
  for (let i = after(given); i < firstIndex; i = after(i)) inOrder &&= log.at(i)?.kind !== 'command'
  entries.forEach((entry, i) => {
    inOrder &&= log.at(after(firstIndex, i)) === entry
  })
  if (!inOrder) throw new InvariantViolation(onceInOrder, `${id} applies ${firstIndex}…${last} of ${commitIndex} committed`)
}

const onceInOrder = 'committed commands are applied in the order of the log, each once per run (§5.3)'
