import { defer, EMPTY, Observable, type ObservableInput, type SchedulerLike, type Subscriber, type Subscription, take } from 'rxjs'
import { after, type LogIndex, logIndex } from '../../src/raft/ids.js'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Server } from '../../src/raft/state/server.js'
import { type Snapshot, stateMachineFailed } from './stateMachine.js'
import { whole } from '../options/checks.js'
import { type Sink, sinkOf } from '../loop/sink.js'

/**
 * When the log is compacted (§7), and what it is replaced by.
 *
 * @example
 * let sum = { index: logIndex(0), result: 0 }
 * const codec = json<number>()
 * const snapshots: SnapshotOptions = {
 *   take: () => of({ index: sum.index, data: codec.encode(sum.result) }),
 *   check: ({ data }) => of(codec.decode(data)),
 *   everyEntries: 10_000,
 *   everyBytes: 16 << 20,
 * }
 * createRaft({ id: 'n1', network, storage, codec, snapshots })
 */
export interface SnapshotOptions {
  /**
   * The state of the state machine: emits one `Snapshot`, of the last command that it has answered for or of a later
   * one that it was given. Called with the index of the former. Failing, or a snapshot of a command that it was not
   * given yet, stops the server. Left out, snapshots are taken only by `snapshot()`.
   */
  readonly take?: (lastApplied: LogIndex) => ObservableInput<Snapshot>
  /**
   * Whether the state machine can begin with a snapshot that a leader sent, asked before it replaces anything:
   * completes if it can, fails if not. Then the snapshot is given up and told in `rejected$`. Left out, a snapshot that
   * the state machine cannot read stops the server, at every start again.
   */
  readonly check?: (snapshot: Snapshot) => ObservableInput<unknown>
  /** A snapshot is taken when so many entries were applied since the last one. Default 100,000. */
  readonly everyEntries?: number
  /**
   * Or so many bytes of commands. At most `maxLogBytes` less `maxCommandBytes`, or the log could be full before.
   * Default 64 MiB, or that bound where it is lower.
   */
  readonly everyBytes?: number
}

/**
 * What became of a snapshot that was offered. Only `Taking` stores it.
 *
 * @example
 * const answer: SnapshotAnswer = server.snapshot(1_000, Uint8Array.of(1))
 * if (answer._tag === 'Busy') console.log('Another snapshot is being stored.')
 */
export type SnapshotAnswer =
  | { readonly _tag: 'Taking' }
  /** The log begins after that index already, or later. */
  | { readonly _tag: 'NotNewer' }
  /** One is being stored: offer a newer one when that is done. */
  | { readonly _tag: 'Busy' }
  /** The state machine was not given the command at that index yet, or the server does not run. */
  | { readonly _tag: 'NotGiven' }

/**
 * `SnapshotOptions` with what `createRaft` adds to them.
 *
 * @example
 * snapshotPolicy({ scheduler, maxEveryBytes: 64 << 20, everyEntries: 10_000 })
 */
export interface SnapshotPolicyOptions extends SnapshotOptions {
  readonly scheduler: SchedulerLike
  /** The bound on `everyBytes`. */
  readonly maxEveryBytes: number
}

/**
 * When a snapshot is taken, where `snapshots` does not say.
 *
 * @example
 * console.log(defaultSnapshots.everyEntries) // 100,000
 */
export const defaultSnapshots = { everyEntries: 100_000, everyBytes: 64 << 20 }

/**
 * The policy as a sink, and the way to offer a snapshot from outside.
 *
 * @example
 * const offered = (policy: SnapshotPolicy, index: number, data: Uint8Array) => policy.offer(index, data)._tag
 */
export interface SnapshotPolicy {
  readonly sink: Sink
  /** The state machine's state after `index`, for the disk; see `SnapshotAnswer`. */
  readonly offer: (index: number, data: Uint8Array) => SnapshotAnswer
}

