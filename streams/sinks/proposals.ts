import { Observable, type SchedulerLike, type Subscriber, type Subscription } from 'rxjs'
import type { EffectOf } from '../../src/raft/effect.js'
import type { RaftEvent, RequestId } from '../../src/raft/event.js'
import { after } from '../../src/raft/ids.js'
import type { Server } from '../../src/raft/state/server.js'
import { type Sink, sinkOf } from '../loop/sink.js'
import type { Result } from './applied.js'
import { Proposal, type ProposalEvent } from './proposal.js'
import { ProposalQueue } from './proposalQueue.js'

/**
 * The bounds on proposals that have not ended, and what came of the entries.
 *
 * @example
 * const { maxProposals, maxCommandBytes } = defaultTuning
 * const clientsOf = <R>(machine: AppliedSink<Uint8Array, R>) =>
 *   proposals<R>({ scheduler, maxProposals, maxCommandBytes, result$: machine.result$ })
 */
export interface ProposalsOptions<R = unknown> {
  readonly scheduler: SchedulerLike
  /** Proposals that have not ended; one more is `Overloaded` at once. */
  readonly maxProposals: number
  /** The longest command; a longer one is `Overloaded` at once. */
  readonly maxCommandBytes: number
  /** What came of committed entries, from `applied`. */
  readonly result$: Observable<Result<R>>
}

/**
 * How many proposals there were, by how they ended.
 *
 * @example
 * const isIdle = ({ pending }: ProposalCounts) => pending === 0
 * await firstValueFrom(server.metrics$.pipe(filter(({ proposals }) => isIdle(proposals)))) // when all have ended
 */
export interface ProposalCounts {
  readonly pending: number
  readonly applied: number
  readonly refused: number
  readonly indeterminate: number
}

/**
 * Clients, as a sink, and the way to propose.
 *
 * @example
 * const pending = <R>(clients: ProposalsSink<R>) => clients.counts().pending
 */
export interface ProposalsSink<R> {
  readonly sink: Sink
  /** Offers a command, now and once. */
  readonly propose: (command: Uint8Array) => Proposal<R>
  /** How many proposals wait, and how the others ended. */
  readonly counts: () => ProposalCounts
}

/**
 * Clients, as a sink. It keeps what the core must not: which proposal stands at which index. A
 * turn of the scheduler hands all commands of that turn to the core as one batch.
 *
 *   propose  --(abc)---d--
 *   events   --p-------q--     p: Proposed [a b c], q: Proposed [d]
 *
 * @example
 * const clientsOf = (machine: AppliedSink<Uint8Array, number>) => {
 *   const clients = proposals({ scheduler, maxProposals: 1_000, maxCommandBytes: 1 << 20, result$: machine.result$ })
 *   return { sinks: [clients.sink, machine.sink], propose: clients.propose }
 * }
 */
export const proposals = <R>(options: ProposalsOptions<R>): ProposalsSink<R> => {
  const clients = new Clients(options)
  return { sink: clients.sink, propose: (command) => clients.propose(command), counts: () => clients.counts() }
}

class Clients<R> {
  /** Offered in this turn. */
  private gathered: Proposal<R>[] = []
  /** Handed to the core, by batch: the answer follows within the turn. */
  private readonly asked = new Map<RequestId, ReadonlyArray<Proposal<R>>>()
  private readonly appended: ProposalQueue<R>
  private requests = 0
  private pending = 0
  private readonly ended = { applied: 0, refused: 0, indeterminate: 0 }
  private server: Server | null = null
  private out: Subscriber<RaftEvent> | null = null
  private turn: Subscription | undefined

  constructor(private readonly options: ProposalsOptions<R>) {
    this.appended = new ProposalQueue(this.end)
  }

  readonly sink: Sink = sinkOf(
    ['Appended', 'Refused'],
    (effect$, state$) =>
      new Observable<RaftEvent>((subscriber) => {
        this.out = subscriber
        subscriber.add(state$.subscribe((now) => this.onState(now)))
        subscriber.add(this.options.result$.subscribe((result) => this.onResult(result)))
        subscriber.add(
          effect$.subscribe({
            next: (effect) => (effect._tag === 'Appended' ? this.onAppended(effect) : this.onRefused(effect)),
            error: (error: unknown) => subscriber.error(error),
          }),
        )
        subscriber.add(() => this.stop())
      }),
  )

  propose(command: Uint8Array): Proposal<R> {
    const { maxCommandBytes, maxProposals, scheduler } = this.options
    const proposal = new Proposal<R>(command)
    this.pending++
    if (this.out === null) this.end(proposal, { _tag: 'NotLeader', leader: null })
    else if (command.length > maxCommandBytes) this.end(proposal, { _tag: 'Overloaded', limit: 'maxCommandBytes' })
    else if (this.pending > maxProposals) this.end(proposal, { _tag: 'Overloaded', limit: 'maxProposals' })
    else {
      this.gathered.push(proposal)
      this.turn ??= scheduler.schedule(this.offerGathered)
    }
    return proposal
  }

  counts(): ProposalCounts {
    return { pending: this.pending, ...this.ended }
  }

  private readonly offerGathered = (): void => {
    this.turn = undefined
    const batch = this.gathered
    this.gathered = []
    this.asked.set(++this.requests, batch)
    this.out?.next({ _tag: 'Proposed', request: this.requests, commands: batch.map(({ command }) => command) })
  }

  private onState(now: Server): void {
    const before = this.server
    this.server = now
    if (before === null) return
    if (now.commitIndex !== before.commitIndex) this.appended.tellCommitted(now)
    if (before.role._tag === 'Leader' && now.role._tag !== 'Leader') this.appended.abandonUncommitted()
  }

  private onResult(result: Result<R>): void {
    if (result._tag === 'Applied') this.appended.applied(result.index, result.term, result.result)
    else this.appended.restored(result.index)
  }

  private onAppended({ request, term, firstIndex, count }: EffectOf<'Appended'>): void {
    const batch = this.asked.get(request)
    const { server } = this
    if (batch === undefined || server === null) return
    if (count === batch.length) this.asked.delete(request)
    else this.asked.set(request, batch.slice(count))
    const stillLeads = server.role._tag === 'Leader' && server.currentTerm === term
    for (let i = 0; i < count; i++) {
      const index = after(firstIndex, i)
      const proposal = batch[i]!
      proposal.tellAppended(index, term)
      // A listener may have stopped the server.
      if (stillLeads && this.out !== null) this.appended.add(proposal)
      else this.end(proposal, { _tag: 'Indeterminate', index })
    }
    this.appended.tellCommitted(server)
  }

  private onRefused({ request, refusal }: EffectOf<'Refused'>): void {
    const batch = this.asked.get(request)
    this.asked.delete(request)
    for (const proposal of batch ?? []) this.end(proposal, refusal)
  }

  private readonly end = (proposal: Proposal<R>, event: ProposalEvent<R>): void => {
    this.pending--
    this.ended[event._tag === 'Applied' ? 'applied' : event._tag === 'Indeterminate' ? 'indeterminate' : 'refused']++
    proposal.end(event)
  }

  private stop(): void {
    this.out = null
    this.server = null
    this.turn?.unsubscribe()
    this.turn = undefined
    this.appended.abandonAll()
    for (const batch of this.asked.values()) for (const proposal of batch) this.end(proposal, { _tag: 'Indeterminate', index: null })
    this.asked.clear()
    const neverOffered = this.gathered
    this.gathered = []
    for (const proposal of neverOffered) this.end(proposal, { _tag: 'NotLeader', leader: null })
  }
}
