import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { BehaviorSubject, config, map, NEVER, Subject } from 'rxjs'
import { after, newServer, persistedEvent, started, timedOut } from '../../marbles/servers.js'
import type { Effect } from '../../src/raft/effect.js'
import { commandEntry } from '../../src/raft/state/entry.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { logIndex, messageSeq, nodeId, term } from '../../src/raft/ids.js'
import type { Server } from '../../src/raft/state/server.js'
import { defaultSettings, type Settings } from '../../src/raft/settings.js'
import { step } from '../../src/raft/step.js'
import { VirtualScheduler } from '../../streams/time/heapScheduler.js'
import type { Result } from '../../streams/sinks/applied.js'
import { type Proposal, ProposalError } from '../../streams/sinks/proposal.js'
import { proposals, type ProposalsOptions } from '../../streams/sinks/proposals.js'

/** Leads its cluster of one in term 1. Its no-op is committed when write 2 is on disk; each batch is one write more. */
const leader = after(newServer('n1'), started, timedOut(1), persistedEvent(1))

/** A message of a later leader: whoever leads here is deposed by it. */
const fromLater = (entries = 0, prevLogIndex = 99): RaftEvent => ({
  _tag: 'Received',
  message: {
    _tag: 'AppendEntries',
    from: nodeId('n2'),
    to: nodeId('n1'),
    seq: messageSeq(1),
    term: term(9),
    leaderId: nodeId('n2'),
    prevLogIndex: logIndex(prevLogIndex),
    prevLogTerm: term(1),
    entries: Array.from({ length: entries }, () => commandEntry(term(9), new Uint8Array(1))),
    leaderCommit: logIndex(99),
  },
})

/** Clients of a server that the test moves by hand. */
const atLeader = (options: Partial<ProposalsOptions & { readonly settings: Partial<Settings> }> = {}) => {
  const scheduler = new VirtualScheduler()
  const result$ = new Subject<Result<string>>()
  const clients = proposals<string>({ scheduler, maxProposals: 1_000, maxCommandBytes: 9, ...options, result$ })
  const effect$ = new Subject<Effect>()
  let server: Server = { ...leader, settings: { ...defaultSettings, ...options.settings } }
  const state$ = new BehaviorSubject(server)
  const tell = (event: RaftEvent): void => {
    const stepped = step(server, event, 0)
    server = stepped.server
    state$.next(server)
    for (const effect of stepped.effects) effect$.next(effect)
  }
  const running = clients.sink(effect$, state$).subscribe(tell)
  return {
    clients,
    turn: () => scheduler.runUntil(scheduler.now()),
    tell,
    kill: () => running.unsubscribe(),
    start: () => clients.sink(effect$, state$).subscribe(tell),
    /** Everything asked for is on disk, and so committed. */
    commit: () => tell(persistedEvent(server.writeProgress.written)),
    apply: (index: number, ofTerm = 1) =>
      result$.next({ _tag: 'Applied', index: logIndex(index), term: term(ofTerm), result: `result ${index}` }),
    restore: (index: number) => result$.next({ _tag: 'Restored', index: logIndex(index) }),
    propose: (length = 1) => clients.propose(new Uint8Array(length)),
    lastIndex: () => server.log.lastIndex,
    commitIndex: () => server.commitIndex,
  }
}

/** What is told of a proposal, from now on. */
const storyOf = (proposal: Proposal<string>, then: (tag: string) => void = () => undefined): string[] => {
  const story: string[] = []
  proposal.subscribe({
    next: (event) => {
      const where = 'index' in event ? ` ${event.index}` : 'limit' in event ? ` ${event.limit}` : ` ${event.leader}`
      story.push(`${event._tag}${where}`)
      then(event._tag)
    },
    complete: () => story.push('|'),
  })
  return story
}

