import { interval, Observable, type SchedulerLike, Subscription } from 'rxjs'
import type { KvServer } from '../server/kvServer.js'
import { type GatewayOutcome, indeterminate, type NotLeader, type Overloaded } from './outcome.js'
import { Pending } from './pending.js'
import type { PeerTransport } from './peerTransport.js'
import type { GatewayRequest } from './request.js'
import { type Verdict, verdictOfDelivery, verdictOfReply } from './verdict.js'

export interface RequestsOptions<Original, Answer> {
  readonly server: Pick<KvServer, 'id' | 'submit'> & { readonly raft: { readonly leader$: Observable<string | null> } }
  readonly peers: PeerTransport<Original, Answer>
  readonly scheduler: SchedulerLike
  /** How long a request waits for a leader. */
  readonly leaderWaitMs: number
  /** Requests without an outcome; one more is `Overloaded`. */
  readonly maxRequests: number
}

/** A single timer looks at all requests this often: it ends those whose time is up, and tries again those that wait. */
const sweepMs = 100

/**
 * Brings requests to the leader: here, or at the server that is known to lead. Without a leader they wait until one is
 * known. A request that is known not to be done is tried again until its time is up. A request that may have been done
 * is tried again only where the store would not do it twice.
 */
export class Requests<Original, Answer> {
  private readonly pending = new Set<Pending<Original, Answer>>()
  private readonly living = new Subscription()
  private knownLeader: string | null = null
  private forwardedCount = 0

  constructor(private readonly options: RequestsOptions<Original, Answer>) {
    const { server, scheduler } = options
    this.living.add(server.raft.leader$.subscribe((leader) => this.onLeader(leader)))
    this.living.add(interval(sweepMs, scheduler).subscribe(() => this.sweep()))
  }

  get leader(): string | null {
    return this.knownLeader
  }

  get size(): number {
    return this.pending.size
  }

  /** Attempts at other servers, since the beginning. */
  get forwarded(): number {
    return this.forwardedCount
  }

  execute(request: GatewayRequest<Original>): Observable<GatewayOutcome<Answer>> {
    return new Observable((subscriber) => {
      const { maxRequests, scheduler, leaderWaitMs } = this.options
      const tell = (outcome: GatewayOutcome<Answer>): void => {
        subscriber.next(outcome)
        subscriber.complete()
      }
      if (this.pending.size >= maxRequests) return tell({ _tag: 'Overloaded', limit: 'maxRequests' })
      const one = new Pending<Original, Answer>(request, tell, scheduler.now(), leaderWaitMs)
      this.pending.add(one)
      subscriber.add(() => {
        this.pending.delete(one)
        one.attempt.unsubscribe()
      })
      this.attempt(one)
    })
  }

  stop(): void {
    this.living.unsubscribe()
  }

  private onLeader(leader: string | null): void {
    this.knownLeader = leader
    for (const one of this.pending) if (one.isWaiting || this.isOvertaken(one)) this.attempt(one)
  }

  private sweep(): void {
    const now = this.options.scheduler.now()
    for (const one of this.pending) {
      const outcome = one.outcomeAt(now)
      if (outcome !== null) this.end(one, outcome)
      else if (one.isWaiting) this.attempt(one)
    }
  }

  private attempt(one: Pending<Original, Answer>): void {
    const { server, peers } = this.options
    const leader = this.knownLeader
    one.isWaiting = false
    one.asked = leader
    if (leader === server.id) {
      one.attempt = server.submit(one.request.request).subscribe((reply) => this.conclude(one, verdictOfReply(reply)))
    } else if (one.request.isForwarded) this.end(one, { _tag: 'NotLeader', leader })
    else this.forward(one, leader === null ? null : peers.forward(leader, one.request))
  }

  private forward(one: Pending<Original, Answer>, delivery$: ReturnType<PeerTransport<Original, Answer>['forward']>): void {
    if (delivery$ === null) {
      one.isWaiting = true
      return
    }
    this.forwardedCount++
    one.attempt = delivery$.subscribe((delivery) => this.conclude(one, verdictOfDelivery(delivery)))
  }

  private conclude(one: Pending<Original, Answer>, verdict: Verdict<Answer>): void {
    switch (verdict._tag) {
      case 'Ended':
        return this.end(one, verdict.outcome)
      case 'NotDone':
        return this.onNotDone(one, verdict.refusal)
      case 'InDoubt':
        one.lostAnswer()
        // The server that forwarded it decides whether to ask again. It must not take a later "not the leader" for "not
        // done".
        if (one.isRepeatable && !one.request.isForwarded) one.isWaiting = true
        else this.end(one, indeterminate)
    }
  }

  /**
   * An earlier attempt may have been done: then "overloaded" does not end the request, because it would say that
   * nothing was done.
   */
  private onNotDone(one: Pending<Original, Answer>, refusal: NotLeader | Overloaded | null): void {
    if (refusal?._tag === 'Overloaded' && !one.isInDoubt) this.end(one, refusal)
    else if (refusal?._tag === 'NotLeader' && one.request.isForwarded) this.end(one, refusal)
    else one.isWaiting = true
  }

  /**
   * Another server leads now. The server that was asked may be cut off and never answer, so ask the new leader where
   * that is harmless.
   */
  private isOvertaken(one: Pending<Original, Answer>): boolean {
    const leader = this.knownLeader
    if (leader === null || one.asked === leader || !one.isRepeatable || one.request.isForwarded) return false
    one.attempt.unsubscribe()
    one.lostAnswer()
    return true
  }

  private end(one: Pending<Original, Answer>, outcome: GatewayOutcome<Answer>): void {
    if (this.pending.delete(one)) one.tell(outcome)
  }
}
