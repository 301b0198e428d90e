import { describe, expect, it } from '@jest/globals'
import { catchError, defer, finalize, map, merge, NEVER, of, Subject, takeUntil } from 'rxjs'
import type { Effect } from '../src/raft/effect.js'
import type { InvariantViolation } from '../src/raft/error.js'
import type { RaftEvent } from '../src/raft/event.js'
import { term } from '../src/raft/ids.js'
import { printEffect } from '../src/raft/print.js'
import { VirtualScheduler } from '../streams/time/heapScheduler.js'
import { run } from '../streams/loop/run.js'
import { marblesWith } from '../streams/testing.js'
import { after, heartbeatDue, newServer, persistedEvent, started, timedOut } from './servers.js'

const marbles = marblesWith(it)

/** The only server of its cluster: its election needs nobody but its disk. */
const initial = after(newServer('n1'), started)
const maxEffectsPerTurn = 1_024

const steps = { a: timedOut(1), b: heartbeatDue(1), s: heartbeatDue(7) }
/** What a, its write and b lead to, in order. */
const story = ['persist #1 T1 vote n1', 'ArmElectionTimer 2', 'persist #2 entries 1… [1]', 'ArmHeartbeat 1', 'ArmHeartbeat 2']
const number = (effect: Effect): string => String(story.indexOf(printEffect(effect)) + 1)
const acknowledge = (effect: Effect, answer$: Subject<RaftEvent>): void => {
  if (effect._tag === 'Persist' && effect.seq === 1) answer$.next(persistedEvent(1))
}

