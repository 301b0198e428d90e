import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import {
  debounceTime,
  delay,
  interval,
  map,
  merge,
  observeOn,
  of,
  type SchedulerAction,
  type SchedulerLike,
  Subject,
  type Subscription,
  take,
  timer,
} from 'rxjs'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { Alarm } from '../../streams/testing/simulate/alarm.js'

/** The slow, obvious twin: looks through everything it holds for what is due first. */
class NaiveScheduler {
  private readonly actions: { readonly dueMs: number; readonly order: number; readonly run: () => void }[] = []
  private order = 0
  private timeMs = 0

  now(): number {
    return this.timeMs
  }

  schedule(run: () => void, delayMs: number): { unsubscribe(): void } {
    const action = { dueMs: this.timeMs + Math.max(0, Math.ceil(delayMs)), order: this.order++, run }
    this.actions.push(action)
    return {
      unsubscribe: () => {
        const place = this.actions.indexOf(action)
        if (place >= 0) this.actions.splice(place, 1)
      },
    }
  }

  runUntil(timeMs: number): void {
    for (;;) {
      const next = [...this.actions].sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0]
      if (next === undefined || next.dueMs > timeMs) break
      this.actions.splice(this.actions.indexOf(next), 1)
      this.timeMs = next.dueMs
      next.run()
    }
    this.timeMs = Math.max(this.timeMs, timeMs)
  }
}

describe('the order of actions', () => {
  it('is that of their due times, and of scheduling where these are equal', () => {
    const scheduler = new VirtualScheduler()
    const ran: string[] = []
    const at = (delayMs: number, name: string) => scheduler.schedule(() => ran.push(`${name} ${scheduler.now()}`), delayMs)
    at(5, 'a')
    at(3, 'b')
    at(5, 'c')
    at(0, 'd')
    at(3, 'e')
    at(-1, 'f')
    at(0.2, 'g')
    scheduler.runUntil(4)
    expect(ran).toEqual(['d 0', 'f 0', 'g 1', 'b 3', 'e 3'])
    expect(scheduler.now()).toBe(4)
    scheduler.runUntil(9)
    expect(ran.slice(5)).toEqual(['a 5', 'c 5'])
    expect(scheduler.now()).toBe(9)
  })

  it('is kept between actions with a delay and without', () => {
    const scheduler = new VirtualScheduler()
    const ran: string[] = []
    scheduler.schedule(() => {
      ran.push('a')
      scheduler.schedule(() => ran.push('c'))
    }, 5)
    scheduler.schedule(() => ran.push('b'), 5) // due at the same time as c, and scheduled before it
    scheduler.runUntil(5)
    expect(ran).toEqual(['a', 'b', 'c'])
  })

  it('is that of a list which is sorted anew each time', () => {
    const action = fc.record({
      delayMs: fc.integer({ min: -1, max: 6 }),
      /** What it does when it runs: schedules so many more, and cancels one of those there are. */
      spawns: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 2 }),
      cancels: fc.option(fc.nat(30), { nil: null }),
    })
    const script = fc.array(fc.oneof(fc.record({ runMs: fc.nat(5) }), fc.record({ schedule: action }), fc.record({ cancel: fc.nat(30) })), {
      maxLength: 50,
      size: 'max',
    })

    const play = (
      scheduler: Pick<NaiveScheduler, 'now' | 'schedule' | 'runUntil'>,
      steps: ReadonlyArray<object>,
    ): ReadonlyArray<string> => {
      const ran: string[] = []
      const handles: { unsubscribe(): void }[] = []
      let names = 0
      const schedule = (delayMs: number, spawns: ReadonlyArray<number>, cancels: number | null): void => {
        const name = names++
        handles.push(
          scheduler.schedule(() => {
            ran.push(`${name} at ${scheduler.now()}`)
            for (const spawned of spawns) schedule(spawned, [], null)
            if (cancels !== null) handles[cancels % handles.length]!.unsubscribe()
          }, delayMs),
        )
      }
      for (const step of steps as ReadonlyArray<{
        readonly runMs?: number
        readonly schedule?: { delayMs: number; spawns: number[]; cancels: number | null }
        readonly cancel?: number
      }>) {
        if (step.runMs !== undefined) scheduler.runUntil(scheduler.now() + step.runMs)
        if (step.schedule !== undefined) schedule(step.schedule.delayMs, step.schedule.spawns, step.schedule.cancels)
        if (step.cancel !== undefined && handles.length > 0) handles[step.cancel % handles.length]!.unsubscribe()
      }
      scheduler.runUntil(scheduler.now() + 100)
      return ran
    }
    fc.assert(
      fc.property(script, (steps) => {
        expect(play(new VirtualScheduler(), steps)).toEqual(play(new NaiveScheduler(), steps))
      }),
      { numRuns: 200 },
    )
  })
})

