import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { NEVER, Subject, timer } from 'rxjs'
import type { Effect } from '../../src/raft/effect.js'
import { createClock } from '../../streams/time/clock.js'
import { electionTimer } from '../../streams/sinks/electionTimer.js'

/**
 * An event loop that is turned by hand: as Node's, timers first, then input, then what is to run soon. Time stands
 * still unless a test moves it.
 */
const eventLoop = () => {
  let nowMs = 0
  let timers: { readonly dueMs: number; readonly task: () => void }[] = []
  let input: (() => void)[] = []
  let tasks: (() => void)[] = []
  const run = (due: ReadonlyArray<() => void>): void => due.forEach((task) => task())
  const loop = {
    started: 0,
    clock: createClock({
      now: () => nowMs,
      startTimer: (task, delayMs) => {
        loop.started++
        // As Node's, which counts from a time that it has cached: up to a millisecond early.
        const timer = { dueMs: Math.floor(nowMs) + delayMs, task }
        timers.push(timer)
        return () => {
          timers = timers.filter((other) => other !== timer)
        }
      },
      soon: (task) => {
        tasks.push(task)
      },
    }),
    pass: (ms: number) => {
      nowMs += ms
    },
    now: () => nowMs,
    /** Something arrives, and is taken up in the next phase of input. */
    arrive: (task: () => void) => {
      input.push(task)
    },
    turn: () => {
      const due = timers.filter(({ dueMs }) => dueMs <= nowMs)
      timers = timers.filter(({ dueMs }) => dueMs > nowMs)
      run(due.map(({ task }) => task))
      const arrived = input
      input = []
      run(arrived)
      const soon = tasks
      tasks = []
      run(soon)
    },
    waitsFor: () => ({ timers: timers.length, tasks: tasks.length }),
  }
  return loop
}

describe('now', () => {
  it('is whole milliseconds, rounded up, and never decreases', () => {
    const { clock, pass } = eventLoop()
    const times = [0.2, 0.7, 0.1, 1].map((ms) => {
      pass(ms)
      return clock.now()
    })
    expect(times).toEqual([1, 1, 1, 2])
  })
})

describe('a timer', () => {
  /** Turns the loop, a little time after the other, until nothing is due any more. */
  const play = (loop: ReturnType<typeof eventLoop>, steps: ReadonlyArray<number>): void => {
    for (const ms of [...steps, ...Array.from({ length: 40 }, () => 1)]) {
      loop.pass(ms)
      loop.turn()
    }
  }
  const milliseconds = fc.integer({ min: 0, max: 40 }).map((tenths) => tenths / 10)

  it('never fires early, whatever fractions of a millisecond pass', () => {
    const script = fc.array(fc.tuple(milliseconds, fc.integer({ min: 1, max: 6 })), { maxLength: 20, size: 'max' })
    fc.assert(
      fc.property(script, fc.array(milliseconds), (timers, steps) => {
        const loop = eventLoop()
        const early: string[] = []
        let fired = 0
        for (const [ms, delayMs] of timers) {
          loop.pass(ms)
          loop.turn()
          const startedMs = loop.now()
          timer(delayMs, loop.clock).subscribe(() => {
            fired++
            if (loop.now() - startedMs < delayMs) early.push(`${delayMs} after ${loop.now() - startedMs}`)
          })
        }
        play(loop, steps)
        expect(early).toEqual([])
        expect(fired).toBe(timers.length)
      }),
    )
  })

  it('nor does an election timer that is armed again and again', () => {
    fc.assert(
      fc.property(fc.array(milliseconds, { minLength: 1, maxLength: 30, size: 'max' }), fc.array(milliseconds), (arms, steps) => {
        const loop = eventLoop()
        const effect$ = new Subject<Effect>()
        let armedMs = 0
        const waitedMs: number[] = []
        electionTimer({ timeoutMs: { min: 5, max: 5 }, random: () => 0, scheduler: loop.clock })(effect$, NEVER).subscribe(() =>
          waitedMs.push(loop.now() - armedMs),
        )
        for (const ms of arms) {
          loop.pass(ms)
          loop.turn()
          armedMs = loop.now()
          effect$.next({ _tag: 'ArmElectionTimer', generation: 1 })
        }
        play(loop, steps)
        expect(waitedMs.filter((ms) => ms < 5)).toEqual([])
        expect(waitedMs.length).toBeGreaterThan(0)
      }),
    )
  })

  it('may be due in a month', () => {
    const loop = eventLoop()
    const month = 31 * 24 * 3_600_000
    let fired = false
    timer(month, loop.clock).subscribe(() => {
      fired = true
    })
    loop.pass(2 ** 31)
    loop.turn()
    expect(fired).toBe(false)
    loop.pass(month - 2 ** 31)
    loop.turn()
    loop.turn()
    expect(fired).toBe(true)
  })

  it('keeps the host waiting only while somebody waits for it', () => {
    const { clock, waitsFor } = eventLoop()
    const [first, second] = [timer(600_000, clock).subscribe(), timer(900_000, clock).subscribe()]
    expect(waitsFor().timers).toBe(1)
    first.unsubscribe()
    expect(waitsFor().timers).toBe(1)
    second.unsubscribe()
    expect(waitsFor().timers).toBe(0)
    timer(5, clock).subscribe()
    expect(waitsFor().timers).toBe(1)
  })

  it('costs the host one of its own where an earlier one is there', () => {
    const loop = eventLoop()
    for (let ms = 10; ms < 1_000; ms++) timer(ms, loop.clock).subscribe()
    expect(loop.started).toBe(1)
  })
})

