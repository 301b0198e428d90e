import { either } from 'fp-ts'
import { EMPTY, from, map, merge, mergeMap, Subject, throwError } from 'rxjs'
import { commandEntry, noopEntry } from '../../../src/raft/state/entry.js'
import {
  logIndex,
  maxIncludedIndex,
  maxTerm,
  maxTermLead,
  messageSeq,
  type NodeId,
  nodeId,
  type Term,
  term,
  writeSeq,
} from '../../../src/raft/ids.js'
import type { Message } from '../../../src/raft/messages.js'
import type { Server } from '../../../src/raft/state/server.js'
import type { Snapshot, StateMachine } from '../../../streams/sinks/stateMachine.js'
import { utf8 } from '../../../streams/wire/codec.js'
import { createRaft, type Raft } from '../../../streams/server/createRaft.js'
import { VirtualScheduler } from '../../../streams/time/heapScheduler.js'
import { admit } from '../../../streams/sinks/inbound.js'
import { memoryNetwork } from '../../../streams/network/memory/memoryNetwork.js'
import type { Network, NetworkEvent } from '../../../streams/network/network.js'
import { type MemoryStorage, memoryStorage } from '../../../streams/storage/memory/memoryStorage.js'
import { seeded } from '../../../streams/testing/random.js'
import { encodeMessage } from '../../../streams/wire/message.js'
import { OnDisk } from '../../raft/onDisk.js'
import { findings, type Scenario, spread } from './scenario.js'

const calmMs = 3_000
const recoveryMs = 30_000
const ids = ['n1', 'n2', 'n3'].map(nodeId)

/**
 * Somebody has a connection to one server in the name of another, and sends messages in which every number may be at its limit. Then it
 * is gone. No server may have stopped, what was stored must be readable, and the cluster must elect a leader and commit. In one history
 * of four the cluster has come to the last terms that disk and wire can hold: there it may end to elect, and nothing else.
 */
