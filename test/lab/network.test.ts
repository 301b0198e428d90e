import { describe, expect, it } from '@jest/globals'
import { from, NEVER, of } from 'rxjs'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import { labNetwork, type LabNetwork } from '../../streams/lab.js'
import { seeded } from '../../streams/testing/random.js'

/** What became of a call and when: the reply's first byte, or `lost`. */
type Outcome = readonly [atMs: number, what: number | 'lost']

const setup = (servers = 2) => {
  const scheduler = new VirtualScheduler()
  const network = labNetwork({ servers, scheduler, random: seeded(1) })
  const handled: number[] = []
  const serve = (me: number): void =>
    network.serve(me, ([first]) => {
      handled.push(scheduler.now())
      return of(Uint8Array.of(first!, 0, 0))
    })
  for (let me = 0; me < servers; me++) serve(me)
  const ends = network.ends(0)
  const outcomes: Outcome[] = []
  const call = (to: number, byte = 7): void => {
    let what: Outcome[1] = 'lost'
    from(ends[to]!.call(Uint8Array.of(byte, 0))).subscribe({
      next: ([first]) => (what = first!),
      complete: () => outcomes.push([scheduler.now(), what]),
    })
  }
  const run = (): ReadonlyArray<Outcome> => {
    scheduler.runUntil(scheduler.now() + 10_000)
    return outcomes.splice(0)
  }
  return { scheduler, network, handled, serve, call, run }
}

const many = ({ call, run, scheduler }: ReturnType<typeof setup>, calls = 4_000) => {
  const startMs = scheduler.now()
  for (let i = 0; i < calls; i++) call(1)
  const outcomes = run().map(([atMs, what]) => [atMs - startMs, what] as const)
  expect(outcomes).toHaveLength(calls)
  const times = (wanted: (what: Outcome[1]) => boolean) => outcomes.filter(([, what]) => wanted(what)).map(([atMs]) => atMs)
  return { lost: times((what) => what === 'lost'), replied: times((what) => what !== 'lost') }
}

describe('the lab network', () => {
  it('reliable: nothing is lost or late, and nothing is delivered within the call', () => {
    const { call, handled, run } = setup()
    call(1)
    expect(handled).toEqual([])
    expect(run()).toEqual([[0, 7]])
  })

  it('counts requests, the bytes of requests and of the replies that arrive', () => {
    const { call, network, run } = setup()
    call(1)
    call(1)
    expect(network.counts()).toEqual({ requests: 2, bytes: 4 })
    run()
    expect(network.counts()).toEqual({ requests: 2, bytes: 10 })
    expect([network.requestsTo(0), network.requestsTo(1)]).toEqual([0, 2])
  })

  it('unreliable: requests take 0 to 26 ms, a tenth is lost and a tenth of the replies; a loss is told at once', () => {
    const lab = setup()
    lab.network.reliable = false
    const { lost, replied } = many(lab)
    expect(lost.length / 4_000).toBeCloseTo(0.19, 1)
    expect(lab.handled.length / 4_000).toBeCloseTo(0.9, 1)
    expect([Math.min(...replied), Math.max(...replied)]).toEqual([0, 26])
    expect([Math.min(...lost), Math.max(...lost)]).toEqual([0, 26])
  })

  it('long reordering: two thirds of the replies are held for 200 ms and up to 2 s more', () => {
    const lab = setup()
    lab.network.longReordering = true
    const { lost, replied } = many(lab)
    expect(lost).toEqual([])
    const held = replied.filter((atMs) => atMs > 0)
    expect(held.length / 4_000).toBeCloseTo(2 / 3, 1)
    expect(Math.min(...held)).toBe(200)
    expect(Math.max(...held)).toBeLessThan(2_200)
    // rand(rand(2000)): half of them by 400 ms or so, not by 1,200.
    const sorted = [...held].sort((a, b) => a - b)
    expect(sorted[Math.floor(sorted.length / 2)]).toBeGreaterThan(450)
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(650)
  })

  const nobody: ReadonlyArray<readonly [string, (network: LabNetwork) => void]> = [
    ['a cut-off caller', (network) => network.cut(0)],
    ['a cut-off server', (network) => network.cut(1)],
    ['a dead server', (network) => network.remove(1)],
    ['a former life of the caller', (network) => void network.ends(0)],
  ]

  it.each(nobody)('long delays: the call of or to %s fails within 7 s', (_, happens) => {
    const lab = setup()
    happens(lab.network)
    const { lost, replied } = many(lab)
    expect(replied).toEqual([])
    expect(lab.handled).toEqual([])
    expect(Math.min(...lost)).toBeLessThan(100)
    expect(Math.max(...lost)).toBeGreaterThan(6_900)
    expect(Math.max(...lost)).toBeLessThanOrEqual(7_000)
  })

  it('without long delays within 0.1 s', () => {
    const lab = setup()
    lab.network.longDelays = false
    lab.network.cut(1)
    expect(Math.max(...many(lab).lost)).toBeLessThanOrEqual(100)
  })

  it.each(nobody)('what is under way when there is %s is lost, and the handler is not asked', (_, happens) => {
    const lab = setup()
    lab.call(1)
    happens(lab.network)
    expect(lab.run()).toEqual([[0, 'lost']])
    expect(lab.handled).toEqual([])
  })

  it('joined again, all is as before; a new life answers in the place of the former', () => {
    const { network, call, run, serve } = setup()
    network.cut(1)
    network.connect(1)
    network.remove(1)
    serve(1)
    call(1)
    expect(network.isConnected(1)).toBe(true)
    expect(run()).toEqual([[0, 7]])
  })

  it('a handler that answers nothing, or fails, is a call that is lost', () => {
    const { network, call, run } = setup()
    network.serve(1, () => [])
    call(1)
    network.serve(1, () => Promise.reject(new Error('no')))
    expect(run()).toEqual([[0, 'lost']])
    network.serve(1, () => NEVER)
    call(1)
    expect(run()).toEqual([])
  })
})
