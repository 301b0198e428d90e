import {
  concat,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  from,
  map,
  Observable,
  ReplaySubject,
  Subject,
  Subscription,
  takeUntil,
  tap,
  throwIfEmpty,
  timer,
} from 'rxjs'
import { either } from 'fp-ts'
import { after, type LogIndex, logIndex, NodeId } from '../../src/raft/ids.js'
import type { Role } from '../../src/raft/state/role.js'
import { leaderOf, restart, type Server } from '../../src/raft/state/server.js'
import { defaultSettings, type Settings } from '../../src/raft/settings.js'
import { applied, type ApplyMsg, type Snapshot } from '../sinks/applied.js'
import { bytes, type Codec } from '../wire/codec.js'
import { snapshotPolicy, type SnapshotAnswer } from '../sinks/snapshotPolicy.js'
import { electionTimer } from '../sinks/electionTimer.js'
import { heartbeat } from '../sinks/heartbeat.js'
import { endedBy, Hot, Latest, SharedEnd } from '../rx/hotInternals.js'
import { IterableObservable } from '../rx/iterable.js'
import { counting, type Metrics, metricsOf } from './metrics.js'
import type { Rejected } from '../network/network.js'
import { InvalidOption } from '../options/invalidOption.js'
import { defaultClock, type RaftOptions, tuned } from './options.js'
import type { Proposal } from '../sinks/proposal.js'
import { proposals } from '../sinks/proposals.js'
import { raft } from '../loop/raft.js'
import type { Inspection } from '../loop/run.js'
import { reasonOf, type StopReason } from './stopReason.js'
import type { OpenStorage } from '../storage/storage.js'

export type { StopReason } from './stopReason.js'

/**
 * One server of a cluster. Built by `createRaft`, it runs from `start()` to `close()` or `kill()`;
 * subscribing only watches. Its streams never fail: they complete when it stops, and `stopped$` says why.
 */
export interface Raft<C = Uint8Array, R = unknown> {
  readonly id: NodeId
  /** Opens the storage and takes part. Does nothing if it was started before. */
  start(): void
  /**
   * Stops in good order: what is being written is finished and files are closed. Proposals that have
   * not ended are `Indeterminate`. Gives `stopped$`, which emits when all is closed.
   */
  close(): Observable<StopReason>
  /** Stops at once, as a crash would. */
  kill(): void
  /**
   * Offers a command, now and once; see `Proposal` for what is told of it. Anywhere but at the leader it
   * is refused with the leader's name.
   */
  propose(command: C): Proposal<R>
  /**
   * §7: `data` is the state of the state machine after the command at `index`, any that it was given: once it is on the disk, the log
   * forgets what it replaces. Says at once what becomes of it. May be called from within `apply$` and from within the state machine. Needs
   * the option `snapshots`, which may be `{}`.
   */
  snapshot(index: number, data: Uint8Array): SnapshotAnswer
  /** The state, from when the storage was read; replays the last. `distinctUntilChanged()` on any part of it is cheap. */
  readonly state$: IterableObservable<Server>
  /** What it is: replays the last. */
  readonly role$: IterableObservable<Role['_tag']>
  /** Who leads, as far as it knows, null if it does not: replays the last. */
  readonly leader$: IterableObservable<NodeId | null>
  /** Every command as the state machine gets it; from now on (hot). `applyFrom` is there for late comers. */
  readonly apply$: IterableObservable<ApplyMsg<C>>
  /** Every command from `index` on as far as the log holds it, then `apply$`, without a gap. Begins later if the log does. */
  applyFrom(index: number): IterableObservable<ApplyMsg<C>>
  /** Every snapshot that the state machine begins with: at the start, and when a leader sent one (hot). The next of `apply$` follows it. */
  readonly restore$: IterableObservable<Snapshot>
  /** What arrived and was not let in (hot). */
  readonly rejected$: IterableObservable<Rejected>
  /** Numbers, every `metricsMs` from subscription on (cold). */
  readonly metrics$: IterableObservable<Metrics>
  /** Every step (hot). Free when nobody watches. */
  readonly inspect$: IterableObservable<Inspection>
  /** Emits why it stopped, once, and completes: replays. */
  readonly stopped$: IterableObservable<StopReason>
}

/**
 * A Raft server (§5). Builds only: nothing is opened or sent before `start()`. Throws `InvalidOption`
 * where an option cannot work.
 *
 * @example
 * const network = memoryNetwork()
 * const cluster = ['n1', 'n2', 'n3']
 * const servers = cluster.map((id) => createRaft({ id, network: network.join(id), storage: memoryStorage(cluster), codec: utf8 }))
 * for (const server of servers) server.start()
 */