it('what is taken back leaves the others in their order', () => {
  const delays = fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.boolean()), { maxLength: 80, size: 'max' })
  fc.assert(
    fc.property(delays, (given) => {
      const scheduler = new VirtualScheduler()
      const ran: number[] = []
      const actions = given.map(([delayMs]) => scheduler.schedule(() => ran.push(delayMs), delayMs))
      given.forEach(([, taken], i) => {
        if (taken) actions[i]!.unsubscribe()
      })
      scheduler.runUntil(1_000)
      expect(ran).toEqual(
        given
          .filter(([, taken]) => !taken)
          .map(([delayMs]) => delayMs)
          .sort((a, b) => a - b),
      )
    }),
    { numRuns: 300 },
  )
})

describe('an action', () => {
  it('can schedule itself again, with another delay and another state', () => {
    const scheduler = new VirtualScheduler()
    const ran: string[] = []
    scheduler.schedule(
      function (this: SchedulerAction<number>, state = 0) {
        ran.push(`${state} at ${scheduler.now()}`)
        if (state < 3) this.schedule(state + 1, state * 10)
      },
      5,
      0,
    )
    scheduler.runUntil(100)
    expect(ran).toEqual(['0 at 5', '1 at 5', '2 at 15', '3 at 35'])
  })

  it('that is scheduled again while it waits has one due time, the last', () => {
    const scheduler = new VirtualScheduler()
    const ran: string[] = []
    const actionOf = (name: string, delayMs: number): SchedulerAction<unknown> =>
      scheduler.schedule(() => ran.push(`${name} at ${scheduler.now()}`), delayMs) as SchedulerAction<unknown>
    actionOf('later', 5).schedule(undefined, 7)
    actionOf('sooner', 5).schedule(undefined, 3)
    actionOf('put off', 0).schedule(undefined, 4)
    actionOf('put on', 6).schedule(undefined, 0)
    const behind = actionOf('behind', 0)
    actionOf('before', 0)
    behind.schedule(undefined, 0)
    scheduler.runUntil(100)
    expect(ran).toEqual(['put on at 0', 'before at 0', 'behind at 0', 'sooner at 3', 'put off at 4', 'later at 7'])
  })

  it('is closed when it has run and did not schedule itself again, or was unsubscribed from', () => {
    const scheduler = new VirtualScheduler()
    const once = scheduler.schedule(() => undefined, 1)
    const never = scheduler.schedule(() => {
      throw new Error('ran')
    }, 1)
    const turn = scheduler.schedule(() => {
      throw new Error('ran')
    })
    never.unsubscribe()
    turn.unsubscribe()
    expect([once, never, turn].map(({ closed }) => closed)).toEqual([false, true, true])
    scheduler.runUntil(5)
    expect(once.closed).toBe(true)
  })

  it('can unsubscribe itself, and then does not come again', () => {
    const scheduler = new VirtualScheduler()
    let runs = 0
    const self: Subscription = scheduler.schedule(function (this: SchedulerAction<unknown>) {
      runs++
      self.unsubscribe()
      this.schedule(undefined, 1)
    }, 1)
    scheduler.runUntil(9)
    expect(runs).toBe(1)
  })

  it('that throws is done; those after it run when time goes on', () => {
    const scheduler = new VirtualScheduler()
    const ran: string[] = []
    scheduler.schedule(() => {
      throw new Error('bad')
    }, 1)
    scheduler.schedule(() => ran.push('good'), 1)
    expect(() => scheduler.runUntil(2)).toThrow('bad')
    scheduler.runUntil(2)
    expect(ran).toEqual(['good'])
  })
})

describe('virtual time', () => {
  it('moves step by step: from one due action to the next', () => {
    const scheduler = new VirtualScheduler()
    const seen: number[] = []
    for (const ms of [7, 3]) scheduler.schedule(() => seen.push(scheduler.now()), ms)
    expect([scheduler.step(), scheduler.step(6), scheduler.now(), scheduler.step(7), scheduler.step()]).toEqual([
      true,
      false,
      3,
      true,
      false,
    ])
    expect(seen).toEqual([3, 7])
  })

  it('never goes back, and runs nothing that is due after the time it is told', () => {
    const scheduler = new VirtualScheduler()
    scheduler.runUntil(10)
    let ran = false
    scheduler.schedule(() => {
      ran = true
    })
    scheduler.runUntil(5)
    expect([scheduler.now(), ran]).toEqual([10, false])
    scheduler.runUntil(10)
    expect(ran).toBe(true)
  })

  it('an action that is never due is no action', () => {
    const scheduler = new VirtualScheduler()
    scheduler.schedule(() => undefined, Number.POSITIVE_INFINITY)
    expect(scheduler.step()).toBe(false)
  })
})

