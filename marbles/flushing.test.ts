import { describe, it } from '@jest/globals'
import type { Effect } from '../src/raft/effect.js'
import { flushing } from '../streams/lab/flushing.js'
import { marblesWith } from '../streams/testing.js'

const marbles = marblesWith(it)

const schedule: Effect = { _tag: 'ScheduleFlush' }
const effects = { p: schedule, c: schedule, x: { _tag: 'ArmHeartbeat', generation: 1 } as Effect }
const events = { f: { _tag: 'Flush' } }

describe('flushing', () => {
  marbles('what was proposed leaves in the same turn, a commit alone waits for company', ({ hot, scheduler, expectObservable }) => {
    const given = '--(ppp)--c-------c-p----'
    const flush = '--f----------f-----f----'
    let urgent = false
    const effect$ = hot(given, effects)
    effect$.subscribe(() => (urgent = scheduler.now() === 2 || scheduler.now() === 19))
    expectObservable(flushing({ urgent: () => urgent, commitNoticeMs: 4, scheduler })(effect$)).toBe(flush, events)
  })

  marbles('commits that follow each other wait no longer than the first of them', ({ hot, scheduler, expectObservable }) => {
    const given = '--c-c-------'
    const flush = '------f-----'
    expectObservable(flushing({ urgent: () => false, commitNoticeMs: 4, scheduler })(hot(given, effects))).toBe(flush, events)
  })

  marbles('other effects are no business of it; it ends by an error of theirs', ({ hot, scheduler, expectObservable }) => {
    expectObservable(flushing({ urgent: () => true, commitNoticeMs: 4, scheduler })(hot('--x--#', effects))).toBe('-----#')
  })

  marbles('forgets everything when it is unsubscribed from', ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
    const effect$ = hot('--c--------', effects)
    const subscribed = ' ^---!'
    expectObservable(flushing({ urgent: () => false, commitNoticeMs: 4, scheduler })(effect$), subscribed).toBe('--')
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  })
})
