import { type MessageSeq, messageSeq } from '../ids.js'

/**
 * The numbers that a server gave out last. They change at almost every event.
 *
 * @example
 * Counters.start().messages // 0
 * Counters.start().with({ messages: messageSeq(1) }).messages // 1
 */
export class Counters {
  private constructor(
    /** The last request that was sent. */
    readonly messages: MessageSeq,
    /** The last arming of the election timer. */
    readonly electionTimer: number,
    /** The last arming of the heartbeat timer. */
    readonly heartbeat: number,
  ) {}

  /** No number was given out yet. */
  static start(): Counters {
    return new Counters(messageSeq(0), 0, 0)
  }

  /** The same, with these numbers. */
  with(change: Partial<Pick<Counters, 'messages' | 'electionTimer' | 'heartbeat'>>): Counters {
    return new Counters(change.messages ?? this.messages, change.electionTimer ?? this.electionTimer, change.heartbeat ?? this.heartbeat)
  }
}
