import { describe, it } from '@jest/globals'
import { map, NEVER, of, Subject } from 'rxjs'
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
  result$: NEVER,
  ...different,
})

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))
const proposed = (request: number, text: string): RaftEvent => ({ _tag: 'Proposed', request, commands: Array.from(text, bytes) })
const state$ = of(newServer('n1'))

describe('proposals', () => {
  const refused: Effect = { _tag: 'Refused', request: 9, appended: 0, refusal: { _tag: 'NotLeader', leader: null } }

  marbles('a turn hands over all that was proposed in it', ({ hot, scheduler, expectObservable }) => {
    const propose = '--(abc)---d--'
    const events = ' --p-------q--'
    const clients = proposals(options(scheduler))
    expectObservable(clients.sink(NEVER, state$)).toBe(events, { p: proposed(1, 'abc'), q: proposed(2, 'd') })
    hot(propose).subscribe((command) => clients.propose(bytes(command)))
  })

  marbles('is silent where no client proposes', ({ cold, scheduler, expectObservable }) => {
    expectObservable(proposals(options(scheduler)).sink(cold<Effect>('---'), state$)).toBe('---')
  })

  marbles('passes an error of its effects on', ({ hot, scheduler, expectObservable }) => {
    expectObservable(proposals(options(scheduler)).sink(hot('--f-#', { f: refused }), state$)).toBe('----#')
  })

  marbles('unsubscribing ends the turn that was to come', ({ hot, scheduler, expectObservable, expectSubscriptions }) => {
    const clients = proposals(options(scheduler))
    const effect$ = hot('--f-f-', { f: refused })
    const subscribed = ' ^---!'
    expectObservable(clients.sink(effect$, state$), subscribed).toBe('-')
    expectSubscriptions(effect$.subscriptions).toBe(subscribed)
    scheduler.schedule(() => {
      clients.propose(bytes('a'))
    }, 4)
  })

  marbles('tells the story of a command: appended, committed when it is on disk, applied', ({ cold, scheduler, expectObservable }) => {
    const disk = ' --|'
    const story = '----------a-(ci|)'
    const machine = applied<Uint8Array, string>({
      stateMachine: map(({ index, command }) => ({ index, result: `${command.length} bytes` })),
      decode: (command) => command,
      scheduler,
      maxAppliesPerTurn: 9,
    })
    const clients = proposals<string>({ scheduler, maxProposals: 9, maxCommandBytes: 9, result$: machine.result$ })
    raft(newServer('n1'), {
      sinks: [electionTimer({ timeoutMs: { min: 5, max: 5 }, random: () => 0, scheduler }), clients.sink, machine.sink],
      network: () => NEVER,
      storage: { write: () => cold(disk), maxWaitingSends: 9 },
      rejected: () => undefined,
      scheduler,
      maxEffectsPerTurn: 99,
    }).subscribe()
    const story$ = new Subject<ProposalEvent<string>>()
    scheduler.schedule(() => clients.propose(bytes('hello')).subscribe(story$), 10)
    expectObservable(story$).toBe(story, {
      a: { _tag: 'Appended', index: 2, term: 1 },
      c: { _tag: 'Committed', index: 2 },
      i: { _tag: 'Applied', index: 2, result: '5 bytes' },
    })
  })
})
