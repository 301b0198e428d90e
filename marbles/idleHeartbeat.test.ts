import { describe, it } from '@jest/globals'
import type { Effect } from '../src/raft/effect.js'
import { idleHeartbeat } from '../streams/lab/idleHeartbeat.js'
import { marblesWith } from '../streams/testing/index.js'

const marbles = marblesWith(it)

const arm = (generation: number): Effect => ({ _tag: 'ArmHeartbeat', generation })
const effects = { a: arm(1), b: arm(2) }
const events = { h: { _tag: 'HeartbeatDue', generation: 1 }, b: { _tag: 'HeartbeatDue', generation: 2 } }

describe('idleHeartbeat', () => {
  marbles('"repeat during idle periods": what every peer was sent puts it off', ({ hot, scheduler, expectObservable }) => {
    const arm = '  --a-----------a------'
    const sent = ' --s----s------s------'
    const due = '  -------------h------h'
    let sentMs = 0
    hot(sent).subscribe(() => (sentMs = scheduler.now()))
    expectObservable(idleHeartbeat({ heartbeatMs: 6, quietSinceMs: () => sentMs, scheduler })(hot(arm, effects))).toBe(due, events)
  })

  marbles('one peer that was sent nothing is enough to make it due', ({ hot, scheduler, expectObservable }) => {
    const arm = '--a------'
    const due = '------h--'
    expectObservable(idleHeartbeat({ heartbeatMs: 4, quietSinceMs: () => 0, scheduler })(hot(arm, effects))).toBe(due, events)
  })

  marbles('each arming forgets the former, and is answered with its own generation', ({ hot, scheduler, expectObservable }) => {
    const arm = '--a--b-----'
    const due = '---------b-'
    expectObservable(idleHeartbeat({ heartbeatMs: 4, quietSinceMs: () => 0, scheduler })(hot(arm, effects))).toBe(due, events)
  })

  marbles('forgets everything when it is unsubscribed from', ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
    const effect$ = hot('--a-----a--', effects)
    const subscribed = ' ^---!'
    expectObservable(idleHeartbeat({ heartbeatMs: 4, quietSinceMs: () => 0, scheduler })(effect$), subscribed).toBe('--')
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  })
})