describe('run', () => {
  marbles('queues effects, not events', ({ hot, scheduler, expectObservable }) => {
    const events = '  --a--------b---'
    const effects = ' --(1234)---5---'
    const performed$ = new Subject<Effect>()
    const answer$ = new Subject<RaftEvent>()
    const perform = (effect: Effect): void => {
      performed$.next(effect)
      acknowledge(effect, answer$) // the disk answers 1 within the call
    }
    expectObservable(performed$.pipe(map(number))).toBe(effects)
    const at = merge(hot(events, steps), answer$).pipe(
      run({ initial, perform, scheduler, maxEffectsPerTurn }),
      map(({ at, event }) => `${event._tag} ${at}`),
    )
    expectObservable(at).toBe('--(ac)-----b---', { a: 'ElectionTimedOut 2', c: 'Persisted 2', b: 'HeartbeatDue 11' })
  })

  it('has moved the state, and told of the step, before its effects are seen', () => {
    const seen: string[] = []
    const event$ = new Subject<RaftEvent>()
    const perform = (effect: Effect): void => {
      seen.push(`  ${printEffect(effect)}`)
      acknowledge(effect, event$)
    }
    event$.pipe(run({ initial, perform, scheduler: new VirtualScheduler(), maxEffectsPerTurn })).subscribe(({ event, before, after }) => {
      seen.push(`${event._tag}: ${before.role._tag} → ${after.role._tag}`)
    })
    event$.next(timedOut(1))
    expect(seen).toEqual([
      'ElectionTimedOut: Follower → Candidate',
      '  persist #1 T1 vote n1',
      'Persisted: Candidate → Leader',
      '  ArmElectionTimer 2',
      '  persist #2 entries 1… [1]',
      '  ArmHeartbeat 1',
    ])
  })

  marbles('is silent where nothing happens, and tells of an event that changes nothing', ({ hot, scheduler, expectObservable }) => {
    const options = { initial, perform: () => undefined, scheduler, maxEffectsPerTurn }
    expectObservable(hot<RaftEvent>('---').pipe(run(options))).toBe('---')
    const unchanged = hot('-s-', steps).pipe(
      run(options),
      map(({ before, after, effects }) => before === after && effects.length === 0),
    )
    expectObservable(unchanged).toBe('-y-', { y: true })
  })

  marbles('ends with its events, by an error too', ({ hot, scheduler, expectObservable }) => {
    const options = { initial, perform: () => undefined, scheduler, maxEffectsPerTurn }
    const tags = map(({ event }: { readonly event: RaftEvent }) => event._tag)
    expectObservable(hot('-a-|', steps).pipe(run(options), tags)).toBe('-a-|', { a: 'ElectionTimedOut' })
    expectObservable(hot('-a-#', steps).pipe(run(options), tags)).toBe('-a-#', { a: 'ElectionTimedOut' })
  })

  marbles(
    'is ended by the step that breaks an invariant, whose effects are not performed',
    ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
      const performed$ = new Subject<Effect>()
      const corrupt = { ...after(initial, timedOut(1), persistedEvent(1)), currentTerm: term(0) }
      const event$ = hot('--z--b', { ...steps, z: started })
      expectObservable(performed$).toBe('-')
      const stepped$ = event$.pipe(
        run({ initial: corrupt, perform: (effect) => performed$.next(effect), scheduler, maxEffectsPerTurn }),
        catchError((violation: unknown) => [(violation as InvariantViolation).invariant]),
      )
      expectObservable(stepped$).toBe('--(v|)', { v: 'no entry is newer than currentTerm' })
      expectSubscriptions(event$.subscriptions).toBe('^-!')
    },
  )

  marbles(
    'performs nothing more when it is unsubscribed from, not even what was queued',
    ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
      const performed$ = new Subject<Effect>()
      const killed$ = new Subject<void>()
      const event$ = hot('--a--b--', steps)
      const subscribed = ' ^-!'
      const perform = (effect: Effect): void => {
        performed$.next(effect)
        killed$.next()
      }
      expectObservable(performed$.pipe(map(number))).toBe('--1')
      expectObservable(
        event$.pipe(
          run({ initial, perform, scheduler, maxEffectsPerTurn }),
          map(({ event }) => event._tag),
          takeUntil(killed$),
        ),
      ).toBe('--(a|)', { a: 'ElectionTimedOut' })
      expectSubscriptions(event$.subscriptions).toBe(subscribed)
    },
  )

  it('effects of events that come while the sources are subscribed to wait until all are', () => {
    const seen: string[] = []
    const early$ = of(timedOut(1), heartbeatDue(7)).pipe(finalize(() => seen.push('early')))
    const late$ = defer(() => {
      seen.push('late')
      return NEVER
    })
    merge(early$, late$)
      .pipe(run({ initial, perform: (effect) => seen.push(printEffect(effect)), scheduler: new VirtualScheduler(), maxEffectsPerTurn }))
      .subscribe()
    expect(seen).toEqual(['early', 'late', 'persist #1 T1 vote n1', 'ArmElectionTimer 2'])
  })

  describe('maxEffectsPerTurn', () => {
    /** What is performed at once, and what in the turn after. */
    const turns = (limit: number) => {
      const scheduler = new VirtualScheduler()
      const event$ = new Subject<RaftEvent>()
      const performed: string[] = []
      const perform = (effect: Effect): void => {
        performed.push(number(effect))
        acknowledge(effect, event$)
      }
      event$.pipe(run({ initial, perform, scheduler, maxEffectsPerTurn: limit })).subscribe()
      event$.next(timedOut(1))
      const atOnce = performed.join('')
      event$.next(heartbeatDue(1)) // it comes between two turns and overtakes nothing
      const between = performed.join('')
      scheduler.runUntil(0)
      return [atOnce, between, performed.join('')]
    }

    it.each([
      { limit: 5, expected: ['1234', '12345', '12345'] },
      { limit: 4, expected: ['1234', '12345', '12345'] },
      { limit: 3, expected: ['123', '123', '12345'] },
      { limit: 1, expected: ['1', '1', '12345'] },
    ])('four effects, $limit in a turn', ({ limit, expected }) => {
      expect(turns(limit)).toEqual(expected)
    })

    it('lets others have a turn', () => {
      const scheduler = new VirtualScheduler()
      const event$ = new Subject<RaftEvent>()
      const seen: string[] = []
      event$.pipe(run({ initial, perform: (effect) => seen.push(number(effect)), scheduler, maxEffectsPerTurn: 1 })).subscribe()
      event$.next(timedOut(1))
      scheduler.schedule(() => seen.push('other'))
      event$.next(persistedEvent(1))
      scheduler.runUntil(0)
      expect(seen).toEqual(['1', '2', 'other', '3', '4'])
    })

    it('an unsubscription between two turns takes back the second', () => {
      const scheduler = new VirtualScheduler()
      const event$ = new Subject<RaftEvent>()
      const seen: string[] = []
      const running = event$
        .pipe(run({ initial, perform: (effect) => seen.push(number(effect)), scheduler, maxEffectsPerTurn: 1 }))
        .subscribe()
      event$.next(timedOut(1))
      running.unsubscribe()
      scheduler.runUntil(0)
      expect(seen).toEqual(['1'])
    })
  })
})
