import {
  defer,
  NEVER,
  Observable,
  type ObservableInput,
  type SchedulerLike,
  type Subscriber,
  type Subscription,
  take,
  throwIfEmpty,
} from 'rxjs'
import type { RaftEvent } from '../../src/raft/event.js'
import { type LogIndex, logIndex, type SnapshotRef, type Term } from '../../src/raft/ids.js'
import { type Sink, sinkOf } from '../loop/sink.js'
import { Hot } from '../rx/hotInternals.js'
import type { StorageError } from '../storage/storage.js'
import { ApplyQueue } from './applyQueue.js'
import { type ApplyMsg, saysWhy, type Snapshot, type StateMachine, stateMachineFailed } from './stateMachine.js'

/**
 * The state machine and what it needs.
 *
 * @example
 * const { decode } = utf8
 * const readSnapshot = () => of(Uint8Array.of(1))
 * // C is string, R is undefined.
 * const machine = applied<string, undefined>({ stateMachine: null, decode, scheduler, maxAppliesPerTurn: 4_096, readSnapshot })
 */
export interface AppliedOptions<C, R> {
  /** Null for none: commands count as answered, with `undefined`, as soon as they are handed over. */
  readonly stateMachine: StateMachine<C, R> | null
  /** Reads a command from its bytes. */
  readonly decode: (command: Uint8Array) => C
  readonly scheduler: SchedulerLike
  /**
   * Commands handed over in one turn; the rest waits for the next, so that applying never delays a heartbeat for long.
   */
  readonly maxAppliesPerTurn: number
  /**
   * The first `size` bytes of a snapshot, as one value. Left out where no snapshot is ever taken: one from a leader
   * then stops the server.
   */
  readonly readSnapshot?: (ref: SnapshotRef, size: number) => ObservableInput<Uint8Array>
}

/**
 * The end of a committed entry: the state machine's answer; or a snapshot took the place of all up to `index`, answers
 * and all.
 *
 * @example
 * const indexOf = (result: Result<unknown>) => result.index
 */
export type Result<R> =
  | { readonly _tag: 'Applied'; readonly index: LogIndex; readonly term: Term; readonly result: R }
  | { readonly _tag: 'Restored'; readonly index: LogIndex }

/**
 * The state machine as a sink, and what is seen of it from outside. All streams are hot.
 *
 * @example
 * const watch = (machine: AppliedSink<string, number>) => machine.apply$.subscribe(({ command }) => console.log(command))
 */
export interface AppliedSink<C, R> {
  readonly sink: Sink
  /** Each command, just before the state machine gets it. */
  readonly apply$: Hot<ApplyMsg<C>>
  /** Each snapshot that the state machine begins with. */
  readonly restore$: Hot<Snapshot>
  readonly result$: Hot<Result<R>>
  /** Up to where the state machine was given commands, itself or with a snapshot. */
  readonly givenIndex: () => LogIndex
}

/**
 * "When the entry has been safely replicated, the leader applies the entry to its state machine" (§5.3).
 * Hands over in turns of its own, never within the call that caused it.
 *
 *   Apply    --a-----b---     a: commands 1 and 2; b: command 3
 *   apply$   --(12)--3---     in the next turn, of the same millisecond
 *   Applied  --2-----3---
 *
 * A `Restore` waits until all commands before it are answered, and those after it wait for the snapshot to be read.
 *
 * @example
 * const stateMachine: StateMachine<string, number> = (apply$) =>
 *   apply$.pipe(map(({ index, command }) => ({ index, result: command.length })))
 * const machine = applied({ stateMachine, decode: utf8.decode, scheduler, maxAppliesPerTurn: 4_096 })
 * machine.result$.subscribe(({ _tag, index }) => console.log(_tag, index)) // Applied, for each command in its order
 */
export const applied = <C, R>(options: AppliedOptions<C, R>): AppliedSink<C, R> => {
  const apply$ = new Hot<ApplyMsg<C>>()
  const restore$ = new Hot<Snapshot>()
  const result$ = new Hot<Result<R>>()
  let given = logIndex(0)
  const seen: Seen<C, R> = { apply$, restore$, result$, given: (index) => (given = index) }
  const sink = sinkOf(
    ['Apply', 'Restore'],
    (effect$, state$) =>
      new Observable<RaftEvent>((subscriber) => {
        const applying = new Applying(options, seen, subscriber)
        // A log that begins after a snapshot: nothing is given before that snapshot is read.
        subscriber.add(state$.pipe(take(1)).subscribe(({ log, lastApplied }) => applying.start(lastApplied < log.base.index)))
        subscriber.add(
          effect$.subscribe({ next: (effect) => applying.handOver(effect), error: (error: unknown) => subscriber.error(error) }),
        )
      }),
  )
  return { sink, apply$, restore$, result$, givenIndex: () => given }
}

/** Where what happens is told to the outside. */
interface Seen<C, R> extends Pick<AppliedSink<C, R>, 'apply$' | 'restore$' | 'result$'> {
  readonly given: (index: LogIndex) => void
}

