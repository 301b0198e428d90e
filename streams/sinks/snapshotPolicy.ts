import { defer, Observable, type ObservableInput, type SchedulerLike, type Subscriber, type Subscription, take as first } from 'rxjs'
import { after, type LogIndex, logIndex } from '../../src/raft/ids.js'
import type { RaftEvent } from '../../src/raft/event.js'
import type { Server } from '../../src/raft/state/server.js'
import type { Snapshot, StateMachineError } from './applied.js'
import { InvalidOption } from '../options/invalidOption.js'
import type { Sink } from '../loop/sink.js'

/** When the log is compacted (§7), and what it is replaced by. */
export interface SnapshotOptions {
  /**
   * The state of the state machine: emits one `Snapshot`, of the last command that it has answered for or of a later one that it was
   * given. Called with the index of the former. Failing, or a snapshot of what was not handed over yet, stops the server. Left out,
   * snapshots are taken only by `snapshot()`.
   */
  readonly take?: (lastApplied: LogIndex) => ObservableInput<Snapshot>
  /**
   * Whether the state machine can begin with a snapshot that a leader sent, asked before it replaces anything: completes if it can, fails if
   * not. Then the snapshot is given up and told in `rejected$`. Left out, a snapshot that the state machine cannot read stops the server,
   * at every start again.
   */
  readonly check?: (snapshot: Snapshot) => ObservableInput<unknown>
  /** A snapshot is taken when so many entries were applied since the last one. Default 100,000. */
  readonly everyEntries?: number
  /**
   * Or so many bytes of commands. At most `maxLogBytes` less `maxCommandBytes`, or the log could be full before. Default 64 MiB, or that
   * bound where it is lower.
   */
  readonly everyBytes?: number
}

/** What became of a snapshot that was offered. Only `Taking` stores it. */
export type SnapshotAnswer =
  | { readonly _tag: 'Taking' }
  /** The log begins after that index already, or later. */
  | { readonly _tag: 'NotNewer' }
  /** One is being stored: offer a newer one when that is done. */
  | { readonly _tag: 'Busy' }
  /** The state machine was not given the command at that index yet, or the server does not run. */
  | { readonly _tag: 'NotHandedOver' }

export interface SnapshotPolicyOptions extends SnapshotOptions {
  readonly scheduler: SchedulerLike
  /** The bound on `everyBytes`. */
  readonly maxEveryBytes: number
}

export const defaultSnapshots = { everyEntries: 100_000, everyBytes: 64 << 20 }

/**
 * "One simple strategy is to take a snapshot when the log reaches a fixed size in bytes" (§7): or in entries. One at a time, in a turn of
 * its own.
 *
 *   lastApplied  --1--2--3-----4--5--6----     every 3 entries
 *   take         --------t-----------t----
 *   events       ----------s-----------s--     s: SnapshotTaken, when it was made
 */
export const snapshotPolicy = ({ scheduler, maxEveryBytes, take, everyEntries, everyBytes }: SnapshotPolicyOptions) => {
  const entries = whole('everyEntries', everyEntries ?? defaultSnapshots.everyEntries, Number.MAX_SAFE_INTEGER)
  const bytes = whole('everyBytes', everyBytes ?? Math.min(defaultSnapshots.everyBytes, maxEveryBytes), maxEveryBytes)
  let server: Server | null = null
  let out: Subscriber<RaftEvent> | null = null
  let taking: Subscription | undefined
  /** What the last attempt saw as applied: the next one waits for more, so that one that leads nowhere is not made again at once. */
  let tried = logIndex(0)

  const isDue = ({ log, lastApplied, snapshots }: Server): boolean =>
    lastApplied > log.base.index &&
    lastApplied > tried &&
    snapshots.taking === null &&
    snapshots.restoring === null &&
    (lastApplied - log.base.index >= entries || log.bytes - log.bytesFrom(after(lastApplied)) >= bytes)

  const fail = (message: string, cause?: unknown): void =>
    out?.error({ _tag: 'StateMachineFailed', message, cause } satisfies StateMachineError)

  const begin = (): void => {
    if (take === undefined || server === null || !isDue(server)) return
    const { lastApplied } = server
    tried = lastApplied
    taking = defer(() => take(lastApplied))
      .pipe(first(1))
      .subscribe({
        next: ({ index, data }) => {
          if (offer(index, data)._tag === 'NotHandedOver')
            fail(
              `The state machine gave a snapshot of index ${index}, and was not given that command yet: it must say up to where its state goes.`,
            )
        },
        error: (error: unknown) => fail('The state machine gave no snapshot; what it threw is the cause.', error),
      })
  }

  const offer = (index: number, data: Uint8Array): SnapshotAnswer => {
    if (server === null || out === null || !Number.isSafeInteger(index) || index > server.applyingIndex) return { _tag: 'NotHandedOver' }
    if (index <= server.log.base.index) return { _tag: 'NotNewer' }
    if (server.snapshots.restoring !== null) return { _tag: 'NotHandedOver' }
    if (server.snapshots.taking !== null) return { _tag: 'Busy' }
    out.next({ _tag: 'SnapshotTaken', index: logIndex(index), data })
    return { _tag: 'Taking' }
  }

  const sink: Sink = () =>
    new Observable<RaftEvent>((subscriber) => {
      out = subscriber
      subscriber.add(() => {
        out = null
        taking?.unsubscribe()
      })
    })

  return {
    sink,
    /** The state machine's state after `index`, for the disk; see `SnapshotAnswer`. */
    snapshot: offer,
    /** To be shown every step. */
    watch: (now: Server): void => {
      server = now
      if (take !== undefined && taking?.closed !== false && isDue(now)) taking = scheduler.schedule(begin)
    },
  }
}

const whole = (name: keyof typeof defaultSnapshots, value: number, max: number): number => {
  if (Number.isSafeInteger(value) && value > 0 && value <= max) return value
  throw new InvalidOption(`snapshots.${name}`, `must be a whole number from 1 to ${max}, not ${value}`)
}
