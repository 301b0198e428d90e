import { describe, it } from '@jest/globals'
import { of } from 'rxjs'
import type { Effect } from '../src/raft/effect.js'
import type { RaftEvent } from '../src/raft/event.js'
import { logIndex, messageSeq, nodeId, term } from '../src/raft/ids.js'
import type { Message } from '../src/raft/messages.js'
import { flush } from '../streams/sinks/flush.js'
import { marblesWith } from '../streams/testing.js'
import { after, newServer, persistedEvent, started, timedOut } from './servers.js'

const marbles = marblesWith(it)

const schedule: Effect = { _tag: 'ScheduleFlush' }
const effects = { p: schedule, c: schedule, x: { _tag: 'ArmHeartbeat', generation: 1 } as Effect }
const events = { f: { _tag: 'Flush' } }

const received = (message: Message): RaftEvent => ({ _tag: 'Received', message })
const reply = { from: nodeId('n2'), to: nodeId('n1'), term: term(1) }
const voted = received({ _tag: 'RequestVoteReply', ...reply, re: messageSeq(1), voteGranted: true })
const matched = received({
  _tag: 'AppendEntriesReply',
  ...reply,
  re: messageSeq(2),
  success: true,
  matchIndex: logIndex(1),
  conflict: null,
})
const proposed: RaftEvent = { _tag: 'Proposed', request: 1, commands: [new Uint8Array(1)] }

/** A leader that has more for its follower than it has sent. */
const busy = after(newServer('n1', ['n1', 'n2']), started, timedOut(1), persistedEvent(1), voted, { _tag: 'Flush' }, matched, proposed)
/** And has sent it. */
const idle = after(busy, { _tag: 'Flush' })
const idle$ = of(idle)

describe('flush', () => {
  marbles('what was proposed leaves in the same turn, a commit alone waits for company', ({ hot, scheduler, expectObservable }) => {
    const given = '--(ppp)--c-------c-p----'
    const flushed = '--f----------f-----f----'
    const state = ' b-----i-----------b-----'
    const state$ = hot(state, { b: busy, i: idle })
    expectObservable(flush({ commitNoticeMs: 4, scheduler })(hot(given, effects), state$)).toBe(flushed, events)
  })

  marbles('commits that follow each other wait no longer than the first of them', ({ hot, scheduler, expectObservable }) => {
    const given = '--c-c-------'
    const flushed = '------f-----'
    expectObservable(flush({ commitNoticeMs: 4, scheduler })(hot(given, effects), idle$)).toBe(flushed, events)
  })

  marbles(
    'without a wait all of it leaves at the end of the turn, once however often it was asked',
    ({ hot, scheduler, expectObservable }) => {
      expectObservable(flush({ scheduler })(hot('--(ccc)--c--', effects), idle$)).toBe('--f------f--', events)
    },
  )

  marbles('takes no other effects; ends by an error of theirs', ({ hot, scheduler, expectObservable }) => {
    expectObservable(flush({ scheduler })(hot('--x--#', effects), idle$)).toBe('-----#')
  })

  marbles('forgets everything when it is unsubscribed from', ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
    const effect$ = hot('--c--------', effects)
    const subscribed = ' ^---!'
    expectObservable(flush({ commitNoticeMs: 4, scheduler })(effect$, idle$), subscribed).toBe('--')
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  })
})
