import type { Caller } from '../../../src/kv/command.js'
import { defaultLimits } from '../../../src/kv/limits.js'
import { type Serial, serial, type SessionId } from '../../../src/kv/ids.js'

/** A place in a session: under its serial a command is applied once, however often it arrives. */
export interface Ticket {
  readonly session: Session
  readonly serial: Serial
}

/**
 * The client's side of a session (§8). It counts the serials, and knows the first one without an answer. Every request
 * tells it to the store, which can then forget the older ones.
 */
export class Session {
  private next = 0
  private firstUnanswered = 0
  private readonly unanswered = new Set<number>()

  constructor(readonly id: SessionId) {}

  /** The next serial, or null while one that lies too far back has no answer: the store would refuse it. */
  take(): Ticket | null {
    if (this.next >= this.firstUnanswered + defaultLimits.maxUnanswered) return null
    const taken = this.next++
    this.unanswered.add(taken)
    return { session: this, serial: serial(taken) }
  }

  /** This one is not tried again: it was answered, or given up. */
  release(released: Serial): void {
    this.unanswered.delete(released)
    while (this.firstUnanswered < this.next && !this.unanswered.has(this.firstUnanswered)) this.firstUnanswered++
  }

  caller(of: Serial): Caller {
    return { _tag: 'Session', session: this.id, serial: of, firstUnanswered: serial(this.firstUnanswered) }
  }
}
