import { type Apply, type Effect, type Send } from '../../../src/raft/effect.js'
import { InvariantViolation } from '../../../src/raft/error.js'
import type { RaftEvent } from '../../../src/raft/event.js'
import { after, type LogIndex, logIndex, writeSeq } from '../../../src/raft/ids.js'
import type { checkedStep } from '../../../src/raft/invariants.js'
import type { Message } from '../../../src/raft/messages.js'
import { printEffect, printMessage } from '../../../src/raft/print.js'
import { restart, type Server } from '../../../src/raft/state/server.js'
import { isOnDisk, recordsOf, written } from '../disk.js'
import { placeOfSeq, withSeq } from './messages.js'
import { canonical, type Site } from './site.js'

/** What may happen at one site. */
export type SiteEvent =
  | { readonly _tag: 'Happens'; readonly event: RaftEvent }
  /** The disk has done the first `count` writes that were not acknowledged. */
  | { readonly _tag: 'Persists'; readonly count: number }
  /** It crashes, the first `survive` records that were not acknowledged are on its disk all the same, and it starts again. */
  | { readonly _tag: 'Crashes'; readonly survive: number }

/** What a site does with an event, and what it sends. A value in, a value out: what is equal needs to be done only once. */
export interface SiteStep {
  readonly site: Site
  readonly sent: ReadonlyArray<Message>
  /** As `site`, with the numbers of requests as they were given out. */
  readonly server: Server
}

export interface SiteOptions {
  readonly step: typeof checkedStep
  /** A turn of the loop may hold several events, so that `Flush` is an event that may come late; otherwise each event is a turn of its own. */
  readonly longTurns: boolean
  /** How many heartbeats without an answer are told apart (`silencesOf`). */
  readonly silences: number
}

/** The state machine answers at once; all else that is done by hand in cluster.ts is an event here. */
export const stepSite = (site: Site, event: SiteEvent, { step, longTurns, silences }: SiteOptions): SiteStep => {
  let { server, disk, unsynced, waiting, flushDue } = site
  const sent: Send[] = []
  /** What the state machine has been given in this run. */
  let given = server.applyingIndex

  const leave = (send: Send): void => {
    if (!isOnDisk(send.message, disk, server))
      throw new InvariantViolation('nothing is promised before it is on disk (Figure 2)', printMessage(send.message))
    sent.push(send)
  }
  const perform = (effect: Effect): void => {
    switch (effect._tag) {
      case 'Persist':
        unsynced = [...unsynced, ...recordsOf(effect)]
        return
      case 'Send':
        if (effect.after !== null && effect.after > server.writeProgress.acknowledged) waiting = [...waiting, effect]
        else leave(effect)
        return
      case 'Apply':
        checkApply(given, server, effect)
        given = logIndex(effect.firstIndex + effect.entries.length - 1)
        happens({ _tag: 'Applied', index: given })
        return
      case 'ScheduleFlush':
        flushDue = true
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
  const happens = (it: RaftEvent): void => {
    const stepped = step(server, it, 0)
    server = stepped.server
    for (const effect of stepped.effects) perform(effect)
  }

  switch (event._tag) {
    case 'Happens':
      if (event.event._tag === 'Flush') flushDue = false
      happens(event.event)
      break
    case 'Persists': {
      const seq = writeSeq(server.writeProgress.acknowledged + event.count)
      disk = unsynced.filter((record) => record.seq <= seq).reduce(written, disk)
      unsynced = unsynced.filter((record) => record.seq > seq)
      const free = waiting.filter((send) => send.after! <= seq)
      waiting = waiting.filter((send) => send.after! > seq)
      free.forEach(leave)
      happens({ _tag: 'Persisted', seq })
      break
    }
    case 'Crashes':
      disk = unsynced.slice(0, event.survive).reduce(written, disk)
      server = restart(server.id, server.settings, disk)
      unsynced = []
      waiting = []
      flushDue = false
      given = server.applyingIndex
      happens({ _tag: 'Started' })
      break
  }
  if (flushDue && !longTurns) {
    flushDue = false
    happens({ _tag: 'Flush' })
  }
  return {
    site: canonical({ server, disk, unsynced, waiting, flushDue }, silences),
    sent: sent.map(({ message }) => numbered(message, server, event)),
    server,
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

/** Committed entries, in order, each once per run: with "what one server knows to be committed, no other server knows otherwise" this is State Machine Safety. */
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
