import { describe, expect, it } from '@jest/globals'
import {
  defer,
  distinctUntilChanged,
  EMPTY,
  ignoreElements,
  map,
  merge,
  NEVER,
  type Observable,
  type SchedulerLike,
  takeUntil,
  timer,
} from 'rxjs'
import { electionTimer } from '../streams/sinks/electionTimer.js'
import { heartbeat } from '../streams/sinks/heartbeat.js'
import { VirtualScheduler } from '../streams/time/heapScheduler.js'
import { memoryNetwork } from '../streams/network/memory/memoryNetwork.js'
import { raft } from '../streams/loop/raft.js'
import { inVirtualTime } from '../streams/testing.js'
import { newServer } from './servers.js'

/*
 * Elections of three servers in virtual time. A row shows when a server became follower, candidate (again,
 * for each term in which it stands) and leader; a message takes 1 ms, a heartbeat is due every 3 ms.
 */

interface ServerRow {
  /** The timeouts that it draws, in ms; from then on the last of them. */
  readonly drawsMs: ReadonlyArray<number>
  readonly diskMs?: number
  /** From when to when it runs. Default: all the time. */
  readonly runs?: string
  /** Cut off from the others in that time. */
  readonly isolated?: string
  readonly role: string
}

interface Scenario {
  readonly title: string
  readonly n1: ServerRow
  readonly n2: ServerRow
  readonly n3: ServerRow
}

const never = '-'

const scenarios: ReadonlyArray<Scenario> = [
  {
    title: 'the first to time out asks for votes, and leads when a majority has given theirs',
    n1: { drawsMs: [5], role: 'f----c-l-----------' },
    n2: { drawsMs: [9], role: 'f------------------' },
    n3: { drawsMs: [9], role: 'f------------------' },
  },
  {
    title: 'heartbeats keep followers from standing, for as long as they come',
    n1: { drawsMs: [5], role: 'f----c-l 999ms ----' },
    n2: { drawsMs: [8], role: 'f------- 999ms ----' },
    n3: { drawsMs: [9], role: 'f------- 999ms ----' },
  },
  {
    title: 'a follower stands when it has heard nothing for its timeout, and the log that was replicated lets it win',
    n1: { drawsMs: [5], role: 'f----c-l-----', runs: '^-----------!' },
    n2: { drawsMs: [7], role: 'f-----------------c-l--' }, // last heard at 11: sent by n1 at 10
    n3: { drawsMs: [9], role: 'f----------------------' },
  },
  {
    title: 'split vote: all stand in the same instant, each votes for itself; randomness resolves it in the next term',
    n1: { drawsMs: [5, 9], role: 'f----c------f-----' },
    n2: { drawsMs: [5, 6], role: 'f----c-----c-l----' },
    n3: { drawsMs: [5, 8], role: 'f----c------f-----' },
  },
  {
    title: 'a slow disk of the voters slows the election',
    n1: { drawsMs: [5, 20], role: 'f----c----l-----' },
    n2: { drawsMs: [9], diskMs: 3, role: 'f---------------' },
    n3: { drawsMs: [9], diskMs: 3, role: 'f---------------' },
  },
  {
    title: 'a slow disk of the candidate slows it too: it asks for votes when its own cannot be forgotten',
    n1: { drawsMs: [5, 20], diskMs: 3, role: 'f----c----l----' },
    n2: { drawsMs: [15], role: 'f--------------' },
    n3: { drawsMs: [15], role: 'f--------------' },
  },
  {
    title: 'one slow disk of two does not slow it: a majority is enough',
    n1: { drawsMs: [5, 20], role: 'f----c-l--------' },
    n2: { drawsMs: [9], role: 'f---------------' },
    n3: { drawsMs: [9], diskMs: 8, role: 'f---------------' },
  },
  {
    title: 'a slow disk deposes nobody: heartbeats are answered at once',
    n1: { drawsMs: [5], role: 'f----c-l 50ms --' },
    n2: { drawsMs: [8], role: 'f------- 50ms --' },
    n3: { drawsMs: [8], diskMs: 1_000, role: 'f------- 50ms --' },
  },
  {
    title: 'alone, a server stands again and again, and never leads',
    n1: { drawsMs: [5, 4, 6], role: 'f----c---c-----c-----c--' },
    n2: { drawsMs: [9], role: '-', runs: never },
    n3: { drawsMs: [9], role: '-', runs: never },
  },
  {
    title: 'a server that comes late follows whoever leads',
    n1: { drawsMs: [5], role: 'f----c-l-----------' },
    n2: { drawsMs: [9], role: 'f------------------' },
    n3: { drawsMs: [9], role: '----------f--------', runs: '----------^' },
  },
  {
    title: 'a leader that was cut off follows the one elected meanwhile, as soon as it hears of it',
    n1: { drawsMs: [5], role: ' f----c-l------------------------f---', isolated: '------------^-----------------!' },
    n2: { drawsMs: [9], role: ' f-------------------c-l--------------' }, // last heard at 11
    n3: { drawsMs: [14], role: 'f------------------------------------' },
  },
]

