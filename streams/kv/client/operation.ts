import { AsyncSubject } from 'rxjs'
import { either } from 'fp-ts'
import { anonymous, isRead, type KvCommand } from '../../../src/kv/command.js'
import { encodeRequest } from '../../../src/kv/requestCodec.js'
import { type ClientFailure, closed, indeterminate, malformed, type Outcome, unavailable } from './outcome.js'
import type { Ticket } from './session.js'

/** An operation from its call to its outcome. */
export class Operation {
  readonly outcome$ = new AsyncSubject<Outcome>()
  readonly reads: boolean
  readonly bytes: number
  /** Null for reads, without a session, and before its first attempt. */
  ticket: Ticket | null = null
  /** It is in a batch that has no answer yet. */
  isAway = false
  /** An earlier attempt may have arrived. */
  isInDoubt = false
  attempts = 0
  hasEnded = false

  constructor(
    readonly command: KvCommand,
    readonly timeoutMs: number,
    readonly deadline: number,
  ) {
    this.reads = isRead(command)
    this.bytes = bytesOf(command)
  }

  /** The bytes to send; left where the command is malformed, such as one with half a revision. */
  encode(): either.Either<ClientFailure, Uint8Array> {
    const caller = this.ticket === null ? anonymous : this.ticket.session.caller(this.ticket.serial)
    return either.tryCatch(() => encodeRequest({ caller, command: this.command }), malformed)
  }

  /**
   * Tells whether it may be tried again although it may have arrived. A session that is opened twice does no harm: it
   * expires.
   */
  isRepeatable(): boolean {
    return this.reads || this.ticket !== null || this.command._tag === 'Register'
  }

  /** The outcome of an operation that is given up. */
  outcomeAt(giving: 'deadline' | 'close', why: string | null): Outcome {
    const inDoubt = !this.reads && (this.isInDoubt || this.isAway)
    if (inDoubt) return indeterminate(giving === 'deadline' ? `no answer came within ${this.timeoutMs} ms` : 'this client was closed')
    return giving === 'close' ? closed : unavailable(this.timeoutMs, why)
  }

  end(outcome: Outcome): void {
    this.hasEnded = true
    this.ticket?.session.release(this.ticket.serial)
    this.outcome$.next(outcome)
    this.outcome$.complete()
  }
}

/** About what a command takes in a batch. */
const bytesOf = (command: KvCommand): number => {
  if (command._tag !== 'Txn') return 64 + ('value' in command ? command.value.length : 0)
  return [...command.success, ...command.failure].reduce((bytes, op) => bytes + bytesOf(op), 64 + 64 * command.compares.length)
}