describe('a stall', () => {
  it('over, input that came meanwhile is heard before a timer acts', () => {
    const loop = eventLoop()
    const seen: string[] = []
    timer(300, loop.clock).subscribe(() => seen.push('election timeout'))
    loop.pass(5_000)
    loop.arrive(() => seen.push('heartbeat'))
    loop.turn()
    expect(seen).toEqual(['heartbeat', 'election timeout'])
  })

  it('of somebody who reads input, after which a turn is due: the timer waits for the input of its time', () => {
    const loop = eventLoop()
    const seen: string[] = []
    timer(300, loop.clock).subscribe(() => seen.push('election timeout'))
    loop.arrive(() => {
      loop.clock.schedule(() => seen.push('turn'))
      loop.pass(5_000) // it computes; a heartbeat arrives
      loop.arrive(() => seen.push('heartbeat'))
    })
    loop.turn()
    loop.turn()
    expect(seen).toEqual(['turn', 'heartbeat', 'election timeout'])
  })

  it('of an action, too', () => {
    const loop = eventLoop()
    const seen: string[] = []
    timer(300, loop.clock).subscribe(() => seen.push('election timeout'))
    loop.clock.schedule(() => {
      loop.pass(5_000)
      loop.arrive(() => seen.push('heartbeat'))
    })
    loop.clock.schedule(() => seen.push('turn'))
    loop.turn()
    loop.turn()
    expect(seen.indexOf('heartbeat')).toBeLessThan(seen.indexOf('election timeout'))
    expect(seen).toHaveLength(3)
  })
})

describe('a turn', () => {
  it('is after the present phase of input, and before the next', () => {
    const loop = eventLoop()
    const seen: string[] = []
    loop.arrive(() => {
      seen.push('first input')
      loop.clock.schedule(() => {
        seen.push('turn')
        loop.clock.schedule(() => seen.push('turn that it led to'))
      })
    })
    loop.arrive(() => seen.push('second input'))
    loop.turn()
    loop.arrive(() => seen.push('later input'))
    loop.turn()
    expect(seen).toEqual(['first input', 'second input', 'turn', 'turn that it led to', 'later input'])
  })

  it('goes on for 4 ms, and then lets input in', () => {
    const loop = eventLoop()
    let ran = 0
    const work = (): void => {
      ran++
      loop.pass(1)
      loop.clock.schedule(work)
    }
    loop.clock.schedule(work)
    const seen: number[] = []
    for (let i = 0; i < 3; i++) {
      loop.turn()
      seen.push(ran)
    }
    expect(seen).toEqual([4, 8, 12])
  })

  it('keeps no timer from acting, however many turns there are', () => {
    const loop = eventLoop()
    let turns = 0
    const work = (): void => {
      turns++
      loop.pass(1)
      loop.clock.schedule(work)
    }
    const firedMs: number[] = []
    timer(50, loop.clock).subscribe(() => firedMs.push(loop.now()))
    loop.clock.schedule(work)
    while (turns < 100) loop.turn()
    expect(firedMs).toHaveLength(1)
    expect(firedMs[0]).toBeLessThanOrEqual(50 + 2 * 4)
  })

  it('that throws costs the others nothing', () => {
    const loop = eventLoop()
    const seen: string[] = []
    loop.clock.schedule(() => {
      throw new Error('bad')
    })
    loop.clock.schedule(() => seen.push('good'))
    timer(3, loop.clock).subscribe(() => seen.push('timer'))
    expect(() => loop.turn()).toThrow('bad')
    loop.turn()
    loop.pass(9)
    loop.turn()
    expect(seen).toEqual(['good', 'timer'])
  })
})

describe('an action', () => {
  it('happens at one time, however long it takes; a delay counts from when it is asked for', () => {
    const loop = eventLoop()
    const { clock, pass } = loop
    const seen: string[] = []
    clock.schedule(() => {
      pass(30)
      seen.push(`at ${clock.now()}`)
      clock.schedule(() => seen.push(`due ${clock.now()}`), 10)
    })
    loop.turn()
    seen.push(`after ${clock.now()}`)
    for (let ms = 0; ms < 12; ms++) {
      pass(1)
      loop.turn()
    }
    expect(seen).toEqual(['at 0', 'after 30', 'due 40'])
  })
})