describe('the story of a proposal', () => {
  it('is appended, committed, applied, in this order', () => {
    const { propose, turn, commit, apply } = atLeader()
    const [a, b] = [storyOf(propose()), storyOf(propose())]
    expect(a).toEqual([])
    turn()
    expect([a, b]).toEqual([['Appended 2'], ['Appended 3']])
    commit()
    expect([a, b]).toEqual([
      ['Appended 2', 'Committed 2'],
      ['Appended 3', 'Committed 3'],
    ])
    apply(2)
    expect([a, b]).toEqual([
      ['Appended 2', 'Committed 2', 'Applied 2', '|'],
      ['Appended 3', 'Committed 3'],
    ])
  })

  it('is told again to whoever comes late, at any point of it', () => {
    const { propose, turn, commit, apply } = atLeader()
    const proposal = propose()
    const stories = [storyOf(proposal)]
    for (const happens of [turn, commit, () => apply(2)]) {
      happens()
      stories.push(storyOf(proposal))
    }
    expect(stories).toEqual(Array.from({ length: 4 }, () => ['Appended 2', 'Committed 2', 'Applied 2', '|']))
  })

  it('goes on when nobody watches: unsubscribing undoes nothing', () => {
    const { propose, turn, commit, apply } = atLeader()
    const proposal = propose()
    const seen: string[] = []
    const watching = proposal.subscribe(({ _tag }) => seen.push(_tag))
    turn()
    watching.unsubscribe()
    commit()
    apply(2)
    expect(seen).toEqual(['Appended'])
    expect(storyOf(proposal)).toEqual(['Appended 2', 'Committed 2', 'Applied 2', '|'])
  })

  it('is told in whatever way one subscribes, and to the end', () => {
    const { propose, turn, commit, apply } = atLeader()
    const proposal = propose()
    const seen: string[] = []
    const tell = (how: string) => (event: { readonly _tag: string }) => void seen.push(`${how} ${event._tag}`)
    const watching = [
      proposal.subscribe(tell('function')),
      proposal.subscribe({ next: tell('observer'), complete: () => seen.push('observer |') }),
      // Deprecated in RxJS 7, and there all the same.
      // eslint-disable-next-line rxjs-x/prefer-observer
      proposal.subscribe(tell('functions'), null, () => seen.push('functions |')),
      proposal.pipe(map(tell('piped'))).subscribe(),
      proposal.subscribe(),
    ]
    turn()
    commit()
    apply(2)
    for (const how of ['function', 'observer', 'functions', 'piped']) {
      const end = how === 'observer' || how === 'functions' ? [`${how} |`] : []
      expect(seen.filter((line) => line.startsWith(`${how} `))).toEqual([`${how} Appended`, `${how} Committed`, `${how} Applied`, ...end])
    }
    expect(watching.map(({ closed }) => closed)).toEqual([true, true, true, true, true])
  })

  it('is one story, however many watch: subscribing proposes nothing', () => {
    const { propose, turn, lastIndex } = atLeader()
    const proposal = propose()
    storyOf(proposal)
    storyOf(proposal)
    turn()
    storyOf(proposal)
    turn()
    expect(lastIndex()).toBe(2)
  })

  it('a watcher that throws harms nobody else', async () => {
    const { propose, turn } = atLeader()
    const thrown = new Promise((resolve) => {
      config.onUnhandledError = resolve
    })
    const proposal = propose()
    proposal.subscribe(() => {
      throw new Error('careless')
    })
    const story = storyOf(proposal)
    turn()
    expect(story).toEqual(['Appended 2'])
    expect(await thrown).toEqual(new Error('careless'))
    config.onUnhandledError = null
  })
})

describe('a leader that is deposed', () => {
  it('does not know what becomes of what is not committed; what is committed is applied in its time', () => {
    const { propose, turn, commit, apply, tell } = atLeader()
    const committed = storyOf(propose())
    turn()
    commit()
    const uncommitted = storyOf(propose())
    turn()
    tell(fromLater())
    expect(uncommitted).toEqual(['Appended 3', 'Indeterminate 3', '|'])
    expect(committed).toEqual(['Appended 2', 'Committed 2'])
    apply(2)
    expect(committed).toEqual(['Appended 2', 'Committed 2', 'Applied 2', '|'])
  })

  it('refuses what was offered in the same turn, with the name of the new leader', () => {
    const { propose, turn, tell } = atLeader()
    const story = storyOf(propose())
    tell(fromLater())
    turn()
    expect(story).toEqual(['NotLeader n2', '|'])
  })

  it('learns of it in the step that commits others’ entries in the place of its own: those are not its clients’', () => {
    const { clients, propose, turn, commit, apply, tell } = atLeader()
    const committed = storyOf(propose())
    turn()
    commit()
    const replaced = [storyOf(propose()), storyOf(propose())]
    turn()
    tell(fromLater(2, 2))
    expect(replaced).toEqual([
      ['Appended 3', 'Indeterminate 3', '|'],
      ['Appended 4', 'Indeterminate 4', '|'],
    ])
    apply(2)
    apply(3, 9)
    expect(committed).toEqual(['Appended 2', 'Committed 2', 'Applied 2', '|'])
    expect(clients.counts()).toEqual({ pending: 0, applied: 1, refused: 0, indeterminate: 2 })
  })

  it('an answer for an entry of another term at the same index is nobody’s result', () => {
    const { propose, turn, commit, apply } = atLeader()
    const story = storyOf(propose())
    turn()
    commit()
    apply(2, 9)
    expect(story).toEqual(['Appended 2', 'Committed 2'])
    apply(2, 1)
    expect(story.at(-2)).toBe('Applied 2')
  })
})

