import { describe, it } from '@jest/globals'
import { map, NEVER, Subject, tap } from 'rxjs'
import type { Effect } from '../src/raft/effect.js'
import type { RaftEvent } from '../src/raft/event.js'
import { applied } from '../streams/sinks/applied.js'
import { electionTimer } from '../streams/sinks/electionTimer.js'
import type { ProposalEvent } from '../streams/sinks/proposal.js'
import { proposals, type ProposalsOptions } from '../streams/sinks/proposals.js'
import { raft } from '../streams/loop/raft.js'
import { marblesWith } from '../streams/testing.js'
import { newServer } from './servers.js'

const marbles = marblesWith(it)

const options = (scheduler: ProposalsOptions['scheduler'], different: Partial<ProposalsOptions> = {}): ProposalsOptions => ({
  scheduler,
  maxProposals: 9,
  maxCommandBytes: 9,
  ...different,
})

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))
const proposed = (request: number, text: string): RaftEvent => ({ _tag: 'Proposed', request, commands: Array.from(text, bytes) })
const flush: RaftEvent = { _tag: 'Flush' }
const scheduleFlush: Effect = { _tag: 'ScheduleFlush' }

describe('proposals', () => {
  marbles('a turn hands over all that was proposed in it, and then flushes', ({ hot, scheduler, expectObservable }) => {
    const propose = '--(abc)---d-----'
    const effects = '----------f----f' // f: ScheduleFlush
    const events = ' --p-------(qF)-F'
    const clients = proposals(options(scheduler))
    expectObservable(clients.sink(hot(effects, { f: scheduleFlush }))).toBe(events, {
      p: proposed(1, 'abc'),
      q: proposed(2, 'd'),
      F: flush,
    })
    hot(propose).subscribe((command) => clients.propose(bytes(command)))
  })

  marbles('is silent where nobody proposes', ({ cold, scheduler, expectObservable }) => {
    expectObservable(proposals(options(scheduler)).sink(cold<Effect>('---'))).toBe('---')
  })

  marbles('flushes once a turn, however often it was asked', ({ hot, scheduler, expectObservable }) => {
    expectObservable(proposals(options(scheduler)).sink(hot('--(fff)--', { f: scheduleFlush }))).toBe('--F', { F: flush })
  })

  marbles('passes an error of its effects on', ({ hot, scheduler, expectObservable }) => {
    expectObservable(proposals(options(scheduler)).sink(hot('--f-#', { f: scheduleFlush }))).toBe('--F-#', { F: flush })
  })

  marbles('unsubscribing ends the turn that was to come', ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
    const clients = proposals(options(scheduler))
    const effect$ = hot('--f-f-', { f: scheduleFlush })
    const subscribed = ' ^---!'
    expectObservable(clients.sink(effect$), subscribed).toBe('--F', { F: flush })
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
  })

  marbles('tells the story of a command: appended, committed when it is on disk, applied', ({ cold, scheduler, expectObservable }) => {
    const disk = ' --|'
    const story = '----------a-(ci|)'
    const clients = proposals<string>(options(scheduler))
    const machine = applied<Uint8Array, string>({
      stateMachine: map(({ index, command }) => ({ index, result: `${command.length} bytes` })),
      decode: (command) => command,
      scheduler,
      maxAppliesPerTurn: 9,
      settle: clients.settle,
      tap: () => undefined,
    })
    raft(newServer('n1'), {
      sinks: [electionTimer({ timeoutMs: { min: 5, max: 5 }, random: () => 0, scheduler }), clients.sink, machine],
      network: () => NEVER,
      storage: { write: () => cold(disk), maxWaitingSends: 9 },
      rejected: () => undefined,
      scheduler,
      maxEffectsPerTurn: 99,
    })
      .pipe(tap(({ before, after }) => clients.watch(before, after)))
      .subscribe()
    const story$ = new Subject<ProposalEvent<string>>()
    scheduler.schedule(() => clients.propose(bytes('hello')).subscribe(story$), 10)
    expectObservable(story$).toBe(story, {
      a: { _tag: 'Appended', index: 2, term: 1 },
      c: { _tag: 'Committed', index: 2 },
      i: { _tag: 'Applied', index: 2, result: '5 bytes' },
    })
  })
})
