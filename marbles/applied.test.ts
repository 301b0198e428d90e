import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { bufferCount, concatMap, delay, ignoreElements, map, Observable, of, type OperatorFunction, Subject, take, tap } from 'rxjs'
import type { Effect } from '../src/raft/effect.js'
import type { RaftEvent } from '../src/raft/event.js'
import { logIndex } from '../src/raft/ids.js'
import { logFrom } from '../src/raft/state/log.js'
import type { Server } from '../src/raft/state/server.js'
import { printEvent } from '../src/raft/print.js'
import { ofTag } from '../streams/loop/ofTag.js'
import { applied as appliedSink, type AppliedOptions, type Result } from '../streams/sinks/applied.js'
import type { Applied, ApplyMsg, Snapshot, StateMachine } from '../streams/sinks/stateMachine.js'
import { VirtualScheduler } from '../streams/time/heapScheduler.js'
import { inVirtualTime, marblesWith } from '../streams/testing.js'
import { apply, restore } from './effects.js'
import { newServer } from './servers.js'

const marbles = marblesWith(it)

type Options = AppliedOptions<number, number>

/** Doubles what it is given, at once. Commands are their own indexes. */
const doubling: OperatorFunction<ApplyMsg<number>, Applied<number>> = map(({ index, command }) => ({ index, result: command * 2 }))

const options = (scheduler: Options['scheduler'], different: Partial<Options> = {}): Options => ({
  stateMachine: doubling,
  decode: ([command]) => command!,
  scheduler,
  maxAppliesPerTurn: 99,
  ...different,
})

/** What a test sees beside the events; left out what it does not look at. */
interface Watching {
  readonly tap?: (index: number) => void
  readonly settle?: (result: Extract<Result<number>, { readonly _tag: 'Applied' }>) => void
  readonly restored?: (snapshot: Snapshot) => void
  readonly state?: Server
}

const applied =
  (given: Options, { tap: tapped, settle, restored, state = newServer('n1') }: Watching = {}) =>
  (effect$: Observable<Effect>): Observable<RaftEvent> =>
    new Observable((subscriber) => {
      const { sink, apply$, result$, restore$ } = appliedSink(given)
      if (tapped !== undefined) subscriber.add(apply$.subscribe(({ index }) => tapped(index)))
      if (restored !== undefined) subscriber.add(restore$.subscribe(restored))
      if (settle !== undefined) subscriber.add(result$.pipe(ofTag('Applied')).subscribe(settle))
      return sink(effect$, of(state)).subscribe(subscriber)
    })

const effects: Record<string, Effect> = { a: apply(1, 2), b: apply(3), c: apply(4, 6), x: { _tag: 'ScheduleFlush' } }
const event = (index: number) => ({ _tag: 'Applied', index })
const events = { 1: event(1), 2: event(2), 3: event(3), 4: event(4), 5: event(5), 6: event(6) }
const failed = (message: string, cause?: unknown) => ({ _tag: 'StateMachineFailed', message, cause })

