import { describe, expect, it } from '@jest/globals'
import {
  distinctUntilChanged,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  NEVER,
  Observable,
  type SchedulerLike,
  Subject,
  tap,
  throwError,
} from 'rxjs'
import type { Persist } from '../src/raft/effect.js'
import { logIndex, messageSeq, nodeId, term } from '../src/raft/ids.js'
import type { Message } from '../src/raft/messages.js'
import { printEvent, printMessage } from '../src/raft/print.js'
import { applied } from '../streams/sinks/applied.js'
import { electionTimer } from '../streams/sinks/electionTimer.js'
import { heartbeat } from '../streams/sinks/heartbeat.js'
import { VirtualScheduler } from '../streams/time/heapScheduler.js'
import type { Network, Rejected } from '../streams/network/network.js'
import { raft, type RaftSinks } from '../streams/loop/raft.js'
import type { Inspection } from '../streams/loop/run.js'
import { type Sink, sinkOf } from '../streams/loop/sink.js'
import { marblesWith } from '../streams/testing.js'
import { newServer, timedOut } from './servers.js'

const marbles = marblesWith(it)

/**
 * A server that times out after 5 ms, beats every 4 ms, writes at once and hears no other server. Each test names its
 * differences.
 */
const options = (scheduler: SchedulerLike, different: Partial<RaftSinks> = {}): RaftSinks => ({
  sinks: [electionTimer({ timeoutMs: { min: 5, max: 5 }, random: () => 0, scheduler }), heartbeat({ heartbeatMs: 4, scheduler })],
  network: () => NEVER,
  storage: { write: () => EMPTY, maxWaitingSends: 9 },
  rejected: () => undefined,
  scheduler,
  maxEffectsPerTurn: 99,
  ...different,
})

const roles = map(({ after: { role } }: Inspection) => role._tag.slice(0, 1).toLowerCase())
const vote: Message = {
  _tag: 'RequestVoteReply',
  from: nodeId('n2'),
  to: nodeId('n1'),
  re: messageSeq(1),
  term: term(1),
  voteGranted: true,
}
const asked: Message = {
  _tag: 'RequestVote',
  from: nodeId('n2'),
  to: nodeId('n1'),
  seq: messageSeq(1),
  term: term(1),
  candidateId: nodeId('n2'),
  lastLogIndex: logIndex(0),
  lastLogTerm: term(0),
}
const received = (message: Message) => ({ _tag: 'Received', message }) as const
const three = ['n1', 'n2', 'n3']

