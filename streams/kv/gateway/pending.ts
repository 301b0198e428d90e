import { Subscription } from 'rxjs'
import { isRead } from '../../../src/kv/command.js'
import { type GatewayOutcome, indeterminate } from './outcome.js'
import type { GatewayRequest } from './request.js'

/** A request that has no outcome yet. */
export class Pending<Original, Answer> {
  readonly reads: boolean
  /**
   * It may be tried again after an answer was lost: a read, or a write that the store applies once, however often it
   * arrives.
   */
  readonly isRepeatable: boolean
  /** The attempt that is under way, if one is. */
  attempt = Subscription.EMPTY
  /** The server of the last attempt. */
  asked: string | null = null
  /** No attempt is under way: it waits for a leader. */
  isWaiting = false
  /** An attempt to write may have arrived. */
  isInDoubt = false

  constructor(
    readonly request: GatewayRequest<Original>,
    readonly tell: (outcome: GatewayOutcome<Answer>) => void,
    private readonly begunAt: number,
    private readonly leaderWaitMs: number,
  ) {
    const { caller, command } = request.request
    this.reads = isRead(command)
    this.isRepeatable = this.reads || caller._tag !== 'Anonymous'
  }

  /** An attempt may have arrived and had no answer. A read changes nothing, so it is never in doubt. */
  lostAnswer(): void {
    this.isInDoubt = !this.reads
  }

  /** Its outcome where its time is up; null before. */
  outcomeAt(now: number): GatewayOutcome<Answer> | null {
    const { timeoutMs } = this.request
    const waitedMs = this.isWaiting ? Math.min(this.leaderWaitMs, timeoutMs) : timeoutMs
    if (now - this.begunAt < waitedMs) return null
    if (this.isWaiting) return this.isInDoubt ? indeterminate : { _tag: 'NoLeader', waitedMs }
    return this.reads ? { _tag: 'NoAnswer', waitedMs } : indeterminate
  }
}
