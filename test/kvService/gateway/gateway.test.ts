import { describe, expect, it } from '@jest/globals'
import { either } from 'fp-ts'
import { BehaviorSubject } from 'rxjs'
import { revision } from '../../../src/kv/ids.js'
import { key, withPrefix } from '../../../src/kv/key.js'
import type { KvReply } from '../../../streams/kv/reply.js'
import { record } from '../cluster.js'
import { requests, scripted, written } from './scripted.js'

const { 'a read': read, 'a write': write, 'a write in a session': sessionWrite } = requests
const names = Object.keys(requests) as ReadonlyArray<keyof typeof requests>
const repeatable = names.filter((name) => name !== 'a write')

describe('a request goes to the leader', () => {
  it('that is this server: the store replies', () => {
    const { leader$, execute, reply, asked } = scripted()
    leader$.next('n1')
    const outcome = execute(write)
    reply(written)
    expect(asked()).toEqual(['n1'])
    expect(outcome).toMatchObject({ values: [{ _tag: 'Replied', result: written }], completed: true })
  })

  it('that is another server: its answer comes back unread', () => {
    const { leader$, execute, deliver, asked, gateway } = scripted()
    leader$.next('n2')
    const outcome = execute(write)
    deliver({ _tag: 'Answered', answer: 'an answer' })
    expect(asked()).toEqual(['n2 put'])
    expect(outcome).toMatchObject({ values: [{ _tag: 'Forwarded', answer: 'an answer' }], completed: true })
    expect(gateway.counts()).toEqual({ requests: 0, forwarded: 1, watches: 0 })
  })

  it('when one is known', () => {
    const { leader$, execute, reply, asked, run } = scripted()
    const outcome = execute(write)
    run(900)
    expect([asked(), outcome.values]).toEqual([[], []])
    leader$.next('n1')
    reply(written)
    expect(outcome.values).toEqual([{ _tag: 'Replied', result: written }])
  })

  it('when its address is known', () => {
    const { leader$, execute, asked, run, gateway } = scripted()
    leader$.next('n4')
    const outcome = execute(write)
    run(1_000)
    expect(outcome.values).toEqual([{ _tag: 'NoLeader', waitedMs: 1_000 }])
    expect([asked(), gateway.counts().forwarded]).toEqual([[], 0])
  })

  it.each(repeatable)('that is new, where the former one fell silent and the request is %s', (name) => {
    const { leader$, execute, reply, asked, isGivenUp } = scripted()
    leader$.next('n2')
    const outcome = execute(requests[name])
    leader$.next(null)
    expect(isGivenUp(0)).toBe(false)
    leader$.next('n1')
    expect([asked(), isGivenUp(0)]).toEqual([['n2 put', 'n1'], true])
    reply(written)
    expect(outcome.values).toEqual([{ _tag: 'Replied', result: written }])
  })

  it('but a write that could be done twice waits for the former one', () => {
    const { leader$, execute, deliver, asked } = scripted()
    leader$.next('n2')
    const outcome = execute(write)
    leader$.next('n1')
    expect(asked()).toEqual(['n2 put'])
    deliver({ _tag: 'Answered', answer: 'done' })
    expect(outcome.values).toEqual([{ _tag: 'Forwarded', answer: 'done' }])
  })
})

describe('a request that another server forwarded', () => {
  it.each([null, 'n2', 'n4'])('is not forwarded again where the leader is %s', (leader) => {
    const { leader$, execute, asked } = scripted()
    leader$.next(leader)
    const outcome = execute(write, { isForwarded: true })
    expect([outcome.values, asked()]).toEqual([[{ _tag: 'NotLeader', leader }], []])
  })

  it('is answered "not the leader" where this server has just stopped leading', () => {
    const { leader$, execute, reply } = scripted()
    leader$.next('n1')
    const outcome = execute(write, { isForwarded: true })
    reply({ _tag: 'NotLeader', leader: 'n3' })
    expect(outcome.values).toEqual([{ _tag: 'NotLeader', leader: 'n3' }])
  })

  it.each(names)('and is in doubt, is not tried again here: %s', (name) => {
    const { leader$, execute, reply, asked } = scripted()
    leader$.next('n1')
    const outcome = execute(requests[name], { isForwarded: true })
    reply({ _tag: 'Indeterminate' })
    expect([outcome.values, asked()]).toEqual([[{ _tag: 'Indeterminate' }], ['n1']])
  })
})

