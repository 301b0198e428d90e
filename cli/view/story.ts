import type { NodeId } from '../../src/raft/ids.js'
import type { Log } from '../../src/raft/state/log.js'
import type { Progress } from '../../src/raft/state/progress.js'
import type { Leader } from '../../src/raft/state/role.js'
import type { Server } from '../../src/raft/state/server.js'
import { count } from './format.js'
import type { Mood } from './model.js'

/** What somebody at the screen wants to know of a step. */
export interface Tale {
  readonly mood: Mood
  readonly text: string
}

/** How a follower gets on, as its leader sees it; `behind` until it holds the entry `until`. */
type Pace = { readonly _tag: 'Level' } | { readonly _tag: 'Silent' } | { readonly _tag: 'Behind'; readonly until: number }

/** A story so far: the last state and what is remembered of followers. */
export interface Story {
  readonly server: Server | null
  readonly paces: ReadonlyMap<NodeId, Pace>
  /** What the last step adds to it. */
  readonly tales: ReadonlyArray<Tale>
}

export const noStory: Story = { server: null, paces: new Map(), tales: [] }

/** Heartbeats without an answer after which a follower is called silent: a third of a second with the default. */
const silentAfter = 3
/** Entries that a follower may lack while it is being sent to, without being called behind. */
const behindBy = 10_000

const level: Pace = { _tag: 'Level' }
const silent: Pace = { _tag: 'Silent' }

/**
 * Goes on with the story: who stood, who won, who follows whom, who fell behind, who took or sent a snapshot. Most
 * steps tell nothing.
 */
export const tell = (story: Story, server: Server): Story => {
  const before = story.server
  if (before === null) return { server, paces: new Map(), tales: [recovered(server)] }
  const compacted = before.log.base === server.log.base ? nothing : [compaction(before, server)]
  if (before.role === server.role && before.currentTerm === server.currentTerm) return { server, paces: story.paces, tales: compacted }
  if (before.role._tag !== 'Leader' || server.role._tag !== 'Leader')
    return { server, paces: new Map(), tales: [...compacted, ...elections(before, server)] }
  const { paces, tales } = followUp(story.paces, server.role.followers, server.log.lastIndex)
  const sent = transfers(before.role, server.role)
  return { server, paces, tales: compacted === nothing && sent === nothing ? tales : [...compacted, ...tales, ...sent] }
}

const nothing: ReadonlyArray<Tale> = []

const recovered = ({ currentTerm, log }: Server): Tale =>
  log.lastIndex === 0 && currentTerm === 0
    ? { mood: 'Plain', text: 'starts with an empty log' }
    : { mood: 'Plain', text: `starts in term ${currentTerm} with ${held(log)}` }

const compaction = (before: Server, { log, snapshots: { current } }: Server): Tale => ({
  mood: 'Plain',
  text: `${before.snapshots.taking?.ref === current?.ref ? 'took' : 'was sent'} a snapshot up to ${count(log.base.index)}`,
})

const transfers = (before: Leader, now: Leader): ReadonlyArray<Tale> => {
  if (before.sendings === now.sendings) return nothing
  const begun = now.sendings.filter(({ to, snapshot }) => before.sending(to)?.snapshot.ref !== snapshot.ref)
  return begun.map(({ to, base }) => ({ mood: 'Plain', text: `sends ${to} a snapshot up to ${count(base.index)}` }))
}

const elections = (before: Server, { role, currentTerm, log }: Server): ReadonlyArray<Tale> => {
  switch (role._tag) {
    case 'Candidate':
      return before.currentTerm === currentTerm && before.role._tag === 'Candidate'
        ? nothing
        : [{ mood: 'Plain', text: `stands for election in term ${currentTerm}` }]
    case 'Leader':
      return [{ mood: 'Good', text: `won term ${currentTerm}, and leads with ${held(log)}` }]
    case 'Follower':
      if (before.role._tag === 'Leader') return [{ mood: 'Bad', text: `leads no more: it saw term ${currentTerm}` }]
      return role.leader === null ? nothing : [{ mood: 'Plain', text: `follows ${role.leader} in term ${currentTerm}` }]
  }
}

const followUp = (paces: Story['paces'], followers: ReadonlyArray<Progress>, lastIndex: number): Omit<Story, 'server'> => {
  let next: Map<NodeId, Pace> | null = null
  const tales: Tale[] = []
  for (const follower of followers) {
    const pace = paces.get(follower.id) ?? level
    const now = paceOf(pace, follower, lastIndex)
    if (now === pace) continue
    next ??= new Map(paces)
    next.set(follower.id, now)
    tales.push(changed(pace, now, follower, lastIndex))
  }
  return { paces: next ?? paces, tales: next === null ? nothing : tales }
}

const paceOf = (pace: Pace, { silentHeartbeats, flow, matchIndex }: Progress, lastIndex: number): Pace => {
  if (silentHeartbeats >= silentAfter) return silent
  // Where its log parts from the leader's is not known yet.
  if (flow === 'Probe' || silentHeartbeats > 0) return pace
  if (pace._tag === 'Behind') return matchIndex >= pace.until ? level : pace
  const behind = pace._tag === 'Silent' ? matchIndex < lastIndex : lastIndex - matchIndex >= behindBy
  return behind ? { _tag: 'Behind', until: lastIndex } : level
}

const changed = (was: Pace, now: Pace, { id, matchIndex }: Progress, lastIndex: number): Tale => {
  switch (now._tag) {
    case 'Silent':
      return { mood: 'Bad', text: `${id} does not answer` }
    case 'Behind':
      return {
        mood: was._tag === 'Silent' ? 'Plain' : 'Bad',
        text: `${id} ${was._tag === 'Silent' ? 'answers again,' : 'fell behind:'} ${entries(lastIndex - matchIndex)} to go`,
      }
    case 'Level':
      return { mood: 'Good', text: was._tag === 'Silent' ? `${id} answers again and has all entries` : `${id} has caught up` }
  }
}

const entries = (n: number): string => (n === 1 ? '1 entry' : `${count(n)} entries`)

const held = ({ base, lastIndex }: Log): string =>
  base.index === 0
    ? `${entries(lastIndex)} in its log`
    : `a snapshot up to ${count(base.index)} and ${entries(lastIndex - base.index)} in its log`
