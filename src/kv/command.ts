import type { Revision, Serial, SessionId } from './ids.js'
import type { Key, KeyRange } from './key.js'

/** A single key, now or as it was at `revision`. */
export interface Get {
  readonly _tag: 'Get'
  readonly key: Key
  readonly revision: Revision | null
}

/** A range in key order, now or as it was at `revision`. */
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

/** Puts what the key held and `value` after it; an absent key held nothing. */
export interface Append {
  readonly _tag: 'Append'
  readonly key: Key
  readonly value: Uint8Array
  readonly prevKv: boolean
}

/** Deletes every key of the range; the revision does not move where there is none. */
export interface Delete {
  readonly _tag: 'Delete'
  readonly range: KeyRange
  /** Answer with the versions that were deleted. */
  readonly prevKv: boolean
}

/**
 * Puts if the key's mod revision is the expected one, 0 meaning that there is no such key; else answers with what there
 * is.
 */
export interface CompareAndSet {
  readonly _tag: 'CompareAndSet'
  readonly key: Key
  readonly modRevision: Revision
  readonly value: Uint8Array
  readonly prevKv: boolean
}

/** How a key's field must stand to the operand: bytes compare as etcd compares them, one by one. */
export type Relation = '=' | '!=' | '<' | '>'

/**
 * Holds if every key of the range stands so to the operand. Where the range has no key, numbers are compared as 0 and a
 * value comparison fails.
 */
export type Compare = CompareNumber<'CreateRevision'> | CompareNumber<'ModRevision'> | CompareNumber<'Version'> | CompareValue

/** A comparison of one of a key's three numbers. */
export interface CompareNumber<Tag extends string> {
  readonly _tag: Tag
  readonly range: KeyRange
  readonly relation: Relation
  readonly operand: number
}

/** A comparison of a key's bytes. */
export interface CompareValue {
  readonly _tag: 'Value'
  readonly range: KeyRange
  readonly relation: Relation
  readonly operand: Uint8Array
}

/** An operation of a transaction. */
export type TxnOp = Get | Range | Put | Append | Delete | Txn

/**
 * If all comparisons hold, the operations of `success`, else those of `failure`: in order, each seeing the former's
 * effect, all with one revision, and none of them if one is refused. Nested comparisons too are made before the first
 * operation.
 *
 * Without comparisons and operations it changes nothing, and so is how an idle client keeps its session.
 */
export interface Txn {
  readonly _tag: 'Txn'
  readonly compares: ReadonlyArray<Compare>
  readonly success: ReadonlyArray<TxnOp>
  readonly failure: ReadonlyArray<TxnOp>
}

/** Forgets what is older than `revision`: it becomes the oldest that can be read, and the first that can be watched. */
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
 */
export interface Expire {
  readonly _tag: 'Expire'
  readonly unusedSince: number
  readonly limit: number
}

/** Everything that can be asked of the store through the log. */
export type KvCommand = TxnOp | CompareAndSet | Compact | Register | Expire

/** The caller, by which a retry is recognised. */
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

/** The contents of a log entry. */
export interface KvRequest {
  readonly caller: Caller
  readonly command: KvCommand
}

/** The caller who does not retry, or does not mind. */
export const anonymous: Caller = { _tag: 'Anonymous' }

/** Tells whether a command only reads. Answers to reads are not remembered: a retry may as well read again. */
export const isRead = (command: KvCommand): boolean =>
  command._tag === 'Get' || command._tag === 'Range' || (command._tag === 'Txn' && [...command.success, ...command.failure].every(isRead))