export const createRaft = <C = Uint8Array, R = undefined>(options: RaftOptions<C, R>): Raft<C, R> => {
  const { network, storage, scheduler = defaultClock, random = Math.random } = options
  const codec = options.codec ?? (bytes as unknown as Codec<C>)
  const tuning = tuned(options)
  const id = checkedId(options.id)

  const state$ = new Latest<Server>()
  const apply$ = new Hot<ApplyMsg<C>>()
  const restore$ = new Hot<Snapshot>()
  const rejected$ = new Hot<Rejected>()
  const inspect$ = new Hot<Inspection>()
  const stopped$ = new ReplaySubject<StopReason>(1)
  const counters = counting()

  const clients = proposals<R>({ scheduler, maxProposals: tuning.maxProposals, maxCommandBytes: tuning.maxCommandBytes })
  const maxEveryBytes = Math.max(1, tuning.maxLogBytes - tuning.maxCommandBytes)
  const snapshotting = snapshotPolicy({ ...options.snapshots, scheduler, maxEveryBytes })
  /** The last index whose command the state machine was given. */
  let handedTo = 0
  let phase: 'built' | 'running' | 'closing' | 'stopped' = 'built'
  let opened: Omit<OpenStorage, 'recovered'> | null = null
  // Not subscriptions: whoever is told of the first state may stop the server, and then there is none yet.
  const haltLoop$ = new Subject<void>()
  const releaseStorage$ = new Subject<void>()
  /** What outlives the loop when the server is closed: the write under way, then the closing. */
  const finishing = new Subscription()
  let writing$: Observable<never> = EMPTY

  const onStep = (inspection: Inspection): void => {
    const { before, after } = inspection
    clients.watch(before, after)
    snapshotting.watch(after)
    counters.watch(inspection)
    if (before !== after) state$.next(after)
    if (inspect$.observed) inspect$.next(inspection)
  }

  const stop = (reason: StopReason): void => {
    if (phase === 'stopped') return
    phase = 'stopped'
    haltLoop$.next()
    finishing.unsubscribe()
    releaseStorage$.next()
    for (const subject of [state$, apply$, restore$, rejected$, inspect$]) subject.complete()
    stopped$.next(reason)
    stopped$.complete()
  }

  const write: OpenStorage['write'] = (batch) => {
    const done$ = opened!.write(batch)
    if (done$ === EMPTY) return EMPTY // done already, so there is nothing to finish
    writing$ = new SharedEnd(from(done$))
    return writing$
  }

  const runFrom = (storage: OpenStorage): void => {
    if (opened !== null) return
    opened = withoutRecovered(storage)
    const { snapshots } = storage
    const awaited = storage.recovered.snapshot !== null
    // Given away, not kept: a log that is held holds all that it and its successors shared, compacted or not.
    let initial: Server | null = restart(id, settingsOf(tuning), storage.recovered)
    snapshotting.watch(initial)
    state$.next(initial)
    if (phase !== 'running') return
    const begin = (): Server => {
      const server = initial!
      initial = null
      return server
    }
    raft(begin, {
      scheduler,
      network,
      user: {
        incarnation: initial.incarnation,
        configuration$: state$.pipe(
          map(({ log }) => log.configuration),
          distinctUntilChanged(),
        ),
      },
      storage: { write, maxWaitingSends: tuning.maxWaitingSends, snapshots, checkSnapshot: options.snapshots?.check },
      maxEffectsPerTurn: tuning.maxEffectsPerTurn,
      rejected: (what) => {
        counters.rejected()
        rejected$.next(what)
      },
      sinks: [
        electionTimer({ timeoutMs: tuning.electionTimeoutMs, random, scheduler }),
        heartbeat({ heartbeatMs: tuning.heartbeatMs, scheduler }),
        clients.sink,
        snapshotting.sink,
        applied<C, R>({
          stateMachine: options.stateMachine ?? null,
          decode: (command) => codec.decode(command),
          scheduler,
          maxAppliesPerTurn: tuning.maxAppliesPerTurn,
          settle: clients.settle,
          tap: (index, term, command) => {
            handedTo = index
            if (apply$.observed) apply$.next({ index, term, command })
          },
          ...(options.snapshots !== undefined && {
            snapshots: {
              awaited,
              read: (ref, size) => snapshots.read(ref, 0, size),
              tap: (snapshot) => {
                handedTo = snapshot.index
                clients.skip(snapshot.index)
                restore$.next(snapshot)
              },
            },
          }),
        }),
      ],
    })
      .pipe(endedBy(haltLoop$))
      .subscribe({ next: onStep, error: (error: unknown) => stop(reasonOf(error)) })
  }

  const iterable = <T>(stream$: Observable<T>): IterableObservable<T> => new IterableObservable(stream$)

  const commandsFrom = (from: LogIndex, server: Server): ReadonlyArray<ApplyMsg<C>> => {
    const msgs: ApplyMsg<C>[] = []
    const first = Math.max(from, server.log.base.index + 1)
    for (let index = logIndex(first); index <= handedTo; index = after(index)) {
      const entry = server.log.at(index)
      if (entry?.kind === 'command') msgs.push({ index, term: entry.term, command: codec.decode(entry.command) })
    }
    return msgs
  }

  return {
    id,
    start: () => {
      if (phase !== 'built') return
      phase = 'running'
      // Not `take(1)`: the storage is open for as long as it is subscribed to.
      defer(() => storage.open())
        .pipe(
          throwIfEmpty(() => new Error('The storage completed without an OpenStorage: open() must emit one.')),
          tap(runFrom),
          takeUntil(releaseStorage$),
        )
        .subscribe({ error: (error: unknown) => stop(reasonOf(error)) })
    },
    close: () => {
      if (phase === 'built') stop({ _tag: 'Closed' })
      if (phase === 'running') {
        phase = 'closing'
        // Before the loop lets go of it, which would take it back.
        finishing.add(writing$.subscribe({ error: () => undefined }))
        haltLoop$.next()
        if (opened === null) stop({ _tag: 'Closed' })
        else if (phase === 'closing')
          finishing.add(
            concat(
              writing$,
              defer(() => opened!.close()),
            ).subscribe({ error: (error: unknown) => stop(reasonOf(error)), complete: () => stop({ _tag: 'Closed' }) }),
          )
      }
      return iterable(stopped$)
    },
    kill: () => stop({ _tag: 'Killed' }),
    propose: (command) => clients.propose(codec.encode(command)),
    snapshot: (index, data) => {
      if (options.snapshots === undefined) throw new InvalidOption('snapshots', 'is needed for taking any, on every server of the cluster')
      return snapshotting.snapshot(index, data)
    },
    state$: iterable(state$),
    role$: iterable(
      state$.pipe(
        map(({ role }) => role._tag),
        distinctUntilChanged(),
      ),
    ),
    leader$: iterable(state$.pipe(map(leaderOf), distinctUntilChanged())),
    apply$: iterable(apply$),
    applyFrom: (index) =>
      iterable(
        new Observable((subscriber) => {
          const server = state$.value
          if (server !== null) for (const msg of commandsFrom(logIndex(index), server)) subscriber.next(msg)
          return apply$.pipe(filter((msg) => msg.index >= index)).subscribe(subscriber)
        }),
      ),
    restore$: iterable(restore$),
    rejected$: iterable(rejected$),
    metrics$: iterable(
      timer(0, tuning.metricsMs, scheduler).pipe(
        map(() => state$.value),
        filter((server) => server !== null),
        map((server) =>
          metricsOf(server, { proposals: clients.counts(), counts: counters.counts(), storageBytes: opened?.sizeBytes() ?? 0 }),
        ),
        takeUntil(stopped$),
      ),
    ),
    inspect$: iterable(inspect$),
    stopped$: iterable(stopped$),
  }
}

/** What of the tuning the rules know: a server's state, and with it a recording, holds no more. */
const settingsOf = (tuning: Settings): Settings =>
  Object.fromEntries(Object.keys(defaultSettings).map((name) => [name, tuning[name as keyof Settings]])) as unknown as Settings

/** What of a storage is needed as long as the server runs. One that is an instance of a class is its own affair. */
const withoutRecovered = (storage: OpenStorage): Omit<OpenStorage, 'recovered'> => {
  if (Object.getPrototypeOf(storage) !== Object.prototype) return storage
  const { recovered: _, ...kept } = storage
  return kept
}

const checkedId = (id: string): NodeId => {
  const decoded = NodeId.decode(id)
  if (either.isLeft(decoded)) throw new InvalidOption('id', `must match [a-z0-9][a-z0-9._-]{0,63}, not ${JSON.stringify(id)}`)
  return decoded.right
}
