import { describe, expect, it } from '@jest/globals'
import { NEVER, Subject, tap } from 'rxjs'
import type { Effect } from '../src/raft/effect.js'
import { electionTimer } from '../streams/sinks/electionTimer.js'
import { VirtualScheduler } from '../streams/time/heapScheduler.js'
import { marblesWith } from '../streams/testing.js'

const marbles = marblesWith(it)

const arm = (generation: number): Effect => ({ _tag: 'ArmElectionTimer', generation })
const timedOut = (generation: number) => ({ _tag: 'ElectionTimedOut', generation })
const effects = { a: arm(1), b: arm(2), c: arm(3), x: { _tag: 'ScheduleFlush' } as Effect }
const events = { a: timedOut(1), b: timedOut(2), c: timedOut(3) }

const timeoutMs = { min: 5, max: 9 }
const shortest = () => 0
const longest = () => 1 - Number.EPSILON

describe('electionTimer', () => {
  marbles('each arming forgets the former', ({ hot, scheduler, expectObservable }) => {
    const arm = '      --a--a---------'
    const timedOut = ' ----------t----'
    const timer = electionTimer({ timeoutMs, random: shortest, scheduler })
    expectObservable(timer(hot(arm, { a: effects.a }), NEVER)).toBe(timedOut, { t: events.a })
  })

  marbles('is silent while it is not armed', ({ hot, scheduler, expectObservable }) => {
    const timer = electionTimer({ timeoutMs, random: shortest, scheduler })
    expectObservable(timer(hot('--x--x--', effects), NEVER)).toBe('--')
  })

  marbles('fires once for each arming that it outlives, with its generation', ({ hot, scheduler, expectObservable }) => {
    const arm = '      a------bc-----'
    const timedOut = ' -----a-------c'
    expectObservable(electionTimer({ timeoutMs, random: shortest, scheduler })(hot(arm, effects), NEVER)).toBe(timedOut, events)
  })

  marbles('"timeouts are chosen randomly from a fixed interval" (§5.2): both ends are reached', ({ hot, scheduler, expectObservable }) => {
    const arm = '      a---------'
    const atMin = '    -----a----'
    const atMax = '    ---------a'
    expectObservable(electionTimer({ timeoutMs, random: shortest, scheduler })(hot(arm, effects), NEVER)).toBe(atMin, events)
    expectObservable(electionTimer({ timeoutMs, random: longest, scheduler })(hot(arm, effects), NEVER)).toBe(atMax, events)
  })

  marbles('draws anew at each arming, so that a later one may be due sooner', ({ hot, scheduler, expectObservable }) => {
    const drawn = [longest(), shortest()]
    const arm = '      a-b--------'
    const timedOut = ' -------b---'
    expectObservable(electionTimer({ timeoutMs, random: () => drawn.shift()!, scheduler })(hot(arm, effects), NEVER)).toBe(timedOut, events)
  })

  marbles('can be armed by what its timeout causes', ({ scheduler, expectObservable }) => {
    const effect$ = new Subject<Effect>()
    const timer = electionTimer({ timeoutMs, random: shortest, scheduler })
    const fired$ = timer(effect$, NEVER).pipe(tap(() => effect$.next(arm(1))))
    expectObservable(fired$, '^-----------!').toBe('------a----a', events)
    scheduler.schedule(() => effect$.next(arm(1)), 1)
  })

  marbles('ends with its effects, by an error too', ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
    const timer = electionTimer({ timeoutMs, random: shortest, scheduler })
    const effect$ = hot('--a-#', effects)
    expectObservable(timer(effect$, NEVER)).toBe('----#')
    expectObservable(timer(hot('--a-|', effects), NEVER)).toBe('----|')
    expectSubscriptions(effect$.subscriptions).toBe('^---!')
  })

  marbles('forgets everything when it is unsubscribed from', ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
    const effect$ = hot('  --a-----a--', effects)
    const subscribed = '   ^---!'
    expectObservable(electionTimer({ timeoutMs, random: shortest, scheduler })(effect$, NEVER), subscribed).toBe('--')
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  })

  marbles('tells of a generator that fails instead of throwing at whoever armed it', ({ hot, scheduler, expectObservable }) => {
    const random = () => {
      throw new Error('no entropy')
    }
    expectObservable(electionTimer({ timeoutMs, random, scheduler })(hot('--a', effects), NEVER)).toBe('--#', {}, new Error('no entropy'))
  })

  it('costs the scheduler nothing per arming', () => {
    const scheduler = new VirtualScheduler()
    let scheduled = 0
    const counting = {
      now: () => scheduler.now(),
      schedule: ((...args) => {
        scheduled++
        return scheduler.schedule(...args)
      }) as VirtualScheduler['schedule'],
    }
    const effect$ = new Subject<Effect>()
    const fired: number[] = []
    electionTimer({ timeoutMs: { min: 300, max: 300 }, random: shortest, scheduler: counting })(effect$, NEVER).subscribe(() =>
      fired.push(scheduler.now()),
    )
    for (let ms = 0; ms < 3_000; ms++) {
      scheduler.runUntil(ms)
      effect$.next(arm(ms))
    }
    expect(fired).toEqual([])
    expect(scheduled).toBe(11)
    scheduler.runUntil(4_000)
    expect(fired).toEqual([3_299])
  })
})
