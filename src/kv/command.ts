import type { Revision, Serial, SessionId } from './ids.js'
import type { Key, KeyRange } from './key.js'

/** A single key, now or as it was at `revision`. */
export interface Get {
  readonly _tag: 'Get'
  readonly key: Key
  readonly revision: Revision | null
}

/**
 * A range in key order, now or as it was at `revision`.
 *
 * @example
 * // How many users there are, and none of them.
 * const command: Range = { _tag: 'Range', range: withPrefix(key('users/')), limit: 0, revision: null, keysOnly: true, count: true }
 */
export interface Range {
  readonly _tag: 'Range'
  readonly range: KeyRange
  /** `null`: all of them. 0 with `count`: only how many there are. */
  readonly limit: number | null
  readonly revision: Revision | null
  /** Give the keys with empty values. */
  readonly keysOnly: boolean
  /** Also count the whole range, whatever the limit: this visits all of it. */
  readonly count: boolean
}

/** A new version of a key. Refused: `KeyEmpty`, `KeyTooLong`, `ValueTooLarge`, `StoreFull`. */
export interface Put {
  readonly _tag: 'Put'
  readonly key: Key
  readonly value: Uint8Array
  /** Answer with the version that was replaced. */
  readonly prevKv: boolean
}

/**
 * Puts what the key held and `value` after it; an absent key held nothing.
 *
 * @example
 * const command: Append = { _tag: 'Append', key: key('log'), value: new TextEncoder().encode('one line more'), prevKv: false }
 */
export interface Append {
  readonly _tag: 'Append'
  readonly key: Key
  readonly value: Uint8Array
  readonly prevKv: boolean
}

/**
 * Deletes every key of the range; the revision does not move where there is none.
 *
 * @example
 * const command: Delete = { _tag: 'Delete', range: withPrefix(key('users/')), prevKv: true } // tells all that it deleted
 */
export interface Delete {
  readonly _tag: 'Delete'
  readonly range: KeyRange
  /** Answer with the versions that were deleted. */
  readonly prevKv: boolean
}

/**
 * Puts if the key's mod revision is the expected one, 0 meaning that there is no such key; else answers with what there
 * is.
 *
 * @example
 * const value = new TextEncoder().encode('mine')
 * // Takes the lock if it is free. The answer is a `Conflict` where another client has it.
 * const command: CompareAndSet = { _tag: 'CompareAndSet', key: key('lock'), modRevision: revision(0), value, prevKv: false }
 */
export interface CompareAndSet {
  readonly _tag: 'CompareAndSet'
  readonly key: Key
  readonly modRevision: Revision
  readonly value: Uint8Array
  readonly prevKv: boolean
}

/**
 * How a key's field must stand to the operand: bytes compare as etcd compares them, one by one.
 *
 * @example
 * const relation: Relation = '<'
 * const isOld: Compare = { _tag: 'ModRevision', range: single(key('a')), relation, operand: 100 } // or there is no such key
 */
export type Relation = '=' | '!=' | '<' | '>'

/**
 * Holds if every key of the range stands so to the operand. Where the range has no key, numbers are compared as 0 and a
 * value comparison fails.
 *
 * @example
 * // Holds where there is no such key.
 * const isFree: Compare = { _tag: 'CreateRevision', range: single(key('lock')), relation: '=', operand: 0 }
 */
export type Compare = CompareNumber<'CreateRevision'> | CompareNumber<'ModRevision'> | CompareNumber<'Version'> | CompareValue

/**
 * A comparison of one of a key's three numbers.
 *
 * @example
 * const isNew: CompareNumber<'Version'> = { _tag: 'Version', range: single(key('a')), relation: '=', operand: 1 }
 */
export interface CompareNumber<Tag extends string> {
  readonly _tag: Tag
  readonly range: KeyRange
  readonly relation: Relation
  readonly operand: number
}

/**
 * A comparison of a key's bytes.
 *
 * @example
 * const operand = new TextEncoder().encode('open')
 * const isOpen: CompareValue = { _tag: 'Value', range: single(key('door')), relation: '=', operand }
 */
export interface CompareValue {
  readonly _tag: 'Value'
  readonly range: KeyRange
  readonly relation: Relation
  readonly operand: Uint8Array
}

/**
 * An operation of a transaction.
 *
 * @example
 * const operations: ReadonlyArray<TxnOp> = [
 *   { _tag: 'Delete', range: single(key('old')), prevKv: false },
 *   { _tag: 'Put', key: key('new'), value: Uint8Array.of(1), prevKv: false },
 * ]
 */
export type TxnOp = Get | Range | Put | Append | Delete | Txn

