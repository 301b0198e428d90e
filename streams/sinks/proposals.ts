import { Observable, type SchedulerLike, type Subscriber, type Subscription } from 'rxjs'
import type { EffectOf } from '../../src/raft/effect.js'
import type { RaftEvent, RequestId } from '../../src/raft/event.js'
import { after, type LogIndex, type Term } from '../../src/raft/ids.js'
import { leaderOf, type Server } from '../../src/raft/state/server.js'
import { ofTag } from '../loop/ofTag.js'
import { Proposal } from './proposal.js'
import type { Sink } from '../loop/sink.js'

/**
 * The bounds on proposals that have not ended.
 *
 * @example
 * const { maxProposals, maxCommandBytes } = defaultTuning
 * const options: ProposalsOptions = { scheduler, maxProposals, maxCommandBytes }
 */
export interface ProposalsOptions {
  readonly scheduler: SchedulerLike
  /** Proposals that have not ended; one more is `Overloaded` at once. */
  readonly maxProposals: number
  /** The longest command; a longer one is `Overloaded` at once. */
  readonly maxCommandBytes: number
}

/** How many proposals there were, by how they ended. */
export interface ProposalCounts {
  readonly pending: number
  readonly applied: number
  readonly refused: number
  readonly indeterminate: number
}

/**
 * Clients, as a sink. It keeps what the core must not: which proposal stands at which index. A
 * turn of the scheduler hands all commands of that turn to the core as one batch and then lets it
 * flush: a burst of proposals becomes one message per follower.
 *
 *   propose  --(abc)---d-----
 *   effects  ----------f----f     f: ScheduleFlush
 *   events   --p-------(qF)-F     p: Proposed [a b c], q: Proposed [d], F: Flush
 */
