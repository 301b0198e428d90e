import { defer, NEVER, Observable, type ObservableInput, type SchedulerLike, type Subscription, throwIfEmpty } from 'rxjs'
import type { Apply, Restore } from '../../src/raft/effect.js'
import type { RaftEvent } from '../../src/raft/event.js'
import { after, type LogIndex, type SnapshotRef, type Term } from '../../src/raft/ids.js'
import { Hot } from '../rx/hotInternals.js'
import { ofTag } from '../loop/ofTag.js'
import type { Sink } from '../loop/sink.js'
import type { StorageError } from '../storage/storage.js'

/** A committed command, for the state machine: in log order, each index once per run (§5.3). */
export interface ApplyMsg<C = Uint8Array> {
  readonly index: LogIndex
  readonly term: Term
  readonly command: C
}

/** The state machine's answer for the command at `index`: exactly one for each, in order. `result` is what its proposer gets. */
export interface Applied<R = unknown> {
  readonly index: LogIndex
  readonly result: R
}

/** The state of a state machine after the command at `index`, as bytes of its own making (§7). */
export interface Snapshot {
  readonly index: LogIndex
  readonly data: Uint8Array
}

/**
 * What is replicated: a stream of committed commands in, a stream of their results out. It may
 * answer later, but in order; an error, an early end or an answer out of order stops the server.
 * It begins with the state in `snapshot`, null for none, and is given the commands after that. A snapshot from the leader ends it: the
 * function is called again, with that snapshot (Figure 13, 8).
 *
 * @example
 * // The sum of all commands so far, with `codec: json`:
 * const sum: StateMachine<number, number> = (apply$) =>
 *   apply$.pipe(scan((sum, { index, command }) => ({ index, result: sum.result + command }), { index: logIndex(0), result: 0 }))
 */
export type StateMachine<C = Uint8Array, R = unknown> = (
  apply$: Observable<ApplyMsg<C>>,
  snapshot: Snapshot | null,
) => ObservableInput<Applied<R>>

/** The state machine broke its contract, or failed. One that fails with this itself has its own `message` told. */
export interface StateMachineError {
  readonly _tag: 'StateMachineFailed'
  readonly message: string
  readonly cause?: unknown
}

/** What `applied` needs: the state machine, how commands are read, and who is told what came of them. */
export interface AppliedOptions<C, R> {
  /** Null for none: commands count as answered, with `undefined`, as soon as they are handed over. */
  readonly stateMachine: StateMachine<C, R> | null
  /** Reads a command from its bytes. */
  readonly decode: (command: Uint8Array) => C
  readonly scheduler: SchedulerLike
  /** Commands handed over in one turn; the rest waits for the next, so that applying never delays a heartbeat for long. */
  readonly maxAppliesPerTurn: number
  /** Is told of each answer, with the term of the entry that it answers. */
  readonly settle: (index: LogIndex, term: Term, result: R) => void
  /** Sees each command, just before the state machine does. */
  readonly tap: (index: LogIndex, term: Term, command: C) => void
  /** Left out where no snapshot is ever taken: one from a leader then stops the server. */
  readonly snapshots?: RestoreOptions
}

/** How `applied` begins with a snapshot. */
export interface RestoreOptions {
  /** The log begins after a snapshot: nothing is given before that is there. */
  readonly awaited: boolean
  /** The first `size` bytes of a snapshot, as one value. */
  readonly read: (ref: SnapshotRef, size: number) => ObservableInput<Uint8Array>
  /** Sees each snapshot when the state machine begins with it. */
  readonly tap: (snapshot: Snapshot) => void
}

