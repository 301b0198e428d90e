import { describe, expect, it } from '@jest/globals'
import { concat, EMPTY, map, NEVER, type Observable, of, ReplaySubject, Subject, tap, throwError, timer } from 'rxjs'
import type { Effect } from '../src/raft/effect.js'
import type { RaftEvent } from '../src/raft/event.js'
import { commandEntry } from '../src/raft/state/entry.js'
import { logIndex, snapshotRef, term } from '../src/raft/ids.js'
import type { Snapshots } from '../src/raft/state/snapshots.js'
import type { Server } from '../src/raft/state/server.js'
import type { Snapshot } from '../streams/sinks/stateMachine.js'
import { snapshotPolicy, type SnapshotPolicyOptions } from '../streams/sinks/snapshotPolicy.js'
import { marblesWith } from '../streams/testing.js'
import { newServer } from './servers.js'

const marbles = marblesWith(it)

/** A server that has applied so many commands of ten bytes, and holds those after `base`. */
const applied = (lastApplied: number, base = 0, snapshots: Partial<Snapshots> = {}): Server => {
  const server = newServer('n1')
  const entries = Array.from({ length: 9 }, () => commandEntry(term(1), new Uint8Array(10)))
  const log = server.log.append(entries).compactTo(logIndex(base))
  const index = logIndex(lastApplied)
  return { ...server, log, commitIndex: index, applyingIndex: index, lastApplied: index, snapshots: server.snapshots.with(snapshots) }
}
const held = { ref: snapshotRef(1), base: newServer('n1').log.base }

const noEffect$ = NEVER as Observable<Effect>
const data = Uint8Array.of(1)
const taken = (index: number): RaftEvent => ({ _tag: 'SnapshotTaken', index: logIndex(index), data })
const after = (index: number): Snapshot => ({ index: logIndex(index), data })
const options = (scheduler: SnapshotPolicyOptions['scheduler'], different: Partial<SnapshotPolicyOptions> = {}): SnapshotPolicyOptions => ({
  scheduler,
  maxEveryBytes: 1_000,
  everyEntries: 3,
  take: (index) => of(after(index)),
  ...different,
})
const failed = (message: string, cause?: unknown) => ({ _tag: 'StateMachineFailed', message, cause })