describe('limits', () => {
  it('`maxProposals` proposals may be under way; one more is Overloaded at once, until one has ended', () => {
    const { propose, turn, commit, apply } = atLeader({ maxProposals: 2 })
    const stories = [storyOf(propose()), storyOf(propose()), storyOf(propose())]
    expect(stories).toEqual([[], [], ['Overloaded maxProposals', '|']])
    turn()
    commit()
    expect(storyOf(propose())).toEqual(['Overloaded maxProposals', '|'])
    apply(2)
    expect(storyOf(propose())).toEqual([])
    expect(storyOf(propose())).toEqual(['Overloaded maxProposals', '|'])
  })

  it('a command has up to `maxCommandBytes`', () => {
    const { propose } = atLeader({ maxCommandBytes: 5 })
    expect(storyOf(propose(5))).toEqual([])
    expect(storyOf(propose(6))).toEqual(['Overloaded maxCommandBytes', '|'])
  })

  it('of one batch, what there is room for is appended and the rest is Overloaded', () => {
    const { clients, propose, turn, kill } = atLeader({ settings: { maxUncommittedEntries: 3 } }) // the no-op is one
    const stories = [storyOf(propose()), storyOf(propose()), storyOf(propose())]
    turn()
    expect(stories).toEqual([['Appended 2'], ['Appended 3'], ['Overloaded maxUncommittedEntries', '|']])
    kill()
    expect(clients.counts()).toEqual({ pending: 0, applied: 0, refused: 1, indeterminate: 2 })
  })
})

describe('a server that does not run', () => {
  it('refuses: before it is started and after it has stopped', () => {
    const clients = proposals<string>({ scheduler: new VirtualScheduler(), maxProposals: 1, maxCommandBytes: 1, result$: NEVER })
    expect(storyOf(clients.propose(new Uint8Array(1)))).toEqual(['NotLeader null', '|'])
    expect(storyOf(clients.propose(new Uint8Array(1)))).toEqual(['NotLeader null', '|'])
    const { propose, kill } = atLeader()
    kill()
    expect(storyOf(propose())).toEqual(['NotLeader null', '|'])
  })

  it('has stopped: what was not offered to the log is refused, what was appended is Indeterminate', () => {
    const { propose, turn, commit, kill } = atLeader()
    const committed = storyOf(propose())
    turn()
    commit()
    const appended = storyOf(propose())
    turn()
    const gathered = storyOf(propose())
    kill()
    expect([committed, appended, gathered]).toEqual([
      ['Appended 2', 'Committed 2', 'Indeterminate 2', '|'],
      ['Appended 3', 'Indeterminate 3', '|'],
      ['NotLeader null', '|'],
    ])
  })

  it.each([
    {
      at: 'Appended',
      expected: [
        ['Appended 2', 'Indeterminate 2', '|'],
        ['Appended 3', 'Indeterminate 3', '|'],
        ['Appended 4', 'Indeterminate 4', '|'],
        ['Overloaded maxUncommittedEntries', '|'],
      ],
    },
    {
      at: 'Committed',
      expected: [
        ['Appended 2', 'Committed 2', 'Indeterminate 2', '|'],
        ['Appended 3', 'Indeterminate 3', '|'],
        ['Appended 4', 'Indeterminate 4', '|'],
        ['Overloaded maxUncommittedEntries', '|'],
      ],
    },
  ])('every proposal ends, once, when a watcher kills the server on hearing $at', ({ at, expected }) => {
    const { clients, propose, turn, commit, kill } = atLeader({ settings: { maxUncommittedEntries: 4 } })
    const four = [propose(), propose(), propose(), propose()]
    const stories = four.map((proposal) =>
      storyOf(proposal, (tag) => {
        if (tag === at) kill()
      }),
    )
    turn()
    commit()
    // it was not told any more that there was no room
    const refused = at === 'Appended' ? ['Indeterminate null', '|'] : expected[3]
    expect(stories).toEqual([...expected.slice(0, 3), refused])
    expect(clients.counts().pending).toBe(0)
    expect(clients.counts().refused + clients.counts().indeterminate).toBe(4)
  })

  it('can be started again: a new life, in which nothing of the former is left', () => {
    const { propose, turn, commit, apply, kill, start } = atLeader()
    storyOf(propose(), (tag) => {
      if (tag === 'Committed') kill()
    })
    turn()
    propose()
    commit()
    start()
    const story = storyOf(propose())
    turn()
    commit()
    apply(3)
    expect(story).toEqual(['Appended 3', 'Committed 3', 'Applied 3', '|'])
  })
})