export const proposals = <R>({ scheduler, maxProposals, maxCommandBytes }: ProposalsOptions) => {
  /** Offered in this turn. */
  let gathered: Proposal<R>[] = []
  /** Handed to the core, by batch: the answer follows within the turn. */
  const asked = new Map<RequestId, ReadonlyArray<Proposal<R>>>()
  /** Appended and not ended, in the order of their indexes. */
  let appended: Proposal<R>[] = []
  let head = 0
  /** How many of `appended` are known to be committed. */
  let committed = 0
  let requests = 0
  let pending = 0
  const counts = { applied: 0, refused: 0, indeterminate: 0 }

  let server: Server | null = null
  let out: Subscriber<RaftEvent> | null = null
  let turn: Subscription | undefined
  let flushDue = false

  const scheduleTurn = (): void => {
    turn ??= scheduler.schedule(takeTurn)
  }

  const takeTurn = (): void => {
    turn = undefined
    if (gathered.length > 0) {
      const batch = gathered
      gathered = []
      asked.set(++requests, batch)
      out?.next({ _tag: 'Proposed', request: requests, commands: batch.map(({ command }) => command) })
    }
    if (flushDue) {
      flushDue = false
      out?.next({ _tag: 'Flush' })
    }
  }

  const end = (proposal: Proposal<R>, event: Parameters<Proposal<R>['end']>[0], how: keyof typeof counts): void => {
    pending--
    counts[how]++
    proposal.end(event)
  }

  const onAppended = ({ request, term, firstIndex, count }: EffectOf<'Appended'>): void => {
    const batch = asked.get(request)
    if (batch === undefined) return
    if (count === batch.length) asked.delete(request)
    else asked.set(request, batch.slice(count))
    const still = server !== null && server.role._tag === 'Leader' && server.currentTerm === term
    for (let i = 0; i < count; i++) {
      const index = after(firstIndex, i)
      const proposal = batch[i]!
      proposal.tellAppended(index, term)
      // Who was told may have stopped the server.
      if (still && out !== null) appended.push(proposal)
      else end(proposal, { _tag: 'Indeterminate', index }, 'indeterminate')
    }
    tellCommitted()
  }

  const onRefused = ({ request, refusal }: EffectOf<'Refused'>): void => {
    const batch = asked.get(request)
    asked.delete(request)
    for (const proposal of batch ?? []) end(proposal, refusal, 'refused')
  }

  const tellCommitted = (): void => {
    while (committed < appended.length && isCommitted(appended[committed]!)) appended[committed++]!.tellCommitted()
  }

  /** The step that commits an index may have put another leader's entry there. */
  const isCommitted = ({ index, term }: Proposal<R>): boolean =>
    server !== null && index <= server.commitIndex && server.log.termAt(index) === term

  /** Ends what is not known to be committed: it may yet be, by another leader. */
  const abandonUncommitted = (): void => {
    const lost = appended.splice(committed)
    for (const proposal of lost) end(proposal, { _tag: 'Indeterminate', index: proposal.index }, 'indeterminate')
  }

  const abandonAll = (): void => {
    const unknown = appended.slice(head)
    appended = []
    head = committed = 0
    for (const proposal of unknown) end(proposal, { _tag: 'Indeterminate', index: proposal.index }, 'indeterminate')
    for (const batch of asked.values()) for (const proposal of batch) end(proposal, { _tag: 'Indeterminate', index: null }, 'indeterminate')
    asked.clear()
    const never = gathered
    gathered = []
    for (const proposal of never) end(proposal, { _tag: 'NotLeader', leader: null }, 'refused')
  }

  const sink: Sink = (effect$) =>
    new Observable<RaftEvent>((subscriber) => {
      out = subscriber
      subscriber.add(
        effect$.pipe(ofTag('ScheduleFlush', 'Appended', 'Refused')).subscribe({
          next: (effect) => {
            if (effect._tag === 'Appended') onAppended(effect)
            else if (effect._tag === 'Refused') onRefused(effect)
            else {
              flushDue = true
              scheduleTurn()
            }
          },
          error: (error: unknown) => subscriber.error(error),
        }),
      )
      subscriber.add(() => {
        out = null
        turn?.unsubscribe()
        turn = undefined
        flushDue = false
        abandonAll()
      })
    })

  return {
    sink,

    /** Proposes a command, whose life is told by what it gives. */
    propose: (command: Uint8Array): Proposal<R> => {
      const proposal = new Proposal<R>(command)
      pending++
      if (out === null) end(proposal, { _tag: 'NotLeader', leader: null }, 'refused')
      else if (command.length > maxCommandBytes) end(proposal, { _tag: 'Overloaded', limit: 'maxCommandBytes' }, 'refused')
      else if (pending > maxProposals) end(proposal, { _tag: 'Overloaded', limit: 'maxProposals' }, 'refused')
      else {
        gathered.push(proposal)
        scheduleTurn()
      }
      return proposal
    },

    /** To be shown every step. */
    watch: (before: Server, now: Server): void => {
      server = now
      if (now.commitIndex !== before.commitIndex) tellCommitted()
      const deposed = before.role._tag === 'Leader' && now.role._tag !== 'Leader'
      if (deposed) abandonUncommitted()
    },

    /** The state machine answered for the entry of `term` at `index`. */
    settle: (index: LogIndex, term: Term, result: R): void => {
      const next = appended[head]
      if (next === undefined || next.index !== index || next.term !== term) return
      head++
      if (head === appended.length || head === 8_192) {
        appended = appended.slice(head)
        committed -= head
        head = 0
      }
      end(next, { _tag: 'Applied', index, result }, 'applied')
    },

    /** The state machine goes on after `index` with a snapshot: what came of the commands up to there it cannot say. */
    skip: (index: LogIndex): void => {
      const first = appended.findIndex((proposal, i) => i >= head && proposal.index > index)
      const lost = appended.splice(head, (first === -1 ? appended.length : first) - head)
      committed = Math.max(head, committed - lost.length)
      for (const proposal of lost) end(proposal, { _tag: 'Indeterminate', index: proposal.index }, 'indeterminate')
    },

    /** How many proposals have ended, and how. */
    counts: (): ProposalCounts => ({ pending, ...counts }),
    /** The leader that this server knows, where it knows one. */
    leader: () => (server === null ? null : leaderOf(server)),
  }
}
