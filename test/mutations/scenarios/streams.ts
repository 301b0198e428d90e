import { from, map, merge, mergeMap, of, type SchedulerLike, timer } from 'rxjs'
import type { StateMachine } from '../../../streams/sinks/stateMachine.js'
import { utf8 } from '../../../streams/wire/codec.js'
import { createRaft, type Raft } from '../../../streams/server/createRaft.js'
import { VirtualScheduler } from '../../../streams/time/heapScheduler.js'
import type { Network } from '../../../streams/network/network.js'
import { memoryNetwork } from '../../../streams/network/memory/memoryNetwork.js'
import { memoryStorage } from '../../../streams/storage/memory/memoryStorage.js'
import type { Server } from '../../../src/raft/state/server.js'
import { seeded } from '../../../streams/testing/random.js'
import { traceChecker } from '../../../streams/testing/trace/figure2/accepts.js'
import { trace } from '../../../streams/testing/trace/trace.js'
import { findings, type Scenario, spread } from './scenario.js'

const faultyMs = 4_000
const healedMs = 6_000
const longestElectionsMs = 10_000

/**
 * Whole servers on the real streams in virtual time: a network that loses, doubles, reorders and remembers, slow disks that lose power in the
 * middle of a write, snapshots all the time, kills, cuts, and a client that writes. Looked at by the invariants that run in every server,
 * by the trace, by the client, who remembers what was acknowledged, and, when the faults have ended, by whether all come to one state.
 */
export const streams: Scenario = {
  name: 'streams',
  checks: ['stopped', 'trace of streams', 'acknowledged', 'state', 'convergence'],
  run: (seed) => {
    const random = seeded(spread(seed))
    const ids = ['n1', 'n2', 'n3', 'n4', 'n5'].slice(0, seed % 4 === 0 ? 5 : 3)
    const scheduler = new VirtualScheduler()
    const network = memoryNetwork({ scheduler, random, delayMs: { min: 1, max: 30 }, loss: 0.05, duplication: 0.05, reordering: 0.1 })
    const disks = new Map(
      ids.map((id) => [id, memoryStorage(ids, { scheduler, random, writeMs: 1 + Math.floor(random() * 40), onAbandon: 'torn' })]),
    )
    const { say, violations } = findings()
    const next = traceChecker()
    let traced = true
    const servers = new Map<string, Raft<string, string>>()
    const states = new Map<string, Server>()
    const journals = new Map<string, string>()
    const acknowledged: string[] = []

    const start = (id: string): void => {
      const server = createRaft<string, string>({
        id,
        network: echoing(network.join(id), random, scheduler),
        storage: disks.get(id)!,
        codec: utf8,
        scheduler,
        random,
        maxSnapshotChunkBytes: 200,
        stateMachine: journal((text) => journals.set(id, text)),
        snapshots: { everyEntries: 12, take: (index) => of({ index, data: utf8.encode(journals.get(id)!) }) },
      })
      servers.set(id, server)
      server.inspect$.pipe(trace()).subscribe((line) => {
        const why = traced ? next(line) : null
        if (why === null) return
        say('trace of streams', why)
        traced = false
      })
      server.state$.subscribe((state) => states.set(id, state))
      server.stopped$.subscribe((reason) => {
        if (reason._tag !== 'Killed' && reason._tag !== 'Closed') say('stopped', `${id}: ${reason.message}`)
      })
      server.start()
    }
    const propose = (word: string): void => {
      const leader = ids
        .filter((id) => states.get(id)?.role._tag === 'Leader')
        .sort((a, b) => states.get(b)!.currentTerm - states.get(a)!.currentTerm)[0]
      if (leader === undefined) return
      servers
        .get(leader)!
        .propose(word)
        .subscribe((event) => {
          if (event._tag === 'Applied') acknowledged.push(event.result)
        })
    }
    const down = new Set<string>()
    const disturb = (): void => {
      const id = ids[Math.floor(random() * ids.length)]!
      const what = random()
      if (down.has(id)) {
        down.delete(id)
        start(id)
      } else if (what < 0.3 && down.size < ids.length - 1) {
        down.add(id)
        servers.get(id)!.kill()
      } else if (what < 0.5) network.isolate(id)
      else if (what < 0.6) network.cutOneWay(id, ids[Math.floor(random() * ids.length)]!)
      else network.heal()
    }

    try {
      for (const id of ids) start(id)
      for (let n = 0; scheduler.now() < faultyMs; n++) {
        if (n % 8 === 0) disturb()
        for (let i = Math.floor(random() * 3); i > 0; i--) propose(`${n}/${i}`)
        scheduler.runUntil(scheduler.now() + 25)
      }
      network.heal()
      network.setFaults({ loss: 0, duplication: 0, reordering: 0 })
      for (const id of down) start(id)
      // The last follower hangs: the others must do without it.
      const hung = seed % 3 === 0 ? ids[0]! : null
      if (hung !== null) network.isolate(hung)
      scheduler.runUntil(scheduler.now() + healedMs / 2)
      // Two that split their votes again and again need a few elections more.
      const leads = (): boolean => ids.some((id) => id !== hung && states.get(id)?.role._tag === 'Leader')
      for (let waitedMs = 0; waitedMs < longestElectionsMs && !leads(); waitedMs += 100) scheduler.runUntil(scheduler.now() + 100)
      propose('last')
      scheduler.runUntil(scheduler.now() + healedMs / 2)
      const reached = ids.filter((id) => id !== hung)
      expectOneState(
        reached.map((id) => ({ id, state: states.get(id)!, journal: journals.get(id)! })),
        say,
      )
      const lines = new Set(journals.get(reached[0]!)!.split(' '))
      for (const line of acknowledged) if (!lines.has(line)) say('acknowledged', `${line} was acknowledged and is not there`)
    } catch (error) {
      say('stopped', (error as Error).message)
    }
    for (const server of servers.values()) server.kill()
    return violations()
  },
}

/** One message in thirty arrives again, up to two seconds later, when all the others around it are long forgotten. */
const echoing =
  (network: Network, random: () => number, scheduler: SchedulerLike): Network =>
  (message$) =>
    from(network(message$)).pipe(
      mergeMap((event) =>
        event._tag === 'Received' && random() < 1 / 30
          ? merge(of(event), timer(Math.floor(random() * 2_000), scheduler).pipe(map(() => event)))
          : of(event),
      ),
    )

/** Its state is all it was ever told, each with its index; that is also what it answers. */
const journal =
  (tell: (text: string) => void): StateMachine<string, string> =>
  (apply$, snapshot) => {
    let text = snapshot === null ? '' : utf8.decode(snapshot.data)
    tell(text)
    return apply$.pipe(
      map(({ index, command }) => {
        const line = `${index}:${command}`
        tell((text = `${text} ${line}`))
        return { index, result: line }
      }),
    )
  }

const expectOneState = (
  servers: ReadonlyArray<{ readonly id: string; readonly state: Server; readonly journal: string }>,
  say: (check: string, why: string) => void,
): void => {
  const [leader, ...others] = servers.filter(({ state }) => state.role._tag === 'Leader')
  if (leader === undefined || others.length > 0) return say('convergence', `${others.length + 1} lead, or none`)
  if (!leader.journal.endsWith(':last')) say('convergence', 'nothing new is taken')
  for (const { id, state, journal: theirs } of servers) {
    if (state.lastApplied !== leader.state.log.lastIndex) say('convergence', `${id} is behind`)
    else if (theirs !== leader.journal) say('state', `${id} has another state than ${leader.id}`)
  }
}