describe('result()', () => {
  it('resolves with what the state machine answered', async () => {
    const { propose, turn, commit, apply } = atLeader()
    const result = propose().result()
    turn()
    commit()
    apply(2)
    expect(await result).toBe('result 2')
  })

  it.each([
    {
      ending: 'Indeterminate',
      stop: 'kill',
      message:
        'The outcome is unknown: this server stopped leading before the command was committed, and a later leader may yet commit it.',
    },
    {
      ending: 'Indeterminate',
      stop: 'depose',
      message:
        'The outcome is unknown: this server stopped leading before the command was committed, and a later leader may yet commit it.',
    },
  ])('rejects with a ProposalError, $ending by $stop', async ({ ending, stop, message }) => {
    const { propose, turn, kill, tell } = atLeader()
    const result = propose().result()
    turn()
    if (stop === 'kill') kill()
    else tell(fromLater())
    const error: unknown = await result.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ProposalError)
    expect(error).toMatchObject({ name: 'ProposalError', message, reason: { _tag: ending, index: 2 } })
  })

  it('rejects with the refusal', async () => {
    const { propose, turn, tell, kill } = atLeader({ maxProposals: 1 })
    const first = propose().result()
    await expect(propose().result()).rejects.toMatchObject({
      reason: { _tag: 'Overloaded', limit: 'maxProposals' },
      message: expect.stringContaining('maxProposals is reached'),
    })
    tell(fromLater())
    turn()
    await expect(first).rejects.toMatchObject({ reason: { _tag: 'NotLeader', leader: 'n2' }, message: 'Not the leader: propose to n2.' })
    kill()
    await expect(propose().result()).rejects.toMatchObject({
      reason: { _tag: 'NotLeader', leader: null },
      message: 'Not the leader, and no leader is known: try again soon.',
    })
  })
})

describe('proposing from within', () => {
  it.each(['Appended', 'Committed', 'Applied'])('a watcher that proposes on hearing %s gets its own story', (at) => {
    const { propose, turn, commit, apply } = atLeader()
    let next: string[] = []
    storyOf(propose(), (tag) => {
      if (tag === at) next = storyOf(propose())
    })
    for (let index = 2; index <= 3; index++) {
      turn()
      commit()
      apply(index)
    }
    expect(next).toEqual(['Appended 3', 'Committed 3', 'Applied 3', '|'])
  })

  it('a watcher that tries again on hearing Indeterminate is refused by whoever is no leader', () => {
    const { propose, turn, tell } = atLeader()
    let again: string[] = []
    storyOf(propose(), (tag) => {
      if (tag === 'Indeterminate') again = storyOf(propose())
    })
    turn()
    tell(fromLater())
    turn()
    expect(again).toEqual(['NotLeader n2', '|'])
  })
})

it('whatever happens, each proposal has one story, with its own result, and is counted once', () => {
  const actions = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('propose'), n: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constantFrom('turn', 'commit', 'apply', 'depose'), n: fc.constant(1) }),
    ),
    { maxLength: 60, size: 'max' },
  )
  const told = /^(Appended (\d+)(,Committed \2)?(,Applied \2,\||,Indeterminate \2,\|)|NotLeader (n2|null),\||Overloaded maxProposals,\|)$/
  fc.assert(
    fc.property(actions, (script) => {
      const { clients, propose, turn, tell, commit, apply, kill, commitIndex } = atLeader({ maxProposals: 12 })
      const stories: string[][] = []
      let applied = 1
      for (const action of script) {
        if (action.do === 'propose') for (let i = 0; i < action.n; i++) stories.push(storyOf(propose()))
        else if (action.do === 'turn') turn()
        else if (action.do === 'commit') commit()
        else if (action.do === 'depose') tell(fromLater())
        else if (applied < commitIndex()) apply(++applied)
      }
      kill()
      expect(stories.map((story) => story.join(',')).filter((story) => !told.test(story))).toEqual([])
      const { pending, applied: done, refused, indeterminate } = clients.counts()
      expect(pending).toBe(0)
      expect(done + refused + indeterminate).toBe(stories.length)
    }),
  )
})

it('ten thousand under way are as good as one', () => {
  const { clients, propose, turn, commit, apply } = atLeader({ maxProposals: 20_000 })
  const stories = Array.from({ length: 10_000 }, () => storyOf(propose()))
  turn()
  commit()
  for (let i = 0; i < 9_000; i++) apply(2 + i)
  const late = storyOf(propose())
  turn()
  commit()
  for (let i = 9_000; i < 10_001; i++) apply(2 + i)
  expect(stories.every((story) => story.length === 4 && story[2]!.startsWith('Applied'))).toBe(true)
  expect(late).toEqual(['Appended 10002', 'Committed 10002', 'Applied 10002', '|'])
  expect(clients.counts()).toEqual({ pending: 0, applied: 10_001, refused: 0, indeterminate: 0 })
})
