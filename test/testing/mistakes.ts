import { WriteProgress } from '../../src/raft/state/writeProgress.js'
import { InvariantViolation } from '../../src/raft/error.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex } from '../../src/raft/ids.js'
import { invariants } from '../../src/raft/invariants.js'
import { printServer, printStep } from '../../src/raft/print.js'
import type { Server } from '../../src/raft/state/server.js'
import { step, type Step } from '../../src/raft/step.js'
import type { SearchOptions } from '../../streams/testing/search.js'

/* Steps with a mistake in them. */

type Mistake = NonNullable<SearchOptions['step']>

/** As a follower it forgets that it has voted in this term when the next candidate asks. */
export const votesTwice: Mistake = (server, event, at) => {
  const isAsked = event._tag === 'Received' && event.message._tag === 'RequestVote' && event.message.term === server.currentTerm
  const forgets = isAsked && server.role._tag === 'Follower' && server.writeProgress.isComplete
  return step(forgets ? { ...server, votedFor: null } : server, event, at)
}

/** It counts who has an entry of an older term (Figure 8). */
export const commitsOldTerms: Mistake = (server, event, at) => {
  const stepped = step(server, event, at)
  const { role, writeProgress, commitIndex } = stepped.server
  if (role._tag !== 'Leader') return stepped
  const has = [writeProgress.index, ...role.followers.map(({ matchIndex }) => matchIndex)].sort((a, b) => a - b)
  const N = has[has.length - 1 - Math.floor(has.length / 2)]!
  return N <= commitIndex ? stepped : checked(server, event, { ...stepped, server: { ...stepped.server, commitIndex: logIndex(N) } })
}

const checked = (server: Server, event: RaftEvent, stepped: Step): Step => {
  const broken = invariants.find(({ holds }) => !holds(server, stepped.server))
  if (broken !== undefined) throw new InvariantViolation(broken.name, `${printServer(server)}\n${printStep(event, stepped)}`)
  return stepped
}

/** As a leader it counts itself for what it has written and its disk has not. */
export const countsItselfAtOnce: Mistake = (server, event, at) => {
  const { log, writeProgress } = server
  const isCounting = event._tag === 'Received' && event.message._tag === 'AppendEntriesReply' && server.role._tag === 'Leader'
  return step(
    isCounting
      ? {
          ...server,
          writeProgress: new WriteProgress(log.lastIndex, writeProgress.written, writeProgress.acknowledged, writeProgress.pending),
        }
      : server,
    event,
    at,
  )
}

/** It asks for votes before its own is on disk. */
export const asksBeforeItsVoteIsOnDisk: Mistake = (server, event, at) => {
  const { effects, ...stepped } = step(server, event, at)
  return {
    ...stepped,
    effects: effects.map((effect) =>
      effect._tag === 'Send' && effect.message._tag === 'RequestVote' ? { ...effect, after: null } : effect,
    ),
  }
}