/**
 * "One simple strategy is to take a snapshot when the log reaches a fixed size in bytes" (§7): or in entries. One at a
 * time, in a turn of its own.
 *
 *   lastApplied  --1--2--3-----4--5--6----     every 3 entries
 *   take         --------t-----------t----
 *   events       ----------s-----------s--     s: SnapshotTaken, when it was made
 *
 * @example
 * const policy = snapshotPolicy({ scheduler, maxEveryBytes: 64 << 20, everyEntries: 10_000 })
 * console.log(policy.offer(1, Uint8Array.of(1))) // { _tag: 'NotGiven' }: no server runs with this sink yet
 */
export const snapshotPolicy = (options: SnapshotPolicyOptions): SnapshotPolicy => {
  const { maxEveryBytes, everyEntries = defaultSnapshots.everyEntries } = options
  const { everyBytes = Math.min(defaultSnapshots.everyBytes, maxEveryBytes) } = options
  whole()('snapshots.everyEntries', everyEntries)
  whole(1, maxEveryBytes)('snapshots.everyBytes', everyBytes)
  const policy = new Policy(options, everyEntries, everyBytes)
  return { sink: policy.sink, offer: (index, data) => policy.offer(index, data) }
}

class Policy {
  /** Begins with the state of now. */
  private state$: Observable<Server> = EMPTY
  private out: Subscriber<RaftEvent> | null = null
  private taking: Subscription | undefined
  /**
   * What the last attempt saw as applied. The next one waits for more, so that one that leads nowhere is not made again
   * at once.
   */
  private tried = logIndex(0)

  constructor(
    private readonly options: SnapshotPolicyOptions,
    private readonly everyEntries: number,
    private readonly everyBytes: number,
  ) {}

  readonly sink: Sink = sinkOf(
    [],
    (_, state$) =>
      new Observable<RaftEvent>((subscriber) => {
        this.out = subscriber
        this.state$ = state$
        if (this.options.take !== undefined) subscriber.add(state$.subscribe((now) => this.onState(now)))
        subscriber.add(() => {
          this.out = null
          this.state$ = EMPTY
          this.taking?.unsubscribe()
        })
      }),
  )

  offer(index: number, data: Uint8Array): SnapshotAnswer {
    const { server, out } = this
    if (server === null || out === null || !Number.isSafeInteger(index) || index > server.applyingIndex) return { _tag: 'NotGiven' }
    if (index <= server.log.base.index) return { _tag: 'NotNewer' }
    if (server.snapshots.restoring !== null) return { _tag: 'NotGiven' }
    if (server.snapshots.taking !== null) return { _tag: 'Busy' }
    out.next({ _tag: 'SnapshotTaken', index: logIndex(index), data })
    return { _tag: 'Taking' }
  }

  private get server(): Server | null {
    let now: Server | null = null
    this.state$.pipe(take(1)).subscribe((server) => (now = server))
    return now
  }

  private onState(now: Server): void {
    const isFree = this.taking?.closed !== false
    if (isFree && this.isDue(now)) this.taking = this.options.scheduler.schedule(this.begin)
  }

  private isDue({ log, lastApplied, snapshots }: Server): boolean {
    return (
      lastApplied > log.base.index &&
      lastApplied > this.tried &&
      snapshots.taking === null &&
      snapshots.restoring === null &&
      (lastApplied - log.base.index >= this.everyEntries || log.bytes - log.bytesFrom(after(lastApplied)) >= this.everyBytes)
    )
  }

  private readonly begin = (): void => {
    const { server, options } = this
    const { take: takeSnapshot } = options
    if (takeSnapshot === undefined || server === null || !this.isDue(server)) return
    const { lastApplied } = server
    this.tried = lastApplied
    this.taking = defer(() => takeSnapshot(lastApplied))
      .pipe(take(1))
      .subscribe({
        next: ({ index, data }) => {
          if (this.offer(index, data)._tag === 'NotGiven')
            this.fail(
              `The state machine gave a snapshot of index ${index}, and was not given that command yet: it must say up to where its state goes.`,
            )
        },
        error: (error: unknown) => this.fail('The state machine gave no snapshot; what it threw is the cause.', error),
      })
  }

  private fail(message: string, cause?: unknown): void {
    this.out?.error(stateMachineFailed(message, cause))
  }
}
