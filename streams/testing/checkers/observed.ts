import type { OperatorFunction } from 'rxjs'
import { allChecks } from './all.js'
import { SameAnswers, sameValue } from './answers.js'
import type { Violation } from './checker.js'
import { ClientView } from './clientView.js'
import { observing, type Seen, type SeenCheckOf } from './seen.js'
import { type Recovery, recovers } from './recovers.js'
import { WatchInOrder } from './watchInOrder.js'

/**
 * I6: a server stops when it is told to, or when its disk or its network fails it; never by itself.
 *
 * @example
 * merge(...servers.map((server) => seenOf<number, number>(server)))
 *   .pipe(observing([noneStops]))
 *   .subscribe(({ message }) => alarm(message)) // 'n1: StateMachineFailed: …'
 */
export const noneStops: SeenCheckOf = () => ({
  name: 'no server stops by itself',
  see: (seen) => {
    if (seen._tag !== 'Stopped') return null
    const { id, reason } = seen
    switch (reason._tag) {
      case 'InvariantViolation':
      case 'StateMachineFailed':
      case 'Failed':
        return `${id}: ${reason._tag}: ${reason.message}`
      default:
        return null
    }
  },
})

/**
 * I11, as an operator's check: see `SameAnswers`. `same`: whether two answers are the same; by default by what they
 * hold.
 *
 * @example
 * const answered = (id: string, result: number): Seen<number> => ({ _tag: 'Answered', id: nodeId(id), index: 3, result })
 * of(answered('n1', 7), answered('n2', 8)).pipe(observing([sameAnswers<number>()]))
 * // the state machine of n2 answers 8 at 3; that of n1 answered 7
 */
export const sameAnswers = <R>(same: (a: R, b: R) => boolean = sameValue): SeenCheckOf<R> => {
  return () => {
    const answers = new SameAnswers(same)
    return { name: answers.name, see: (seen) => (seen._tag === 'Answered' ? answers.see(seen) : null) }
  }
}

/**
 * The options of `toldTheTruth`.
 *
 * @example
 * // A retry at 7 is answered by the entry at 5, which took effect.
 * const firsts = new Map([[7, 5]])
 * const options = <R>(same: (a: R, b: R) => boolean): ToldTheTruthOptions<R> => ({
 *   same,
 *   effectiveIndex: (index) => firsts.get(index) ?? index,
 * })
 */
export interface ToldTheTruthOptions<R> {
  /** Whether two answers are equal. Default: by their values. */
  readonly same?: (a: R, b: R) => boolean
  /** Where retries stand in the log more than once: the index of the first, at which the command took effect. */
  readonly effectiveIndex?: (index: number) => number
}

/**
 * I14 and I15, with the log as witness: see `ClientView`. It needs the steps, the answers of the state machines and the
 * answers to clients.
 *
 * @example
 * merge(outside$, ...servers.map((server) => seenOf<number, number>(server)))
 *   .pipe(observing([toldTheTruth<number>()]))
 *   .subscribe(({ message }) => alarm(message))
 */
export const toldTheTruth = <R>({ same = sameValue, effectiveIndex }: ToldTheTruthOptions<R> = {}): SeenCheckOf<R> => {
  return ({ committed }) => {
    const answers = new SameAnswers(same)
    const view = new ClientView(answers, committed, same)
    return {
      name: view.name,
      see: (seen) => {
        // That they differ is told by `sameAnswers`.
        if (seen._tag === 'Answered') answers.see(seen)
        return seen._tag === 'Acknowledged' ? view.see(seen, effectiveIndex?.(seen.index)) : null
      },
    }
  }
}

/**
 * I16: each watcher gets every command in order, without a gap and none twice. A watcher that begins late says so by
 * `WatchedFrom`.
 *
 * @example
 * const watched: Seen = { _tag: 'Watched', watcher: 'a', index: 2 }
 * of(watched, watched).pipe(observing([watchesInOrder])) // a: it gets 2 after 2
 */
export const watchesInOrder: SeenCheckOf = (record) => {
  const watchers = new Map<string, WatchInOrder>()
  const watcherOf = (name: string): WatchInOrder => {
    const known = watchers.get(name) ?? new WatchInOrder(record)
    watchers.set(name, known)
    return known
  }
  return {
    name: watcherOf('').name,
    see: (seen) => {
      if (seen._tag === 'WatchedFrom') watcherOf(seen.watcher).skip(seen.index)
      if (seen._tag !== 'Watched') return null
      const wrong = watcherOf(seen.watcher).see(seen.index)
      return wrong === null ? null : `${seen.watcher}: ${wrong}`
    },
  }
}

/**
 * The options of `observed`.
 *
 * @example
 * // For a cluster without clients.
 * const unasked = <R>(options: ObservedOptions<R>): ObservedOptions<R> => ({ ...options, recovery: { servedMs: null } })
 * outside$.pipe(observed(unasked({}))).subscribe(({ message }) => alarm(message))
 */
export interface ObservedOptions<R> extends ToldTheTruthOptions<R> {
  readonly recovery?: Recovery
}

/**
 * Everything that can be checked while a cluster runs: the steps (`checked`) and all that is seen beside them. Only
 * what is told is checked: without `Acknowledged` nothing is known of clients, without `Healed` nothing of recovery.
 *
 *   seen        --a--b--c--d--
 *   violations  --------v-----    c broke something
 *
 * @example
 * merge(outside$, ...servers.map((server) => seenOf<number, number>(server)))
 *   .pipe(observed())
 *   .subscribe(({ name, message }) => alarm(`${name}: ${message}`))
 */
export const observed = <R>({ recovery, ...options }: ObservedOptions<R> = {}): OperatorFunction<Seen<R>, Violation> =>
  observing<R>([noneStops, sameAnswers(options.same), toldTheTruth(options), watchesInOrder, recovers(recovery)], allChecks)
