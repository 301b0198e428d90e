import { describe, expect, it } from '@jest/globals'
import { timer } from 'rxjs'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { simulate } from '../../streams/testing/simulate.js'
import type { PlannedRound } from '../../streams/testing/simulate/plan.js'
import type { Workload } from '../../streams/testing/simulate/workload.js'
import { Gate } from '../../streams/testing/simulate/gate.js'
import { MonotonicClock } from '../../streams/testing/simulate/monotonicClock.js'
import { registers } from '../../streams/testing/simulate/registers.js'
import { SimulatedCluster } from '../../streams/testing/simulate/simulatedCluster.js'

/** A machine's clock, and what happened: `name simulated time/its own time`. */
const machine = () => {
  const scheduler = new VirtualScheduler()
  const gate = new Gate(scheduler)
  const clock = new MonotonicClock(gate)
  const seen: string[] = []
  const happens = (name: string) => () => void seen.push(`${name} ${scheduler.now()}/${clock.now()}`)
  return { scheduler, gate, clock, seen, happens }
}

describe('the clock of a simulated machine', () => {
  it('begins at any time, and runs as the scheduler does until its rate is changed', () => {
    const { scheduler, clock, seen, happens } = machine()
    clock.restart(1_000_000)
    clock.schedule(happens('late'), 20)
    clock.schedule(happens('turn'))
    clock.schedule(happens('early'), 10)
    scheduler.runUntil(100)
    expect(seen).toEqual(['turn 0/1000000', 'early 10/1000010', 'late 20/1000020'])
    expect(clock.moved).toBe(0)
  })

  it('that of a new process, later than the former one, does not wait for what that one waited for', () => {
    const { scheduler, clock, seen, happens } = machine()
    const former = clock.schedule(happens('former'), 5_000)
    scheduler.runUntil(100)
    clock.restart(1_000_000)
    clock.schedule(happens('due'), 10)
    former.unsubscribe()
    scheduler.runUntil(1_000)
    expect(seen).toEqual(['due 110/1000010'])
  })

  it.each([
    [0.1, '50/5'],
    [0.5, '10/5'],
    [0.9, '6/5'],
    [1.1, '5/5'],
    [2, '3/6'],
    [10, '1/10'],
  ])('at the rate of %d what is due in 5 ms comes when it shows that, or later for want of a millisecond: %s', (rate, when) => {
    const { scheduler, clock, seen, happens } = machine()
    clock.setRate(rate)
    clock.schedule(happens('due'), 5)
    scheduler.runUntil(100)
    expect(seen).toEqual([`due ${when}`])
    expect(clock.moved).toBe(when.startsWith('5/') ? 0 : 1)
  })

  it('a deadline is its own time: a change of the rate brings it nearer or takes it farther away', () => {
    const { scheduler, clock, seen, happens } = machine()
    for (const ms of [150, 300, 400]) clock.schedule(happens(String(ms)), ms)
    scheduler.runUntil(100)
    clock.setRate(10)
    scheduler.runUntil(110)
    clock.setRate(0.5)
    scheduler.runUntil(310)
    clock.setRate(1)
    scheduler.runUntil(1_000)
    expect(seen).toEqual(['150 105/150', '300 310/300', '400 410/400'])
    expect(clock.moved).toBe(2)
  })

  it('never goes back and never jumps, whatever becomes of its rate', () => {
    const { scheduler, clock } = machine()
    let before = clock.now()
    for (const [i, rate] of [0.1, 10, 0.9, 1, 1.1, 0.5, 2, 1].entries()) {
      clock.setRate(rate)
      expect(clock.now()).toBe(before)
      for (let ms = 1; ms <= 7; ms++) {
        scheduler.runUntil(i * 7 + ms)
        expect(clock.now()).toBeGreaterThanOrEqual(before)
        expect(clock.now()).toBeLessThanOrEqual(before + Math.ceil(rate))
        before = clock.now()
      }
    }
  })

  it('what repeats itself and what is taken back, also from a turn', () => {
    const { scheduler, clock, seen, happens } = machine()
    clock.setRate(0.5)
    const repeated = timer(0, 10, clock).subscribe(happens('tick'))
    const never = clock.schedule(happens('never'), 30)
    scheduler.runUntil(45)
    repeated.unsubscribe()
    never.unsubscribe()
    scheduler.runUntil(200)
    expect(seen).toEqual(['tick 0/0', 'tick 20/10', 'tick 40/20'])
  })

  it('stopped and slow at once: it goes on, and what fell due meanwhile happens when its process goes on', () => {
    const { scheduler, gate, clock, seen, happens } = machine()
    clock.setRate(0.5)
    clock.schedule(happens('meanwhile'), 10)
    clock.schedule(happens('after'), 40)
    gate.stopUntil(50)
    scheduler.runUntil(30)
    clock.setRate(2)
    scheduler.runUntil(100)
    expect(seen).toEqual(['meanwhile 50/55', 'after 50/55'])
    expect(gate.postponed).toBeGreaterThan(0)
  })

  it('one action at a time: others of the scheduler have their turns in between', () => {
    const { scheduler, clock, seen, happens } = machine()
    clock.schedule(happens('mine'))
    clock.schedule(happens('mine'))
    scheduler.schedule(happens('another’s'))
    scheduler.runUntil(0)
    expect(seen).toEqual(['mine 0/0', 'another’s 0/0', 'mine 0/0'])
  })
})

describe('clocks that run fast or slow', () => {
  const faults = { clockRate: 3, drop: 1, isolate: 1, crash: 1 }
  const runs = [1, 2, 3, 4, 5].map((seed) => simulate(seed, { forMs: 40_000, faults }))

  it('have an effect, and break no property', () => {
    expect(runs.map(({ violation }) => violation)).toEqual(runs.map(() => null))
    expect(runs.reduce((sum, run) => sum + run.faults.clockRate!.effective, 0)).toBeGreaterThan(10)
  })

  it('a fast one takes the lead and a slow leader loses it, where honest clocks elect once; when all are honest again everything recovers', () => {
    const with1 = (faults: PlannedRound['faults']) => simulate(1, { servers: 3, plan: [{ chaosMs: 20_000, faults }] })
    const elections = [7, 8, 9, 10, 11, 12].map((seed) => {
      const { violation, recoveries, ...run } = with1([{ name: 'clockRate', atMs: 2_000, forMs: 18_000, seed }])
      expect({ violation, recoveries }).toEqual({ violation: null, recoveries: 1 })
      return run.elections
    })
    expect(with1([]).elections).toBe(1)
    expect(Math.max(...elections)).toBeGreaterThan(1)
  })

  it('and no two begin at the same time, nor two lives of one', () => {
    const cluster = new SimulatedCluster({
      seed: 1,
      servers: 5,
      clients: 0,
      operationsPerSecond: 0,
      checks: true,
      tuning: {},
      workload: registers() as Workload<unknown, unknown>,
      keepsHistory: false,
      tell: null,
    })
    for (const server of cluster.servers) server.start()
    const first = cluster.servers.map(({ clock }) => clock.now())
    cluster.runUntil(1_000)
    expect(cluster.servers.map(({ clock }) => clock.now())).toEqual(first.map((ms) => ms + 1_000))
    for (const server of cluster.servers) server.crash('kept', 10)
    cluster.runUntil(1_010)
    const second = cluster.servers.map(({ clock }) => clock.now())
    expect(new Set([...first, ...second].map((ms) => Math.floor(ms / 2_000))).size).toBe(10)
  })
})