interface CommandRun {
  readonly apply: Apply
  given: number
  answered: number
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
 */
export const applied =
  <C, R>({ stateMachine, decode, scheduler, maxAppliesPerTurn, settle, tap, snapshots }: AppliedOptions<C, R>): Sink =>
  (effect$) =>
    new Observable<RaftEvent>((subscriber) => {
      /** Runs of commands not wholly answered, oldest first; `given` and `answered` count within the run. Those after `restores[0]` wait for it. */
      let runs: CommandRun[] = []
      const restores: { readonly restore: Restore; readonly runs: CommandRun[] }[] = []
      let restoring = false
      /** The place in `runs` of the first one not wholly given. */
      let giving = 0
      let turn: Subscription | undefined
      let inTurn = false
      let reached: LogIndex | null = null
      let apply$ = new Hot<ApplyMsg<C>>()
      let machine: Subscription | undefined

      const fail = (message: string, cause?: unknown): void =>
        subscriber.error({ _tag: 'StateMachineFailed', message, cause } satisfies StateMachineError)

      const answer = (index: LogIndex, result: R): void => {
        const run = runs[0]
        const expected = run === undefined || run.answered === run.given ? null : after(run.apply.firstIndex, run.answered)
        if (run === undefined || index !== expected) {
          return fail(
            `The state machine answered for index ${index} where ${expected === null ? 'nothing was asked' : `${expected} was next`}: answer each command once, in order.`,
          )
        }
        const { term } = run.apply.entries[run.answered]!
        if (++run.answered === run.apply.entries.length) {
          runs.shift()
          giving--
        }
        reached = index
        settle(index, term, result)
        if (!inTurn) {
          report()
          restoreNext()
        }
      }

      const report = (): void => {
        if (reached === null) return
        const index = reached
        reached = null
        subscriber.next({ _tag: 'Applied', index })
      }

      const give = (index: LogIndex, term: Term, bytes: Uint8Array): void => {
        let command: C
        try {
          command = decode(bytes)
        } catch (cause) {
          return fail(
            `The command at index ${index} cannot be decoded: every server of a cluster must use the same codec. What \`decode\` threw is the cause.`,
            cause,
          )
        }
        tap(index, term, command)
        // Without a machine there is nobody to make a message for: a third of what a commit allocated.
        if (stateMachine === null) answer(index, undefined as R)
        else apply$.next({ index, term, command })
      }

      const handOver = (): void => {
        turn = undefined
        inTurn = true
        let left = maxAppliesPerTurn
        while (giving < runs.length && left > 0 && !subscriber.closed) {
          const run = runs[giving]!
          const { firstIndex, entries } = run.apply
          while (run.given < entries.length && left > 0 && !subscriber.closed) {
            const { term, command } = entries[run.given]!
            give(after(firstIndex, run.given++), term, command)
            left--
          }
          if (run.given === entries.length) giving++
        }
        inTurn = false
        report()
        if (left === 0) schedule()
        else restoreNext()
      }

      const schedule = (): void => {
        turn ??= scheduler.schedule(handOver)
      }

      const restoreNext = (): void => {
        const next = restores[0]
        if (next === undefined || runs.length > 0 || restoring || subscriber.closed) return
        if (snapshots === undefined)
          return fail(
            'The log begins after a snapshot, and this server has no option `snapshots`: all servers of a cluster need it, or none.',
          )
        restoring = true
        const { snapshot, base } = next.restore
        subscriber.add(
          defer(() => snapshots.read(snapshot.ref, snapshot.size))
            .pipe(throwIfEmpty(() => withoutValue(base.index)))
            .subscribe({
              next: (data) => {
                restoring = false
                restores.shift()
                runs = next.runs
                giving = 0
                begin({ index: base.index, data })
                subscriber.next({ _tag: 'Applied', index: base.index })
                schedule()
              },
              error: (error: unknown) => subscriber.error(error),
            }),
        )
      }

      const begin = (snapshot: Snapshot | null): void => {
        machine?.unsubscribe()
        if (snapshot !== null) snapshots?.tap(snapshot)
        apply$ = new Hot<ApplyMsg<C>>()
        machine = defer(() => (stateMachine === null ? NEVER : stateMachine(apply$, snapshot))).subscribe({
          next: ({ index, result }) => answer(index, result),
          error: (error: unknown) => {
            if (saysWhy(error)) subscriber.error(error)
            else fail('The state machine failed; what it threw is the cause.', error)
          },
          complete: () => fail('The state machine completed while its server runs: it must answer as long as it is subscribed to.'),
        })
      }

      subscriber.add(() => turn?.unsubscribe())
      subscriber.add(() => machine?.unsubscribe())
      if (snapshots?.awaited !== true) begin(null)
      subscriber.add(
        effect$.pipe(ofTag('Apply', 'Restore')).subscribe({
          next: (effect) => {
            if (effect._tag === 'Restore') restores.push({ restore: effect, runs: [] })
            else (restores[restores.length - 1]?.runs ?? runs).push({ apply: effect, given: 0, answered: 0 })
            schedule()
          },
          error: (error: unknown) => subscriber.error(error),
        }),
      )
    })

/** Without this its state machine would wait for ever, and nobody would know what for. */
const withoutValue = (index: LogIndex): StorageError => ({
  _tag: 'StorageFailed',
  message: `The storage completed its read of the snapshot of index ${index} without a value: it must give the bytes, or fail.`,
})

const saysWhy = (error: unknown): error is StateMachineError =>
  typeof error === 'object' && error !== null && '_tag' in error && error._tag === 'StateMachineFailed'