/** One run of the state machine's sink. */
class Applying<C, R> {
  private readonly queue = new ApplyQueue()
  private apply$ = new Hot<ApplyMsg<C>>()
  private machine: Subscription | undefined
  private turn: Subscription | undefined
  private inTurn = false
  private restoring = false
  /** Answered, and not told to the core yet. */
  private reached: LogIndex | null = null

  constructor(
    private readonly options: AppliedOptions<C, R>,
    private readonly seen: Seen<C, R>,
    private readonly subscriber: Subscriber<RaftEvent>,
  ) {
    subscriber.add(() => {
      this.turn?.unsubscribe()
      this.machine?.unsubscribe()
    })
  }

  /** `awaitsSnapshot`: the state machine begins with a snapshot, not with nothing. */
  start(awaitsSnapshot: boolean): void {
    if (!awaitsSnapshot) this.begin(null)
  }

  handOver(effect: Parameters<ApplyQueue['add']>[0]): void {
    this.queue.add(effect)
    this.schedule()
  }

  private schedule(): void {
    this.turn ??= this.options.scheduler.schedule(() => this.takeTurn())
  }

  private takeTurn(): void {
    this.turn = undefined
    this.inTurn = true
    const left = this.queue.giveTo(this.give, this.options.maxAppliesPerTurn, this.goesOn)
    this.inTurn = false
    this.tellReached()
    if (left === 0) this.schedule()
    else this.restoreNext()
  }

  private readonly goesOn = (): boolean => !this.subscriber.closed

  private readonly give = (index: LogIndex, term: Term, bytes: Uint8Array): void => {
    const { stateMachine, decode } = this.options
    let command: C
    try {
      command = decode(bytes)
    } catch (cause) {
      return this.fail(
        `The command at index ${index} cannot be decoded: every server of a cluster must use the same codec. What \`decode\` threw is the cause.`,
        cause,
      )
    }
    this.seen.given(index)
    // Without a listener no message is made: a third of what a commit allocated.
    if (this.seen.apply$.observed) this.seen.apply$.next({ index, term, command })
    if (stateMachine === null) this.answer(index, undefined as R)
    else this.apply$.next({ index, term, command })
  }

  private answer(index: LogIndex, result: R): void {
    const { expected } = this.queue
    if (index !== expected) {
      return this.fail(
        `The state machine answered for index ${index} where ${expected === null ? 'nothing was asked' : `${expected} was next`}: answer each command once, in order.`,
      )
    }
    const term = this.queue.answered()
    this.reached = index
    this.seen.result$.next({ _tag: 'Applied', index, term, result })
    if (this.inTurn) return
    this.tellReached()
    this.restoreNext()
  }

  private tellReached(): void {
    const index = this.reached
    if (index === null) return
    this.reached = null
    this.subscriber.next({ _tag: 'Applied', index })
  }

  private restoreNext(): void {
    const { restore } = this.queue
    if (restore === null || this.restoring || this.subscriber.closed) return
    const { readSnapshot } = this.options
    if (readSnapshot === undefined)
      return this.fail(
        'The log begins after a snapshot, and this server has no option `snapshots`: all servers of a cluster need it, or none.',
      )
    this.restoring = true
    const { snapshot, base } = restore
    this.subscriber.add(
      defer(() => readSnapshot(snapshot.ref, snapshot.size))
        .pipe(throwIfEmpty(() => withoutValue(base.index)))
        .subscribe({
          next: (data) => {
            this.restoring = false
            this.queue.restored()
            this.begin({ index: base.index, data })
            this.subscriber.next({ _tag: 'Applied', index: base.index })
            this.schedule()
          },
          error: (error: unknown) => this.subscriber.error(error),
        }),
    )
  }

  private begin(snapshot: Snapshot | null): void {
    const { stateMachine } = this.options
    this.machine?.unsubscribe()
    if (snapshot !== null) this.tellRestored(snapshot)
    this.apply$ = new Hot<ApplyMsg<C>>()
    this.machine = defer(() => (stateMachine === null ? NEVER : stateMachine(this.apply$, snapshot))).subscribe({
      next: ({ index, result }) => this.answer(index, result),
      error: (error: unknown) => {
        if (saysWhy(error)) this.subscriber.error(error)
        else this.fail('The state machine failed; what it threw is the cause.', error)
      },
      complete: () => this.fail('The state machine completed while its server runs: it must answer as long as it is subscribed to.'),
    })
  }

  private tellRestored(snapshot: Snapshot): void {
    const { index } = snapshot
    this.seen.given(index)
    this.seen.result$.next({ _tag: 'Restored', index })
    this.seen.restore$.next(snapshot)
  }

  private fail(message: string, cause?: unknown): void {
    this.subscriber.error(stateMachineFailed(message, cause))
  }
}

/** Without this its state machine would wait for ever, and say nothing. */
const withoutValue = (index: LogIndex): StorageError => ({
  _tag: 'StorageFailed',
  message: `The storage completed its read of the snapshot of index ${index} without a value: it must give the bytes, or fail.`,
})