describe('what RxJS’s own virtual time cannot do', () => {
  it('repeats an interval 100,000 times, and ends it', () => {
    const scheduler = new VirtualScheduler()
    let ticks = 0
    const ticking = interval(50, scheduler).subscribe(() => ticks++)
    scheduler.runUntil(5_000_000)
    expect(ticks).toBe(100_000)
    ticking.unsubscribe()
    expect(scheduler.step()).toBe(false)
  })

  it('holds nothing of what is over, run or unsubscribed', () => {
    const scheduler = new VirtualScheduler()
    const held = () => {
      const { heap, turns } = scheduler as unknown as { readonly heap: ReadonlyArray<unknown>; readonly turns: ReadonlyArray<unknown> }
      return [heap.length, turns.length]
    }
    for (let i = 0; i < 10_000; i++) {
      scheduler.schedule(() => undefined, i % 7).unsubscribe()
      scheduler.schedule(() => undefined, i % 7)
      scheduler.runUntil(i)
    }
    scheduler.runUntil(20_000)
    expect(held()).toEqual([0, 0])
    // A turn always waits, as under load: what has had its turn is let go of all the same.
    let least = Number.POSITIVE_INFINITY
    scheduler.schedule(
      function (this: SchedulerAction<number>, left = 0) {
        least = Math.min(least, held()[1]!)
        for (let i = 0; i < 5_000; i++) scheduler.schedule(() => undefined).unsubscribe()
        if (left > 0) this.schedule(left - 1)
      },
      0,
      20,
    )
    scheduler.runUntil(20_000)
    expect(held()).toEqual([0, 0])
    expect(least).toBeLessThan(5_000)
  })
})

describe('RxJS on it', () => {
  /** What `stream$` emits, and when. */
  const seen = (
    make: (scheduler: SchedulerLike) => { subscribe(next: (value: unknown) => void): Subscription },
    untilMs = 50,
  ): ReadonlyArray<string> => {
    const scheduler = new VirtualScheduler()
    const values: string[] = []
    make(scheduler).subscribe((value) => values.push(`${String(value)} at ${scheduler.now()}`))
    scheduler.runUntil(untilMs)
    return values
  }

  it('timer', () => {
    expect(seen((scheduler) => timer(5, scheduler))).toEqual(['0 at 5'])
    expect(seen((scheduler) => timer(5, 10, scheduler).pipe(take(3)))).toEqual(['0 at 5', '1 at 15', '2 at 25'])
  })

  it('interval', () => {
    expect(seen((scheduler) => interval(20, scheduler))).toEqual(['0 at 20', '1 at 40'])
  })

  it('delay', () => {
    expect(seen((scheduler) => of('a', 'b').pipe(delay(7, scheduler)))).toEqual(['a at 7', 'b at 7'])
  })

  it('observeOn', () => {
    expect(seen((scheduler) => of('a', 'b').pipe(observeOn(scheduler, 3)))).toEqual(['a at 3', 'b at 3'])
    const scheduler = new VirtualScheduler()
    const values: string[] = []
    of('a', 'b')
      .pipe(observeOn(scheduler))
      .subscribe((value) => values.push(value))
    expect(values).toEqual([])
    scheduler.runUntil(0)
    expect(values).toEqual(['a', 'b'])
  })

  it('debounceTime', () => {
    const at = (ms: number, scheduler: SchedulerLike) => timer(ms, scheduler).pipe(map(() => ms))
    expect(
      seen((scheduler) => merge(at(1, scheduler), at(4, scheduler), at(20, scheduler), new Subject()).pipe(debounceTime(5, scheduler))),
    ).toEqual(['4 at 9', '20 at 25'])
  })
})

describe('an alarm', () => {
  it('rings when it was last set to, in its order among actions, as often as it is set', () => {
    const scheduler = new VirtualScheduler()
    const seen: string[] = []
    const tell = (what: string) => seen.push(`${what} at ${scheduler.now()}`)
    const alarm = new Alarm(scheduler, () => {
      tell('rings')
      if (scheduler.now() < 20) alarm.set(5)
    })
    scheduler.schedule(() => tell('before'), 10)
    alarm.set(3)
    alarm.set(10)
    scheduler.schedule(() => tell('after'), 10)
    scheduler.runUntil(100)
    expect(seen).toEqual(['before at 10', 'rings at 10', 'after at 10', 'rings at 15', 'rings at 20'])
    expect(alarm.isSet).toBe(false)
  })

  it('set to 0 it rings in the next turn; cleared, not at all', () => {
    const scheduler = new VirtualScheduler()
    let rings = 0
    const alarm = new Alarm(scheduler, () => rings++)
    alarm.set(0)
    expect([rings, alarm.isSet]).toEqual([0, true])
    scheduler.runUntil(0)
    alarm.set(0)
    alarm.clear()
    alarm.set(7)
    alarm.clear()
    alarm.clear()
    scheduler.runUntil(50)
    expect([rings, alarm.isSet]).toEqual([1, false])
  })
})