export const stranger: Scenario = {
  name: 'stranger',
  checks: ['stopped by a stranger', 'unreadable', 'no service after a stranger', 'never found again'],
  run: (seed) => {
    const random = seeded(spread(seed))
    const below = (n: number): number => Math.floor(random() * n)
    const oneOf = <A>(them: ReadonlyArray<A>): A => them[below(them.length)]!
    const scheduler = new VirtualScheduler()
    const network = memoryNetwork({ scheduler, random, delayMs: { min: 1, max: 10 } })
    const { say, violations } = findings()
    const states = new Map<NodeId, Server>()
    const disks = new Map<NodeId, OnDisk>()
    const servers = new Map<NodeId, Raft<string>>()
    const victim = oneOf(ids)
    /** Its state machine cannot begin with any snapshot. */
    const choosy = seed % 2 === 0
    /** Of the terms that disk and wire can hold. */
    const isNearTheEnd = seed % 4 === 3
    const injected$ = new Subject<NetworkEvent>()
    let acknowledged = 0

    for (const id of ids) {
      const reached: Network = network.join(id)
      const server = createRaft<string, unknown>({
        id,
        network: id === victim ? (message$) => merge(from(reached(message$)), injected$) : reached,
        storage: isNearTheEnd ? storedAt(term(maxTerm - below(3))) : memoryStorage(ids),
        codec: utf8,
        scheduler,
        random,
        maxSnapshotChunkBytes: 20,
        stateMachine: choosy ? reading : silent,
        snapshots: {
          everyEntries: 5,
          take: (index) => [{ index, data: utf8.encode(`the state after ${index}`) }],
          ...(choosy && { check: ({ data }: Snapshot) => (isReadable(data) ? EMPTY : throwError(() => new Error('no state'))) }),
        },
      })
      servers.set(id, server)
      server.inspect$.subscribe(({ before, effects }) => {
        const disk = disks.get(id) ?? new OnDisk(before)
        disks.set(id, disk)
        try {
          for (const effect of effects) if (effect._tag === 'Persist') disk.write(effect)
        } catch (error) {
          say('unreadable', `${id} cannot write it: ${(error as Error).message}`)
        }
      })
      server.state$.subscribe((state) => states.set(id, state))
      server.stopped$.subscribe((reason) => {
        if (reason._tag !== 'Killed') say('stopped by a stranger', `${id}: ${reason._tag}: ${'message' in reason ? reason.message : ''}`)
      })
      server.start()
    }

    const serve = (forMs: number, until: () => boolean = () => false): void => {
      const end = scheduler.now() + forMs
      for (let n = 0; scheduler.now() < end && !until(); n++) {
        scheduler.runUntil(scheduler.now() + 50)
        if (n % 4 !== 0) continue
        for (const server of servers.values())
          server.propose(`${n}`).subscribe((event) => {
            if (event._tag === 'Applied') acknowledged++
          })
      }
    }

    /** What the border lets through of a message of that kind. */
    const attack = (): void => {
      const { currentTerm, log } = states.get(victim)!
      const itsTerm = oneOf([currentTerm, currentTerm + 1, currentTerm + maxTermLead, currentTerm + maxTermLead + 1, maxTerm - 1, maxTerm])
      const number = (): number =>
        oneOf([0, 1, log.base.index, log.lastIndex, log.lastIndex + 1, maxIncludedIndex, 2 ** 48 - 1, 2 ** 48, Number.MAX_SAFE_INTEGER])
      const someTerm = (): number => oneOf([0, 1, log.lastTerm, itsTerm - 1, itsTerm, maxTerm])
      const sender = oneOf(ids.filter((id) => id !== victim))
      const prev = oneOf([log.base.index, log.lastIndex, before(log.lastIndex), number()])
      const T = term(itsTerm)
      const envelope = { from: sender, to: victim, term: T }
      const asks = { ...envelope, seq: messageSeq(number()) }
      const answers = { ...envelope, re: messageSeq(number()) }
      const message = oneOf<() => Message>([
        () => ({
          _tag: 'RequestVote',
          ...asks,
          candidateId: sender,
          lastLogIndex: logIndex(number()),
          lastLogTerm: term(someTerm()),
        }),
        () => ({ _tag: 'RequestVoteReply', ...answers, voteGranted: random() < 0.5 }),
        () => ({
          _tag: 'AppendEntries',
          ...asks,
          leaderId: sender,
          prevLogIndex: logIndex(prev),
          prevLogTerm: log.termAt(logIndex(prev)) ?? term(someTerm()),
          entries: oneOf([[], [noopEntry(T)], [commandEntry(term(Math.max(log.lastTerm, someTerm())), utf8.encode('x')), noopEntry(T)]]),
          leaderCommit: logIndex(number()),
        }),
        () => ({
          _tag: 'AppendEntriesReply',
          ...answers,
          success: random() < 0.5,
          matchIndex: logIndex(number()),
          conflict: oneOf([null, { term: null, index: logIndex(number()) }, { term: term(someTerm()), index: logIndex(number()) }]),
        }),
        () => ({
          _tag: 'InstallSnapshot',
          ...asks,
          leaderId: sender,
          lastIncludedIndex: logIndex(number()),
          lastIncludedTerm: term(someTerm()),
          configuration: log.configuration,
          offset: oneOf([0, 0, 0, number()]),
          data: utf8.encode('anything'),
          done: random() < 0.7,
        }),
        () => ({ _tag: 'InstallSnapshotReply', ...answers, offset: number(), matchIndex: logIndex(number()) }),
      ])()
      const event = either.getOrElseW(() => null)(
        either.tryCatch(
          () => admit(encodeMessage(message), { from: sender, to: victim }),
          () => null, // what cannot be encoded cannot be sent
        ),
      )
      if (event?._tag === 'Received') injected$.next(event)
    }

    const leadAway = (): void => {
      const { currentTerm } = states.get(victim)!
      const from = oneOf(ids.filter((id) => id !== victim))
      const asks = { from, to: victim, seq: messageSeq(1), term: term(currentTerm + maxTermLead) }
      const message = { _tag: 'RequestVote', ...asks, candidateId: from, lastLogIndex: logIndex(0), lastLogTerm: term(0) } as const
      injected$.next({ _tag: 'Received', message })
    }

    try {
      serve(calmMs)
      // Alone with the stranger it may come to terms and entries that the others never heard of.
      const isAlone = seed % 4 === 1
      if (isAlone) network.isolate(victim)
      if (isAlone) serve(1_000)
      // Led away by terms alone, it is as good as any: with it and one other there is a majority.
      const isLedAway = seed % 8 === 1 || seed % 16 === 5
      const othersHaveALeader = seed % 16 === 5
      for (let n = 1 + below(6); n > 0; n--) {
        if (isLedAway) leadAway()
        else attack()
        scheduler.runUntil(scheduler.now() + oneOf([0, 1, 20, 500]))
      }
      network.heal()
      if (isLedAway && !othersHaveALeader) network.isolate(oneOf(ids.filter((id) => id !== victim)))
      const before = acknowledged
      serve(recoveryMs, () => acknowledged > before + 3)
      // After the last term nobody stands any more: the directories have to begin anew (docs/storage.md).
      if (acknowledged <= before + 3 && !isNearTheEnd) say('no service after a stranger', 'nothing is committed')
      if (othersHaveALeader) {
        const goal = Math.max(...[...states.values()].map(({ commitIndex }) => commitIndex))
        const isFound = (): boolean => states.get(victim)!.lastApplied >= goal
        serve(recoveryMs, isFound)
        if (!isFound()) say('never found again', `${victim} is in term ${states.get(victim)!.currentTerm} and gets no entries`)
      }
      for (const [id, disk] of disks) {
        const { currentTerm, log } = disk.read()
        const now = states.get(id)!
        const isSame = log.lastIndex === now.log.lastIndex && [...log].every(({ term }, i) => term === [...now.log][i]?.term)
        if (currentTerm !== now.currentTerm || !isSame)
          say('unreadable', `${id} would begin with term ${currentTerm} and a log up to ${log.lastIndex}`)
      }
    } catch (error) {
      say('unreadable', (error as Error).message)
    }
    for (const server of servers.values()) server.kill()
    return violations()
  },
}

/** A disk that holds this term, and nothing else. */
const storedAt = (currentTerm: Term): MemoryStorage => {
  const storage = memoryStorage(ids)
  const write = {
    snapshot: null,
    hardState: { currentTerm, votedFor: null },
    truncateFrom: null,
    firstIndex: logIndex(1),
    entries: [],
    commitIndex: logIndex(0),
  }
  storage
    .open()
    .pipe(mergeMap((disk) => disk.write([{ _tag: 'Persist', seq: writeSeq(1), write }])))
    .subscribe()
    .unsubscribe()
  return storage
}

const before = (index: number): number => Math.max(0, index - 1)

/** Answers everything with nothing, and begins with any snapshot. */
const silent: StateMachine<string> = (apply$) => apply$.pipe(map(({ index }) => ({ index, result: undefined })))

const isReadable = (data: Uint8Array): boolean => utf8.decode(data).startsWith('the state after ')

/** The same, but it begins with no other snapshot than its own. */
const reading: StateMachine<string> = (apply$, snapshot) =>
  snapshot === null || isReadable(snapshot.data) ? silent(apply$, snapshot) : throwError(() => new Error('no state'))