describe('"not done" and "unknown"', () => {
  const notDone: ReadonlyArray<KvReply> = [
    { _tag: 'NotLeader', leader: null },
    { _tag: 'NotLeader', leader: 'n2' },
  ]

  it.each(notDone.flatMap((reply) => names.map((name) => ({ name, reply }))))('$name is tried again after $reply', ({ name, reply }) => {
    const cluster = scripted()
    cluster.leader$.next('n1')
    const outcome = cluster.execute(requests[name])
    cluster.reply(reply)
    expect([outcome.values, cluster.asked()]).toEqual([[], ['n1']])
    cluster.run(100)
    expect(cluster.asked()).toEqual(['n1', 'n1'])
    cluster.leader$.next(null)
    cluster.reply({ _tag: 'NotLeader', leader: null })
    cluster.run(900)
    expect(outcome.values).toEqual([{ _tag: 'NoLeader', waitedMs: 1_000 }])
  })

  it.each((['NotLeader', 'NeverSent'] as const).flatMap((tag) => names.map((name) => ({ name, tag }))))(
    '$name is tried again after $tag of another server',
    ({ name, tag }) => {
      const cluster = scripted()
      cluster.leader$.next('n2')
      const outcome = cluster.execute(requests[name])
      cluster.deliver({ _tag: tag })
      expect([outcome.values, cluster.asked()]).toEqual([[], ['n2 put']])
      cluster.run(100)
      cluster.deliver({ _tag: tag })
      cluster.leader$.next(null)
      cluster.run(900)
      expect(outcome.values).toEqual([{ _tag: 'NoLeader', waitedMs: 1_000 }])
    },
  )

  it('a refusal of the store is an answer', () => {
    const { leader$, execute, reply } = scripted()
    leader$.next('n1')
    const outcome = execute(write)
    reply({ _tag: 'KeyEmpty' })
    expect(outcome.values).toEqual([{ _tag: 'Replied', result: { _tag: 'KeyEmpty' } }])
  })

  it('"overloaded" says that nothing was done', () => {
    const { leader$, execute, reply } = scripted()
    leader$.next('n1')
    const outcome = execute(write)
    reply({ _tag: 'Overloaded', limit: 'maxProposals' })
    expect(outcome.values).toEqual([{ _tag: 'Overloaded', limit: 'maxProposals' }])
  })

  it.each(['Lost', 'Indeterminate'] as const)('a write that another server may have done is unknown: %s', (tag) => {
    const { leader$, execute, deliver, asked, run } = scripted()
    leader$.next('n2')
    const outcome = execute(write)
    deliver({ _tag: tag })
    run(2_000)
    expect([outcome.values, asked()]).toEqual([[{ _tag: 'Indeterminate' }], ['n2 put']])
  })

  it.each((['Lost', 'Indeterminate'] as const).flatMap((tag) => repeatable.map((name) => ({ name, tag }))))(
    'but $name is tried again after $tag',
    ({ name, tag }) => {
      const cluster = scripted()
      cluster.leader$.next('n2')
      const outcome = cluster.execute(requests[name])
      cluster.deliver({ _tag: tag })
      cluster.leader$.next('n3')
      cluster.deliver({ _tag: 'Answered', answer: 'once' })
      expect([outcome.values, cluster.asked()]).toEqual([[{ _tag: 'Forwarded', answer: 'once' }], ['n2 put', 'n3 put']])
    },
  )

  it.each([
    ['a write in a session', { _tag: 'Indeterminate' }],
    ['a read', { _tag: 'NoLeader', waitedMs: 1_000 }],
  ] as const)('an answer that was lost is not forgotten: %s that finds no leader after it', (name, last) => {
    const { leader$, execute, deliver, run } = scripted()
    leader$.next('n2')
    const outcome = execute(requests[name])
    deliver({ _tag: 'Lost' })
    leader$.next(null)
    run(1_000)
    expect(outcome.values).toEqual([last])
  })

  it.each([
    ['a write in a session', { _tag: 'Indeterminate' }],
    ['a read', { _tag: 'Overloaded', limit: 'maxReads' }],
  ] as const)('%s that a later server is too busy for', (name, last) => {
    const { leader$, execute, deliver, reply, run } = scripted()
    leader$.next('n2')
    const outcome = execute(requests[name])
    deliver({ _tag: 'Lost' })
    leader$.next('n1')
    reply({ _tag: 'Overloaded', limit: 'maxReads' })
    leader$.next(null)
    run(1_000)
    expect(outcome.values).toEqual([last])
  })

  it('a write that was asked of a new leader, because the former one fell silent, is in doubt', () => {
    const { leader$, execute, reply, run } = scripted()
    leader$.next('n2')
    const outcome = execute(sessionWrite)
    leader$.next('n1')
    reply({ _tag: 'NotLeader', leader: null })
    leader$.next(null)
    run(1_000)
    expect(outcome.values).toEqual([{ _tag: 'Indeterminate' }])
  })
})