describe('raft', () => {
  marbles('a cluster of one: follower, candidate, and leader when its vote is on disk', ({ cold, scheduler, expectObservable }) => {
    const disk = '      ---|'
    const role = ' f----c--l---'
    const lives = '^----------!'
    const server$ = raft(newServer('n1'), options(scheduler, { storage: { write: () => cold(disk), maxWaitingSends: 9 } }))
    expectObservable(server$.pipe(roles, distinctUntilChanged()), lives).toBe(role)
  })

  marbles('what it asks for waits for the disk, and what it hears makes it leader', ({ cold, hot, scheduler, expectObservable }) => {
    const disk = '      --|'
    const votes = '--------v--'
    const sent = ' -------ah--'
    const role = ' f----c--l--'
    const lives = '^---------!'
    const sent$ = new Subject<Message>()
    const vote$ = hot(votes, { v: received(vote) })
    const network: Network = (message$) =>
      merge(
        message$.pipe(
          tap((message) => sent$.next(message)),
          ignoreElements(),
        ),
        vote$,
      )
    const storage = { write: (batch: ReadonlyArray<Persist>) => (batch[0]!.seq === 1 ? cold(disk) : NEVER), maxWaitingSends: 9 }
    const server$ = raft(newServer('n1', three), options(scheduler, { network, storage }))
    const toN2$ = sent$.pipe(
      filter(({ to }) => to === 'n2'),
      map(printMessage),
    )
    expectObservable(toN2$).toBe(sent, { a: 'n1→n2 RequestVote T1 last 0/0', h: 'n1→n2 AppendEntries T1 prev 0/0 entries [1] commit 0' })
    expectObservable(server$.pipe(roles, distinctUntilChanged()), lives).toBe(role)
  })

  marbles('is silent until it is subscribed to, and each subscription is a life of its own', ({ scheduler, expectObservable }) => {
    const server$ = raft(newServer('n1'), options(scheduler)).pipe(roles, distinctUntilChanged())
    expectObservable(server$, '---^------!').toBe('---f----(cl)')
    expectObservable(server$, '-----^--!--').toBe('-----f')
  })

  marbles(
    'unsubscribing stops all of it: network, disk, state machine, timers',
    ({ cold, scheduler, expectObservable, expectSubscriptions }) => {
      const network$ = cold<never>('-')
      const disk$ = cold<never>('-')
      const machine$ = cold<never>('-')
      const lives = '^------!'
      const role = ' f----c--'
      const wrote = '-----^-!'
      const machine = applied({
        stateMachine: () => machine$,
        decode: (c) => c,
        scheduler,
        maxAppliesPerTurn: 9,
      })
      const server$ = raft(
        newServer('n1'),
        options(scheduler, {
          sinks: [...options(scheduler).sinks, machine.sink],
          network: () => network$,
          storage: { write: () => disk$, maxWaitingSends: 9 },
        }),
      )
      expectObservable(server$.pipe(roles, distinctUntilChanged()), lives).toBe(role)
      expectSubscriptions(network$.subscriptions).toBe(lives)
      expectSubscriptions(machine$.subscriptions).toBe(lives)
      expectSubscriptions(disk$.subscriptions).toBe(wrote)
    },
  )

  marbles('what is rejected at the border is told, and is no event', ({ hot, scheduler, expectObservable }) => {
    const bad: Rejected = { _tag: 'Rejected', from: null, kind: 'frame', reason: 'too long' }
    const rejected$ = new Subject<Rejected>()
    expectObservable(rejected$).toBe('--r', { r: bad })
    const wire$ = hot('--r', { r: bad })
    const server$ = raft(newServer('n1'), options(scheduler, { network: () => wire$, rejected: (what) => rejected$.next(what) }))
    expectObservable(server$.pipe(map(({ event }) => event._tag)), '^---!').toBe('s', { s: 'Started' })
  })

  marbles(
    'starts with Started, and misses no effect, also where a network has something to say at once',
    ({ scheduler, expectObservable }) => {
      const server$ = raft(newServer('n1', three), options(scheduler, { network: () => [received(asked)] }))
      expectObservable(server$.pipe(map(({ event }) => printEvent(event))), '^--!').toBe('(srp)', {
        s: '> Started',
        r: '> n2→n1 RequestVote T1 last 0/0',
        p: '> Persisted #1',
      })
    },
  )

  it('an event that a state provokes is taken up when all sinks have seen that state', () => {
    const scheduler = new VirtualScheduler()
    const seen: number[] = []
    const provoking: Sink = (_, state$) =>
      state$.pipe(
        filter(({ counters }) => counters.electionTimer === 2),
        map(() => timedOut(2)),
      )
    const watching: Sink = (_, state$) => {
      const generation$ = state$.pipe(
        map(({ counters }) => counters.electionTimer),
        distinctUntilChanged(),
      )
      return generation$.pipe(
        tap((generation) => seen.push(generation)),
        ignoreElements(),
      )
    }
    raft(newServer('n1', three), options(scheduler, { sinks: [provoking, watching, ...options(scheduler).sinks] })).subscribe()
    scheduler.runUntil(5)
    expect(seen).toEqual([1, 2, 3])
  })

  it('a sink is given the effects that it takes, and no others', () => {
    const scheduler = new VirtualScheduler()
    const given: string[] = []
    const taker = sinkOf(['ArmElectionTimer'], (effect$) =>
      effect$.pipe(
        tap(({ generation }) => given.push(`taken ${generation}`)),
        ignoreElements(),
      ),
    )
    const all: Sink = (effect$) =>
      effect$.pipe(
        tap(({ _tag }) => given.push(_tag)),
        ignoreElements(),
      )
    raft(newServer('n1'), options(scheduler, { sinks: [taker, all, ...options(scheduler).sinks] })).subscribe()
    scheduler.runUntil(99)
    expect(given.filter((what) => what.startsWith('taken'))).toEqual(['taken 1', 'taken 2'])
    expect(new Set(given)).toContain('ArmHeartbeat')
  })

  const failure = { _tag: 'StorageFailed', message: 'fsync: EIO' }

  marbles('an error of the disk ends it', ({ cold, scheduler, expectObservable }) => {
    const server$ = raft(
      newServer('n1'),
      options(scheduler, { storage: { write: () => cold('--#', undefined, failure), maxWaitingSends: 9 } }),
    )
    expectObservable(server$.pipe(roles, distinctUntilChanged())).toBe('f----c-#', undefined, failure)
  })

  marbles('an error of the network ends it', ({ cold, scheduler, expectObservable }) => {
    expectObservable(raft(newServer('n1'), options(scheduler, { network: () => cold('--#', undefined, failure) })).pipe(roles)).toBe(
      'f-#',
      undefined,
      failure,
    )
    const network = () => {
      throw new Error('no socket')
    }
    expectObservable(raft(newServer('n1'), options(scheduler, { network })).pipe(roles)).toBe('(f#)', undefined, new Error('no socket'))
  })

  marbles('an error of another sink ends it', ({ cold, scheduler, expectObservable }) => {
    expectObservable(raft(newServer('n1'), options(scheduler, { sinks: [() => cold('--#', undefined, failure)] })).pipe(roles)).toBe(
      'f-#',
      undefined,
      failure,
    )
  })

  it('what a network is given to send never fails, whatever the disk does', () => {
    const scheduler = new VirtualScheduler()
    const told: string[] = []
    const network: Network = (message$) => new Observable(() => message$.subscribe({ error: () => told.push('network') }))
    const storage = { write: () => throwError(() => new Error('EIO')), maxWaitingSends: 9 }
    raft(newServer('n1'), options(scheduler, { network, storage })).subscribe({ error: () => told.push('server') })
    scheduler.runUntil(9)
    expect(told).toEqual(['server'])
  })
})
