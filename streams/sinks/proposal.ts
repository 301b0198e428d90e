import { Observable, type Observer, type Subscriber, Subscription, throwError } from 'rxjs'
import type { Refusal } from '../../src/raft/error.js'
import { type LogIndex, logIndex, term, type Term } from '../../src/raft/ids.js'

/**
 * The story of a proposal, in order: appended, committed, applied. Or it ends early:
 *
 *  - `NotLeader`, `Overloaded`: nothing was appended; offering it again is safe;
 *  - `Indeterminate`: the server stopped leading, or stopped, before it knew. The command may yet be
 *    committed. Offer it again only where applying it twice is harmless or a session prevents it (§8).
 *
 * @example
 * const isLast = ({ _tag }: ProposalEvent) => _tag !== 'Appended' && _tag !== 'Committed'
 * server.propose(1).pipe(filter(isLast)) // emits once: Applied, or a ProposalFailure
 */
export type ProposalEvent<R = unknown> =
  | { readonly _tag: 'Appended'; readonly index: LogIndex; readonly term: Term }
  | { readonly _tag: 'Committed'; readonly index: LogIndex }
  | { readonly _tag: 'Applied'; readonly index: LogIndex; readonly result: R }
  | ProposalFailure

/**
 * Why a proposal has no result: a refusal, or `Indeterminate`, when it may have been done.
 *
 * @example
 * const mayOfferAgain = ({ _tag }: ProposalFailure) => _tag !== 'Indeterminate'
 * server.propose(1).result().catch((error) => error instanceof ProposalError && mayOfferAgain(error.reason))
 */
export type ProposalFailure = Refusal | { readonly _tag: 'Indeterminate'; readonly index: LogIndex | null }

/**
 * What `result()` rejects with; `reason` says which ending it was.
 *
 * @example
 * server.propose(1).result().catch((error) => error instanceof ProposalError && alarm(error.message))
 */
export class ProposalError extends Error {
  override readonly name = 'ProposalError'
  constructor(readonly reason: ProposalFailure) {
    super(sentence(reason))
  }
}

const sentence = (reason: ProposalFailure): string => {
  switch (reason._tag) {
    case 'NotLeader':
      return reason.leader === null
        ? 'Not the leader, and no leader is known: try again soon.'
        : `Not the leader: propose to ${reason.leader}.`
    case 'Overloaded':
      return `Overloaded: ${reason.limit} is reached. Nothing was appended; try again when some of what is under way is done.`
    case 'Indeterminate':
      return 'The outcome is unknown: this server stopped leading before the command was committed, and a later leader may yet commit it.'
  }
}

const nobody: ReadonlyArray<never> = []

/** One function for all proposals: a closure for each would be most of what it takes in memory. */
function watch<R>(this: Proposal<R>, subscriber: Subscriber<ProposalEvent<R>>): void {
  this.watch(subscriber)
}

/** Who is told a story: RxJS's `Subscriber`, or a `Watcher`. */
type Listener<T> = Pick<Observer<T>, 'next' | 'complete'>

/**
 * What `subscribe(tell)` gives: one object, where RxJS makes four and a closure for what may come a million times a
 * second.
 */
class Watcher<T> extends Subscription implements Listener<T> {
  constructor(private readonly tell: (value: T) => void) {
    super()
  }

  next(value: T): void {
    if (this.closed) return
    try {
      this.tell(value)
    } catch (error) {
      // nobody handles it: RxJS says so in its own way, later and elsewhere
      throwError((): unknown => error).subscribe()
    }
  }

  complete(): void {
    this.unsubscribe()
  }
}

/**
 * A command that was proposed: an Observable of its story, which replays to whoever subscribes
 * late and completes with its last event. It was proposed when `propose` was called, once,
 * however often it is subscribed to; unsubscribing only stops watching.
 *
 * @example
 * server.propose(1).subscribe((event) => console.log(event._tag)) // Appended, Committed, Applied: or one refusal
 * console.log(await server.propose(1).result())
 */
export class Proposal<R = unknown> extends Observable<ProposalEvent<R>> {
  // There may be a million a second: what was told is kept as fields, and told again from them.
  /** @internal */
  index: LogIndex = logIndex(0)
  /** @internal */
  term: Term = term(0)
  private committed = false
  private ending: ProposalEvent<R> | null = null
  private watcher: Listener<ProposalEvent<R>> | null = null
  private others: ReadonlyArray<Listener<ProposalEvent<R>>> = nobody

  constructor(
    /** @internal */
    readonly command: Uint8Array,
  ) {
    super(watch as (this: Observable<ProposalEvent<R>>, subscriber: Subscriber<ProposalEvent<R>>) => void)
  }

  /**
   * Tells what becomes of it. The signature is RxJS's own; a proposal never errors, so the second function is never
   * called.
   */
  override subscribe(
    observerOrNext?: Partial<Observer<ProposalEvent<R>>> | ((event: ProposalEvent<R>) => void) | null,
    _error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (typeof observerOrNext !== 'function') return super.subscribe(observerOrNext ?? {})
    if (complete) return super.subscribe({ next: observerOrNext, complete })
    const watcher = new Watcher(observerOrNext)
    this.watch(watcher)
    return watcher
  }

  /** @internal */
  watch(listener: Listener<ProposalEvent<R>>): void {
    if (this.index > 0) listener.next(this.appendedEvent())
    if (this.committed) listener.next(this.committedEvent())
    if (this.ending !== null) {
      listener.next(this.ending)
      listener.complete()
    } else if (this.watcher === null) this.watcher = listener
    else this.others = [...this.others, listener]
  }

  /** Resolves with the state machine's result; rejects with a `ProposalError` where the story ends otherwise. */
  result(): Promise<R> {
    return new Promise((resolve, reject) => {
      this.subscribe((event) => {
        switch (event._tag) {
          case 'Applied':
            return resolve(event.result)
          case 'NotLeader':
          case 'Overloaded':
          case 'Indeterminate':
            return reject(new ProposalError(event))
          case 'Appended':
          case 'Committed':
        }
      })
    })
  }

  /** @internal */
  tellAppended(index: LogIndex, term: Term): void {
    this.index = index
    this.term = term
    if (this.watcher !== null) this.tell(this.appendedEvent())
  }

  /** @internal */
  tellCommitted(): void {
    this.committed = true
    if (this.watcher !== null) this.tell(this.committedEvent())
  }

  /** @internal */
  end(event: ProposalEvent<R>): void {
    const { watcher, others } = this
    this.ending = event
    this.watcher = null
    this.others = nobody
    watcher?.next(event)
    watcher?.complete()
    for (const other of others) {
      other.next(event)
      other.complete()
    }
  }

  private tell(event: ProposalEvent<R>): void {
    this.watcher?.next(event)
    for (const other of this.others) other.next(event)
  }

  private appendedEvent(): ProposalEvent<R> {
    return { _tag: 'Appended', index: this.index, term: this.term }
  }

  private committedEvent(): ProposalEvent<R> {
    return { _tag: 'Committed', index: this.index }
  }
}
