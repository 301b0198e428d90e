import { describe, it } from '@jest/globals'
import { NEVER, Subject, tap } from 'rxjs'
import type { Effect } from '../src/raft/effect.js'
import { heartbeat } from '../streams/sinks/heartbeat.js'
import { marblesWith } from '../streams/testing.js'

const marbles = marblesWith(it)

const arm = (generation: number): Effect => ({ _tag: 'ArmHeartbeat', generation })
const due = (generation: number) => ({ _tag: 'HeartbeatDue', generation })
const effects = { a: arm(1), b: arm(2), x: { _tag: 'ArmElectionTimer', generation: 9 } as Effect }
const events = { a: due(1), b: due(2) }

describe('heartbeat', () => {
  marbles('is due once for each arming', ({ hot, scheduler, expectObservable }) => {
    const arm = '--a------a-----'
    const due = '------h------h-'
    expectObservable(heartbeat({ heartbeatMs: 4, scheduler })(hot(arm, effects), NEVER)).toBe(due, { h: events.a })
  })

  marbles('is silent while it is not armed', ({ hot, scheduler, expectObservable }) => {
    expectObservable(heartbeat({ heartbeatMs: 4, scheduler })(hot('--x--x--', effects), NEVER)).toBe('--')
  })

  marbles('each arming forgets the former, and is answered with its own generation', ({ hot, scheduler, expectObservable }) => {
    const arm = '--a--b-----'
    const due = '---------b-'
    expectObservable(heartbeat({ heartbeatMs: 4, scheduler })(hot(arm, effects), NEVER)).toBe(due, events)
  })

  marbles('"repeat during idle periods" (§5.2): armed by what it causes, it keeps time', ({ scheduler, expectObservable }) => {
    const effect$ = new Subject<Effect>()
    const due$ = heartbeat({ heartbeatMs: 4, scheduler })(effect$, NEVER).pipe(tap(() => effect$.next(arm(1))))
    scheduler.schedule(() => effect$.next(arm(1)), 2)
    const leads = '^-------------!'
    const due = '  ------h---h---'
    expectObservable(due$, leads).toBe(due, { h: events.a })
  })

  marbles('ends with its effects, by an error too', ({ hot, scheduler, expectObservable }) => {
    expectObservable(heartbeat({ heartbeatMs: 4, scheduler })(hot('--a-#', effects), NEVER)).toBe('----#')
    expectObservable(heartbeat({ heartbeatMs: 4, scheduler })(hot('--a-|', effects), NEVER)).toBe('----|')
  })

  marbles('forgets everything when it is unsubscribed from', ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
    const effect$ = hot('--a-----a--', effects)
    const subscribed = ' ^---!'
    expectObservable(heartbeat({ heartbeatMs: 4, scheduler })(effect$, NEVER), subscribed).toBe('--')
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  })
})