describe('snapshotPolicy', () => {
  marbles('takes a snapshot when so many entries were applied since the last one', ({ hot, scheduler, expectObservable }) => {
    const lastApplied = '--1--2--3-----4--5--6----'
    const take = '       --------t-----------t----'
    const events = '     ----------s-----------s--'
    const took$ = new Subject<string>()
    const state$ = new ReplaySubject<Server>(1)
    const log = snapshotPolicy(
      options(scheduler, {
        take: (index) => {
          took$.next('t')
          return timer(2, scheduler).pipe(map(() => after(index)))
        },
      }),
    )
    const event$ = log.sink(noEffect$, state$)
    let base = 0
    const stored$ = event$.pipe(tap((event) => event._tag === 'SnapshotTaken' && (base = event.index)))
    expectObservable(took$).toBe(take)
    expectObservable(stored$.pipe(map(() => 's'))).toBe(events)
    hot(lastApplied).subscribe((index) => state$.next(applied(Number(index), base)))
  })

  marbles('or so many bytes', ({ hot, scheduler, expectObservable }) => {
    const state$ = new ReplaySubject<Server>(1)
    const log = snapshotPolicy(options(scheduler, { everyEntries: 9, everyBytes: 40 }))
    expectObservable(log.sink(noEffect$, state$)).toBe('-------s', { s: taken(4) })
    hot('-1-2-3-4').subscribe((index) => state$.next(applied(Number(index))))
  })

  marbles('one at a time, and none while one is stored or restored', ({ hot, scheduler, expectObservable }) => {
    const state$ = new ReplaySubject<Server>(1)
    const log = snapshotPolicy(options(scheduler, { take: (index) => timer(4, scheduler).pipe(map(() => after(index))) }))
    expectObservable(log.sink(noEffect$, state$)).toBe('---------s', { s: taken(5) })
    const states: Record<string, Server> = {
      t: applied(3, 0, { taking: held }),
      r: applied(4, 0, { restoring: held }),
      d: applied(5),
      e: applied(6),
    }
    hot('-t-r-d-e', states).subscribe(state$)
  })

  marbles(
    'an attempt that leads to nothing is made again when more was applied, and not before',
    ({ hot, scheduler, expectObservable }) => {
      const asked$ = new Subject<string>()
      const state$ = new ReplaySubject<Server>(1)
      const log = snapshotPolicy(options(scheduler, { take: (index) => (asked$.next(`${index}`), EMPTY) }))
      expectObservable(asked$).toBe('-3---4')
      expectObservable(log.sink(noEffect$, state$)).toBe('-')
      hot('-3-3-4-4').subscribe((index) => state$.next(applied(Number(index))))
    },
  )

  marbles('takes the first that is given', ({ hot, scheduler, expectObservable }) => {
    const state$ = new ReplaySubject<Server>(1)
    const log = snapshotPolicy(
      options(scheduler, {
        take: (index) =>
          concat(
            of(after(index)),
            throwError(() => new Error('late')),
          ),
      }),
    )
    expectObservable(log.sink(noEffect$, state$)).toBe('-s', { s: taken(3) })
    hot('-3').subscribe((index) => state$.next(applied(Number(index))))
  })

  marbles('is silent where it is not told how', ({ hot, scheduler, expectObservable }) => {
    const { take: _, ...without } = options(scheduler)
    const state$ = new ReplaySubject<Server>(1)
    const log = snapshotPolicy(without)
    expectObservable(log.sink(noEffect$, state$)).toBe('-')
    hot('-3-4-9').subscribe((index) => state$.next(applied(Number(index))))
  })

  const bug = new Error('a bug')
  it.each<{ readonly what: string; readonly take: NonNullable<SnapshotPolicyOptions['take']>; readonly error: object }>([
    {
      what: 'of a command that was not given',
      take: () => of(after(4)),
      error: failed(
        'The state machine gave a snapshot of index 4, and was not given that command yet: it must say up to where its state goes.',
      ),
    },
    {
      what: 'that fails',
      take: () => throwError(() => bug),
      error: failed('The state machine gave no snapshot; what it threw is the cause.', bug),
    },
    {
      what: 'that throws',
      take: () => {
        throw bug
      },
      error: failed('The state machine gave no snapshot; what it threw is the cause.', bug),
    },
  ])('a snapshot $what is the end', ({ take, error }) => {
    marblesWith((_, test) => test())('', ({ hot, scheduler, expectObservable }) => {
      const state$ = new ReplaySubject<Server>(1)
      const log = snapshotPolicy(options(scheduler, { take }))
      expectObservable(log.sink(noEffect$, state$)).toBe('-#', {}, error)
      hot('-3').subscribe((index) => state$.next(applied(Number(index))))
    })
  })

  marbles('unsubscribing ends the one under way', ({ hot, cold, scheduler, expectObservable, expectSubscriptions }) => {
    const taking$ = cold<Snapshot>('------s')
    const state$ = new ReplaySubject<Server>(1)
    const log = snapshotPolicy(options(scheduler, { take: () => taking$ }))
    expectObservable(log.sink(noEffect$, state$), '^----!').toBe('-')
    expectSubscriptions(taking$.subscriptions).toBe('--^--!')
    hot('--3').subscribe((index) => state$.next(applied(Number(index))))
  })

  marbles('says what becomes of a snapshot that is offered', ({ scheduler }) => {
    const { take: _, ...without } = options(scheduler)
    const state$ = new ReplaySubject<Server>(1)
    const log = snapshotPolicy(without)
    const offer = (index: number) => log.offer(index, data)._tag
    expect(offer(1)).toBe('NotGiven')
    state$.next(applied(3, 2))
    expect(offer(3)).toBe('NotGiven')
    const told: RaftEvent[] = []
    const running = log.sink(noEffect$, state$).subscribe((event) => told.push(event))
    expect([4, 2.5, NaN, 2, 1, 3].map(offer)).toEqual(['NotGiven', 'NotGiven', 'NotGiven', 'NotNewer', 'NotNewer', 'Taking'])
    state$.next(applied(3, 2, { taking: held }))
    expect([4, 2, 3].map(offer)).toEqual(['NotGiven', 'NotNewer', 'Busy'])
    state$.next(applied(3, 2, { restoring: held }))
    expect([2, 3].map(offer)).toEqual(['NotNewer', 'NotGiven'])
    running.unsubscribe()
    expect(offer(3)).toBe('NotGiven')
    expect(told).toEqual([taken(3)])
  })
})