const ids = ['n1', 'n2', 'n3'] as const
const [min, max] = [1, 20]

/** The roles of each server: `f`, `c` or `l`. */
const play = (scenario: Scenario, scheduler: SchedulerLike): ReadonlyArray<Observable<string>> => {
  const network = memoryNetwork({ scheduler, delayMs: { min: 1, max: 1 } })
  return ids.map((id) => {
    const { drawsMs, diskMs, isolated } = scenario[id]
    const draws = [...drawsMs]
    const random = () => ((draws.length > 1 ? draws.shift()! : draws[0]!) - min + 0.5) / (max - min + 1)
    if (isolated !== undefined) {
      scheduler.schedule(() => network.isolate(id), isolated.indexOf('^'))
      scheduler.schedule(() => network.rejoin(id), isolated.indexOf('!'))
    }
    return raft(newServer(id, ids), {
      sinks: [electionTimer({ timeoutMs: { min, max }, random, scheduler }), heartbeat({ heartbeatMs: 3, scheduler })],
      network: network.join(id),
      storage: { write: () => (diskMs === undefined ? EMPTY : timer(diskMs, scheduler).pipe(ignoreElements())), maxWaitingSends: 99 },
      rejected: () => undefined,
      scheduler,
      maxEffectsPerTurn: 99,
    }).pipe(
      map(({ after: { role, currentTerm } }) => ({
        letter: role._tag.slice(0, 1).toLowerCase(),
        term: role._tag === 'Candidate' ? currentTerm : 0,
      })),
      distinctUntilChanged((a, b) => a.letter === b.letter && a.term === b.term),
      map(({ letter }) => letter),
    )
  })
}

/** What a row says: which letter when, and how long it is. */
const read = (row: string) => {
  const moments: { readonly ms: number; readonly letter: string }[] = []
  let ms = 0
  for (const part of row.trim().split(' ')) {
    if (part.endsWith('ms')) ms += Number(part.slice(0, -2))
    else
      for (const letter of part)
        if (letter === '-') ms++
        else moments.push({ ms: ms++, letter })
  }
  return { moments, lengthMs: ms }
}
const lengthOf = (scenario: Scenario): number => Math.max(...ids.map((id) => read(scenario[id].role).lengthMs))

describe('elections of three servers', () => {
  it.each(scenarios)('$title', (scenario) =>
    inVirtualTime(({ scheduler, expectObservable }) => {
      const end$ = defer(() => timer(lengthOf(scenario) - scheduler.now(), scheduler))
      play(scenario, scheduler).forEach((role$, i) => {
        const { runs, role } = scenario[ids[i]!]
        expectObservable(runs === never ? NEVER : merge(role$.pipe(takeUntil(end$)), NEVER), runs).toBe(role.trim())
      })
    }),
  )

  it.each(scenarios)('the same on the heap: $title', (scenario) => {
    const scheduler = new VirtualScheduler()
    const seen = play(scenario, scheduler).map((role$, i) => {
      const moments: { readonly ms: number; readonly letter: string }[] = []
      const { runs = '^' } = scenario[ids[i]!]
      const [from, to] = [runs.indexOf('^'), runs.indexOf('!')]
      if (runs !== never) {
        scheduler.schedule(() => {
          const running = role$.subscribe((letter) => moments.push({ ms: scheduler.now(), letter }))
          if (to > from) scheduler.schedule(() => running.unsubscribe(), to - from)
        }, from)
      }
      return moments
    })
    scheduler.runUntil(lengthOf(scenario))
    expect(seen).toEqual(ids.map((id) => read(scenario[id].role).moments))
  })
})