describe('a deadline', () => {
  it.each([
    [read, { _tag: 'NoAnswer', waitedMs: 500 }],
    [write, { _tag: 'Indeterminate' }],
    [sessionWrite, { _tag: 'Indeterminate' }],
  ] as const)('ends %j at a leader that does not answer, and gives the attempt up', (request, last) => {
    const { leader$, execute, run, isGivenUp, gateway } = scripted()
    leader$.next('n2')
    const outcome = execute(request, { timeoutMs: 500 })
    run(499)
    expect([outcome.values, isGivenUp(0)]).toEqual([[], false])
    run(1)
    expect([outcome.values, isGivenUp(0)]).toEqual([[last], true])
    expect(gateway.counts().requests).toBe(0)
  })

  it.each([
    [500, 500],
    [3_000, 1_000],
  ])('of %d ms: a request waits %d ms for a leader', (timeoutMs, waitedMs) => {
    const { execute, run } = scripted()
    const outcome = execute(write, { timeoutMs })
    run(waitedMs - 1)
    expect(outcome.values).toEqual([])
    run(1)
    expect(outcome.values).toEqual([{ _tag: 'NoLeader', waitedMs }])
  })
})

describe('bounds', () => {
  it('one request too many is overloaded; one that ends or is not wanted any more makes room', () => {
    const { leader$, execute, reply, asked, isGivenUp } = scripted({ maxRequests: 2 })
    leader$.next('n1')
    const first = execute(write)
    execute(write)
    expect(execute(write).values).toEqual([{ _tag: 'Overloaded', limit: 'maxRequests' }])
    expect(asked()).toHaveLength(2)
    first.stop()
    expect(isGivenUp(0)).toBe(true)
    const third = execute(write)
    reply(written)
    expect(third.values).toEqual([{ _tag: 'Replied', result: written }])
    expect(execute(write).values).toEqual([])
    expect(first.values).toEqual([])
  })

  const anyRange = { range: withPrefix(key('')), fromRevision: null }
  const neverPaused = new BehaviorSubject(false)

  it('one watch too many is overloaded; one that ends makes room', () => {
    const { gateway } = scripted()
    const begin = () => {
      const watch = gateway.watch(anyRange)
      if (either.isLeft(watch)) throw new Error(watch.left._tag)
      return record(watch.right(neverPaused))
    }
    const first = begin()
    begin()
    expect(gateway.watch(anyRange)).toEqual(either.left({ _tag: 'Overloaded', limit: 'maxWatches' }))
    expect(gateway.counts().watches).toBe(2)
    first.stop()
    expect(gateway.counts().watches).toBe(1)
    begin()
  })

  it('a watch of what was compacted away is refused; the first revision that is left is not', () => {
    const { gateway } = scripted()
    expect(gateway.watch({ ...anyRange, fromRevision: revision(4) })).toEqual(either.left({ _tag: 'Compacted', compactRevision: 5 }))
    expect(either.isRight(gateway.watch({ ...anyRange, fromRevision: revision(5) }))).toBe(true)
  })

  it('the reader of a watch holds it back', () => {
    const { gateway, paused, changes$ } = scripted()
    const paused$ = new BehaviorSubject(false)
    const watch = gateway.watch(anyRange)
    const told = either.isRight(watch) ? record(watch.right(paused$)) : null
    paused$.next(true)
    expect(paused).toEqual([false, true])
    changes$.next({ revision: revision(6), changes: [] })
    changes$.complete()
    expect(told).toMatchObject({ values: [{ revision: 6 }], completed: true })
    expect(gateway.counts().watches).toBe(0)
  })
})

describe('a batch', () => {
  it('is carried out by the leader', () => {
    const { gateway, leader$, batch$ } = scripted()
    leader$.next('n1')
    const outcome = record(gateway.batch([], 500))
    batch$.next([written])
    batch$.complete()
    expect(outcome).toMatchObject({ values: [{ _tag: 'Replied', replies: [written] }], completed: true })
  })

  it.each([null, 'n2'])('is refused by any other server, where %s leads', (leader) => {
    const { gateway, leader$ } = scripted()
    leader$.next(leader)
    expect(record(gateway.batch([], 500)).values).toEqual([{ _tag: 'NotLeader', leader }])
    expect(gateway.notLeader()).toEqual({ _tag: 'NotLeader', leader })
  })

  it('is unknown where it was not answered in time', () => {
    const { gateway, leader$, run } = scripted()
    leader$.next('n1')
    const outcome = record(gateway.batch([], 500))
    run(499)
    expect(outcome.values).toEqual([])
    run(1)
    expect(outcome).toMatchObject({ values: [{ _tag: 'Indeterminate' }], completed: true })
  })
})

it('a gateway that was stopped lets go of the server and of time', () => {
  const { gateway, leader$, scheduler } = scripted()
  gateway.stop()
  expect(leader$.observed).toBe(false)
  scheduler.runUntil(10_000)
  expect(scheduler.now()).toBe(10_000)
})