describe('applied', () => {
  marbles('hands over in log order, in turns, and answers once a turn', ({ hot, scheduler, expectObservable }) => {
    const Apply = '  --a-----b---' // a: commands 1 and 2; b: command 3
    const apply$ = ' --(12)--3---'
    const Applied = '--2-----3---'
    const handed$ = new Subject<number>()
    expectObservable(handed$.pipe(map((index) => `${index}`))).toBe(apply$)
    expectObservable(applied(options(scheduler), { tap: (index) => handed$.next(index) })(hot(Apply, effects))).toBe(Applied, events)
  })

  marbles('is silent where nothing is committed', ({ hot, scheduler, expectObservable }) => {
    expectObservable(applied(options(scheduler))(hot('--x--', effects))).toBe('--')
  })

  it('without a machine every command is answered with undefined when it is handed over, and no sooner', () => {
    const scheduler = new VirtualScheduler()
    const effect$ = new Subject<Effect>()
    const seen: string[] = []
    applied(options(scheduler, { stateMachine: null, maxAppliesPerTurn: 2 }), {
      tap: (index) => seen.push(`tap ${index}`),
      settle: ({ index, result }) => seen.push(`settle ${index} ${String(result)}`),
    })(effect$).subscribe((event) => seen.push(printEvent(event)))
    effect$.next(apply(1, 3))
    effect$.next(apply(4))
    seen.push('called')
    scheduler.runUntil(0)
    const turns = ['tap 1', 'settle 1 undefined', 'tap 2', 'settle 2 undefined', '> Applied 2', 'tap 3', 'settle 3 undefined']
    expect(seen).toEqual(['called', ...turns, 'tap 4', 'settle 4 undefined', '> Applied 4'])
  })

  it('hands over nothing within the call that caused it', () => {
    const scheduler = new VirtualScheduler()
    const effect$ = new Subject<Effect>()
    const seen: string[] = []
    applied(options(scheduler), {
      tap: (index) => seen.push(`tap ${index}`),
      settle: ({ index, result }) => seen.push(`settle ${index} ${result}`),
    })(effect$).subscribe((event) => seen.push(event._tag))
    effect$.next(apply(1, 2))
    seen.push('called')
    scheduler.runUntil(0)
    expect(seen).toEqual(['called', 'tap 1', 'settle 1 2', 'tap 2', 'settle 2 4', 'Applied'])
  })

  it('settles each command with the term of its entry', () => {
    const scheduler = new VirtualScheduler()
    const effect$ = new Subject<Effect>()
    const settled: (readonly number[])[] = []
    applied(options(scheduler), { settle: ({ index, term, result }) => settled.push([index, term, result]) })(effect$).subscribe()
    effect$.next(apply(1, 2, 3))
    effect$.next(apply(3, 3, 7))
    scheduler.runUntil(0)
    expect(settled).toEqual([
      [1, 3, 2],
      [2, 3, 4],
      [3, 7, 6],
    ])
  })

  marbles('waits for a machine that answers later, and hands it the next commands meanwhile', ({ hot, scheduler, expectObservable }) => {
    const Apply = '  --b--c------------'
    const apply$ = ' --3--(456)--------'
    const Applied = '-------3--(456)---'
    const stateMachine: StateMachine<number, number> = (msg$) => doubling(msg$.pipe(delay(5, scheduler)))
    const handed$ = new Subject<number>()
    expectObservable(handed$.pipe(map((index) => `${index}`))).toBe(apply$)
    expectObservable(applied(options(scheduler, { stateMachine }), { tap: (index) => handed$.next(index) })(hot(Apply, effects))).toBe(
      Applied,
      events,
    )
  })

  it('whatever comes in groups and is answered in groups, each command is handed over and answered once, in order', () => {
    const runs = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12, size: 'max' })
    const groups = fc.integer({ min: 1, max: 5 })
    fc.assert(
      fc.property(runs, groups, fc.integer({ min: 1, max: 7 }), fc.boolean(), (lengths, group, maxAppliesPerTurn, later) => {
        const scheduler = new VirtualScheduler()
        const effect$ = new Subject<Effect>()
        const handed: number[] = []
        const settled: number[] = []
        const reported: number[] = []
        const stateMachine: StateMachine<number, number> = (msg$) => {
          const group$ = msg$.pipe(bufferCount(group))
          const answers$ = (later ? group$.pipe(delay(3, scheduler)) : group$).pipe(concatMap((msgs) => msgs))
          return doubling(answers$)
        }
        applied(options(scheduler, { stateMachine, maxAppliesPerTurn }), {
          tap: (index) => handed.push(index),
          settle: ({ index }) => settled.push(index),
        })(effect$).subscribe((event) => {
          if (event._tag === 'Applied') reported.push(event.index)
        })
        let last = 0
        for (const length of lengths) {
          effect$.next(apply(last + 1, last + length))
          last += length
        }
        scheduler.runUntil(100)
        const answered = last - (last % group)
        expect(handed).toEqual(Array.from({ length: last }, (_, i) => i + 1))
        expect(settled).toEqual(handed.slice(0, answered))
        expect(reported.at(-1) ?? 0).toBe(answered)
        expect(reported).toEqual([...new Set(reported)].sort((a, b) => a - b))
      }),
    )
  })

  it('hands over at most `maxAppliesPerTurn` commands, then lets others have a turn', () => {
    const turns = (maxAppliesPerTurn: number): ReadonlyArray<string> => {
      const scheduler = new VirtualScheduler()
      const effect$ = new Subject<Effect>()
      const seen: string[] = []
      applied(options(scheduler, { maxAppliesPerTurn }), { tap: (index) => seen.push(`${index}`) })(effect$).subscribe((event) => {
        if (event._tag === 'Applied') seen.push(`Applied ${event.index}`)
      })
      effect$.next(apply(1, 3))
      effect$.next(apply(4, 4))
      scheduler.schedule(() => seen.push('other'))
      scheduler.runUntil(0)
      return seen
    }
    expect(turns(4)).toEqual(['1', '2', '3', '4', 'Applied 4', 'other'])
    expect(turns(3)).toEqual(['1', '2', '3', 'Applied 3', 'other', '4', 'Applied 4'])
    expect(turns(1)).toEqual(['1', 'Applied 1', 'other', '2', 'Applied 2', '3', 'Applied 3', '4', 'Applied 4'])
  })

  marbles('passes an error of its effects on', ({ hot, scheduler, expectObservable }) => {
    expectObservable(applied(options(scheduler))(hot('--b-#', effects))).toBe('--3-#', events)
  })

  marbles(
    'unsubscribing ends the machine and hands over nothing more',
    ({ cold, hot, scheduler, expectObservable, expectSubscriptions }) => {
      const machine$ = cold<never>('-')
      const effect$ = hot('--a--b--', effects)
      const subscribed = ' ^---!'
      const handed$ = new Subject<number>()
      expectObservable(handed$.pipe(map((index) => `${index}`))).toBe('--(12)')
      expectObservable(
        applied(options(scheduler, { stateMachine: () => machine$ }), { tap: (index) => handed$.next(index) })(effect$),
        subscribed,
      ).toBe('-')
      expectSubscriptions(effect$.subscriptions).toBe(subscribed)
      expectSubscriptions(machine$.subscriptions).toBe(subscribed)
    },
  )

  it('unsubscribing while it hands over leaves the rest', () => {
    const scheduler = new VirtualScheduler()
    const effect$ = new Subject<Effect>()
    const handed: number[] = []
    const running = applied(options(scheduler), {
      tap: (index) => {
        handed.push(index)
        running.unsubscribe()
      },
    })(effect$).subscribe()
    effect$.next(apply(1, 3))
    scheduler.runUntil(9)
    expect(handed).toEqual([1])
  })

  describe('a snapshot', () => {
    const snapshotEffects: Record<string, Effect> = { ...effects, R: restore(1, 3), g: apply(4), S: restore(2, 5), f: apply(6) }
    const byteOf = (ref: number) => Uint8Array.of(ref)
    interface Recording {
      readonly read?: NonNullable<Options['readSnapshot']>
      readonly answersIn?: number
      readonly state?: Server
    }
    /** What the state machine is given, by machine, and with what it begins. */
    const recording = ({ read = (ref: number) => of(byteOf(ref)), answersIn = 0, state = newServer('n1') }: Recording = {}) => {
      const given$ = new Subject<string>()
      const stateMachine =
        (scheduler: Options['scheduler']): StateMachine<number, number> =>
        (msg$, snapshot) => {
          given$.next(snapshot === null ? 'n' : snapshot.data[0] === 1 ? 'R' : 'S')
          const seen$ = msg$.pipe(tap(({ index }) => given$.next(`${index}`)))
          return doubling(answersIn === 0 ? seen$ : seen$.pipe(delay(answersIn, scheduler)))
        }
      const running = (scheduler: Options['scheduler']) =>
        applied(options(scheduler, { readSnapshot: read, stateMachine: stateMachine(scheduler) }), {
          restored: ({ index }) => given$.next(`${index}`),
          state,
        })
      return { given$, running }
    }

    marbles(
      'begins the machine anew; what comes after waits for it to be read',
      ({ hot, cold, scheduler, expectObservable, expectSubscriptions }) => {
        const Apply = '  --a--R-c--------' // R: the snapshot after 3
        const read = '   -----^---!'
        const given = '  n-(12)---(3R456)' // n: the machine begins without one
        const Applied = '--2------(36)---'
        const bytes$ = cold('----(r|)', { r: byteOf(1) })
        const { given$, running } = recording({ read: () => bytes$ })
        expectObservable(given$).toBe(given)
        expectObservable(running(scheduler)(hot(Apply, snapshotEffects))).toBe(Applied, events)
        expectSubscriptions(bytes$.subscriptions).toBe(read)
      },
    )

    marbles('waits for the answers to what was given before it', ({ hot, scheduler, expectObservable }) => {
      const Apply = '  --aR------f-----'
      const given = '  n-(12)(3R)6-----'
      const Applied = '------(123)---6-'
      const { given$, running } = recording({ answersIn: 4 })
      expectObservable(given$).toBe(given)
      expectObservable(running(scheduler)(hot(Apply, snapshotEffects))).toBe(Applied, events)
    })

    const { log, ...begun } = newServer('n1')
    const beginsAfterThree: Server = { ...begun, log: logFrom({ ...log.base, index: logIndex(3) }) }

    marbles('comes first where the log begins after it: nothing is given before', ({ hot, cold, scheduler, expectObservable }) => {
      const { given$, running } = recording({ state: beginsAfterThree, read: () => cold('--(r|)', { r: byteOf(1) }) })
      expectObservable(given$).toBe('----(3R456)')
      expectObservable(running(scheduler)(hot('--Rc----', snapshotEffects))).toBe('----(36)', events)
    })

    marbles('comes after snapshot, each before the commands that follow it', ({ hot, cold, scheduler, expectObservable }) => {
      const { given$, running } = recording({ read: (ref) => cold('------(r|)', { r: byteOf(ref) }) })
      expectObservable(given$).toBe('n------(3R4)-(5S6)')
      expectObservable(running(scheduler)(hot('-(RgSf)---', snapshotEffects))).toBe('-------(34)--(56)', events)
    })

    marbles('that cannot be read ends it, with the error of the disk', ({ hot, cold, scheduler, expectObservable }) => {
      const { running } = recording({ read: () => cold<Uint8Array>('--#', {}, 'EIO') })
      expectObservable(running(scheduler)(hot('--Rc----', snapshotEffects))).toBe('----#', {}, 'EIO')
    })

    marbles('whose read gives nothing ends it: the state machine would wait for ever', ({ hot, cold, scheduler, expectObservable }) => {
      const { given$, running } = recording({ read: () => cold<Uint8Array>('--|') })
      expectObservable(given$).toBe('n')
      expectObservable(running(scheduler)(hot('--Rc----', snapshotEffects))).toBe(
        '----#',
        {},
        {
          _tag: 'StorageFailed',
          message: 'The storage completed its read of the snapshot of index 3 without a value: it must give the bytes, or fail.',
        },
      )
    })

    marbles('is read no more when nobody waits for it', ({ hot, cold, scheduler, expectObservable, expectSubscriptions }) => {
      const bytes$ = cold<Uint8Array>('-----r')
      const { running } = recording({ read: () => bytes$ })
      expectObservable(running(scheduler)(hot('--R-----', snapshotEffects)), '^---!').toBe('-')
      expectSubscriptions(bytes$.subscriptions).toBe('--^-!')
    })

    marbles('stops a server that has no use for any', ({ hot, scheduler, expectObservable }) => {
      const message =
        'The log begins after a snapshot, and this server has no option `snapshots`: all servers of a cluster need it, or none.'
      expectObservable(applied(options(scheduler))(hot('--R', snapshotEffects))).toBe('--#', {}, failed(message))
    })
  })

  describe('a state machine that breaks its contract stops the server', () => {
    const answer =
      (...indexes: ReadonlyArray<number>): StateMachine<number, number> =>
      (msg$) =>
        msg$.pipe(concatMap(() => indexes.map((index) => ({ index: logIndex(index), result: 0 }))))
    const outOf = (index: number, expected: string): string =>
      `The state machine answered for index ${index} where ${expected}: answer each command once, in order.`

    it.each<{
      readonly what: string
      readonly stateMachine: StateMachine<number, number>
      readonly message: string
      readonly cause?: unknown
    }>([
      { what: 'answers for a later one', stateMachine: answer(4), message: outOf(4, '3 was next') },
      { what: 'answers for an earlier one', stateMachine: answer(2), message: outOf(2, '3 was next') },
      { what: 'answers twice', stateMachine: answer(3, 3), message: outOf(3, 'nothing was asked') },
      { what: 'answers for what it was not given', stateMachine: answer(3, 4), message: outOf(4, 'nothing was asked') },
      {
        what: 'completes',
        stateMachine: (msg$) => doubling(msg$.pipe(take(1))),
        message: 'The state machine completed while its server runs: it must answer as long as it is subscribed to.',
      },
      {
        what: 'fails',
        stateMachine: map(() => {
          throw new Error('overflow')
        }),
        message: 'The state machine failed; what it threw is the cause.',
        cause: new Error('overflow'),
      },
    ])('$what', ({ stateMachine, message, cause }) =>
      inVirtualTime(({ hot, scheduler, expectObservable }) => {
        expectObservable(applied(options(scheduler, { stateMachine: stateMachine }))(hot('--b', effects)).pipe(ignoreElements())).toBe(
          '--#',
          {},
          failed(message, cause),
        )
      }),
    )

    marbles('answers before it is asked', ({ cold, scheduler, expectObservable }) => {
      expectObservable(applied(options(scheduler, { stateMachine: () => [{ index: logIndex(1), result: 0 }] }))(cold<Effect>('-'))).toBe(
        '#',
        {},
        failed(outOf(1, 'nothing was asked')),
      )
    })

    marbles('throws where it should give a stream', ({ cold, scheduler, expectObservable }) => {
      const stateMachine = () => {
        throw new Error('no table')
      }
      expectObservable(applied(options(scheduler, { stateMachine }))(cold<Effect>('-'))).toBe(
        '#',
        {},
        failed('The state machine failed; what it threw is the cause.', new Error('no table')),
      )
    })

    marbles('a command that the codec cannot read is a failure too, and nobody else’s', ({ hot, scheduler, expectObservable }) => {
      const decode = () => {
        throw new SyntaxError('not JSON')
      }
      expectObservable(applied(options(scheduler, { decode }))(hot('--b', effects))).toBe(
        '--#',
        {},
        failed(
          'The command at index 3 cannot be decoded: every server of a cluster must use the same codec. What `decode` threw is the cause.',
          new SyntaxError('not JSON'),
        ),
      )
    })
  })
})