/**
 * If all comparisons hold, the operations of `success`, else those of `failure`: in order, each seeing the former's
 * effect, all with one revision, and none of them if one is refused. Nested comparisons too are made before the first
 * operation.
 *
 * Without comparisons and operations it changes nothing, and so is how an idle client keeps its session.
 *
 * @example
 * const isFree: Compare = { _tag: 'CreateRevision', range: single(key('lock')), relation: '=', operand: 0 }
 * const take: Put = { _tag: 'Put', key: key('lock'), value: new TextEncoder().encode('mine'), prevKv: false }
 * const look: Get = { _tag: 'Get', key: key('lock'), revision: null }
 * const command: Txn = { _tag: 'Txn', compares: [isFree], success: [take], failure: [look] }
 */
export interface Txn {
  readonly _tag: 'Txn'
  readonly compares: ReadonlyArray<Compare>
  readonly success: ReadonlyArray<TxnOp>
  readonly failure: ReadonlyArray<TxnOp>
}

/**
 * Forgets what is older than `revision`: it becomes the oldest that can be read, and the first that can be watched.
 *
 * @example
 * const command: Compact = { _tag: 'Compact', revision: revision(100) } // from then on revision 99 cannot be read
 */
export interface Compact {
  readonly _tag: 'Compact'
  readonly revision: Revision
}

/** Opens a client session (thesis §6.3). */
export interface Register {
  readonly _tag: 'Register'
}

/**
 * Ends sessions and forgets idempotency keys that were last used before the log index `unusedSince`, the longest unused
 * first, at most `limit` of each, so that one command cannot take long.
 *
 * Expiry must be the same on every server, so it goes through the log. Thesis §6.3 lets the leader write its time into
 * each entry; a wall clock that once ran ahead would then expire everybody. Here no time enters the log: the leader
 * notes, on its own monotonic clock, which index it applied when, and proposes this with the index that lies one
 * time-to-live back. A new leader starts noting anew, so that a change of leader lengthens lives and never shortens
 * them.
 *
 * @example
 * const command: Expire = { _tag: 'Expire', unusedSince: 5_000, limit: 100 } // at most 100 that no entry since 5000 used
 */
export interface Expire {
  readonly _tag: 'Expire'
  readonly unusedSince: number
  readonly limit: number
}

/**
 * Everything that can be asked of the store through the log.
 *
 * @example
 * const show = (command: KvCommand) => `${command._tag}, a ${isRead(command) ? 'read' : 'write'}`
 */
export type KvCommand = TxnOp | CompareAndSet | Compact | Register | Expire

/**
 * The caller, by which a retry is recognised.
 *
 * @example
 * // Command 4 of session 17, which has the answers to the commands 0, 1 and 2.
 * const caller: Caller = { _tag: 'Session', session: sessionId(17), serial: serial(4), firstUnanswered: serial(3) }
 * const once: Caller = { _tag: 'Once', idempotencyKey: key('order-4711') }
 */
export type Caller =
  /** A retry is applied again. */
  | { readonly _tag: 'Anonymous' }
  /**
   * §8: "the state machine tracks the latest serial number processed for each client, along with the associated
   * response". Here many serials may be in flight at once and arrive in any order; the client has all answers below
   * `firstUnanswered`.
   */
  | { readonly _tag: 'Session'; readonly session: SessionId; readonly serial: Serial; readonly firstUnanswered: Serial }
  /** A client without a session, and one command of it: a binary string like a key, as in HTTP's `idempotency-key`. */
  | { readonly _tag: 'Once'; readonly idempotencyKey: Key }

/**
 * The contents of a log entry.
 *
 * @example
 * const request: KvRequest = { caller: { _tag: 'Once', idempotencyKey: key('order-4711') }, command: { _tag: 'Register' } }
 * kvServer.submit(request).subscribe(({ _tag }) => console.log(_tag)) // Registered; a retry tells the same session
 */
export interface KvRequest {
  readonly caller: Caller
  readonly command: KvCommand
}

/**
 * The caller who does not retry, or does not mind.
 *
 * @example
 * const request: KvRequest = { caller: anonymous, command: { _tag: 'Get', key: key('a'), revision: null } }
 */
export const anonymous: Caller = { _tag: 'Anonymous' }

/**
 * Tells whether a command only reads. Answers to reads are not remembered: a retry may as well read again.
 *
 * @example
 * isRead({ _tag: 'Get', key: key('a'), revision: null }) // true
 * isRead({ _tag: 'Register' }) // false
 */
export const isRead = (command: KvCommand): boolean =>
  command._tag === 'Get' || command._tag === 'Range' || (command._tag === 'Txn' && [...command.success, ...command.failure].every(isRead))
