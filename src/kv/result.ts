import { function as F } from 'fp-ts'
import type { Revision, Serial, SessionId } from './ids.js'
import { type KeyValue, sizeOf } from './keyValue.js'

/**
 * The answer to a command that was carried out. `revision` is the store's revision after it.
 *
 * @example
 * const written: KvAnswer = { _tag: 'Written', revision: revision(2), prevKv: null }
 */
export type KvAnswer =
  | { readonly _tag: 'Got'; readonly revision: Revision; readonly kv: KeyValue | null }
  /** `more`: the range goes on after the limit. `count`: where it was asked for. */
  | {
      readonly _tag: 'Ranged'
      readonly revision: Revision
      readonly kvs: ReadonlyArray<KeyValue>
      readonly more: boolean
      readonly count: number | null
    }
  /**
   * By `Put`, `Append` and `CompareAndSet`; `revision` is the key's mod revision. `prevKv` is null where it was not
   * asked for, too.
   */
  | { readonly _tag: 'Written'; readonly revision: Revision; readonly prevKv: KeyValue | null }
  | { readonly _tag: 'Deleted'; readonly revision: Revision; readonly deleted: number; readonly prevKvs: ReadonlyArray<KeyValue> }
  /** `CompareAndSet` found this instead, and wrote nothing. */
  | { readonly _tag: 'Conflict'; readonly revision: Revision; readonly kv: KeyValue | null }
  /** An answer for each operation of the branch that was taken. */
  | { readonly _tag: 'TxnDone'; readonly revision: Revision; readonly succeeded: boolean; readonly answers: ReadonlyArray<KvAnswer> }
  | { readonly _tag: 'CompactDone'; readonly revision: Revision }
  | { readonly _tag: 'Registered'; readonly revision: Revision; readonly session: SessionId }
  | { readonly _tag: 'Expired'; readonly revision: Revision; readonly sessions: number; readonly idempotencyKeys: number }

/**
 * Why nothing was done.
 *
 * @example
 * const show = (refusal: KvRefusal) => alarm(refusalMessage(refusal))
 */
export type KvRefusal =
  | { readonly _tag: 'Malformed'; readonly reason: string }
  | Compacted
  | FutureRevision
  | { readonly _tag: 'KeyEmpty' }
  | { readonly _tag: 'KeyTooLong'; readonly maxKeyBytes: number }
  | { readonly _tag: 'ValueTooLarge'; readonly maxValueBytes: number }
  | { readonly _tag: 'TxnTooLarge'; readonly maxTxnOps: number }
  | { readonly _tag: 'StoreFull'; readonly maxLiveBytes: number }
  | { readonly _tag: 'UnknownSession'; readonly session: SessionId }
  | { readonly _tag: 'SerialAnswered'; readonly firstUnanswered: Serial }
  | { readonly _tag: 'TooManyUnanswered'; readonly maxUnanswered: number }
  | { readonly _tag: 'DifferentCommand' }
  | { readonly _tag: 'IdempotencyKeyUnfit'; readonly maxIdempotencyKeyBytes: number }

/**
 * The revision is older than what is kept.
 *
 * @example
 * const oldest = ({ compactRevision }: Compacted) => compactRevision // this one can be read, and watched from
 */
export interface Compacted {
  readonly _tag: 'Compacted'
  readonly compactRevision: Revision
}

/**
 * The revision was not reached yet; `revision` is the current one.
 *
 * @example
 * get(emptyStore(), key('a'), { revision: revision(9) }) // either.left({ _tag: 'FutureRevision', revision: 1 })
 */
export interface FutureRevision {
  readonly _tag: 'FutureRevision'
  readonly revision: Revision
}

/**
 * The result of a command. The reducer and the session table both use it, and snapshots hold it.
 *
 * @example
 * const revisionOf = (result: KvResult) => (isAnswer(result) ? result.revision : null)
 */
export type KvResult = KvAnswer | KvRefusal

const answers: Readonly<Record<KvAnswer['_tag'], true>> = {
  Got: true,
  Ranged: true,
  Written: true,
  Deleted: true,
  Conflict: true,
  TxnDone: true,
  CompactDone: true,
  Registered: true,
  Expired: true,
}

/**
 * Tells whether a command was carried out. A `Conflict` is an answer: it compared, and did not set.
 *
 * @example
 * isAnswer({ _tag: 'Conflict', revision: revision(2), kv: null }) // true
 * isAnswer({ _tag: 'KeyEmpty' }) // false
 */
export const isAnswer = (result: KvResult): result is KvAnswer => result._tag in answers

/**
 * A refusal as a sentence that says what to do.
 *
 * @example
 * refusalMessage({ _tag: 'KeyTooLong', maxKeyBytes: 4_096 }) // 'A key has at most 4096 bytes: shorten it.'
 */
export const refusalMessage = (refusal: KvRefusal): string => {
  switch (refusal._tag) {
    case 'Malformed':
      return `The command cannot be read: ${refusal.reason}. Encode it with encodeRequest of the version that the servers run.`
    case 'Compacted':
      return `That revision was compacted away: read or watch from revision ${refusal.compactRevision} on, or read the current state.`
    case 'FutureRevision':
      return `The store stands at revision ${refusal.revision}: ask for that one or an older one.`
    case 'KeyEmpty':
      return 'A key has at least one byte: give one.'
    case 'KeyTooLong':
      return `A key has at most ${refusal.maxKeyBytes} bytes: shorten it.`
    case 'ValueTooLarge':
      return `A value has at most ${refusal.maxValueBytes} bytes, also after an append: split it over several keys.`
    case 'TxnTooLarge':
      return `A transaction has at most ${refusal.maxTxnOps} comparisons and operations: split it.`
    case 'StoreFull':
      return `The store holds at most ${refusal.maxLiveBytes} bytes: delete keys, or raise the limit on all servers.`
    case 'UnknownSession':
      return `There is no session ${refusal.session}, or it ended because it was not used: register a new one; what was unanswered may or may not have been applied.`
    case 'SerialAnswered':
      return `The client said that it has all answers below serial ${refusal.firstUnanswered}, so they were forgotten: use a new serial for a new command.`
    case 'TooManyUnanswered':
      return `At most ${refusal.maxUnanswered} serials of a session may be unanswered: wait for answers, then retry with the same serial.`
    case 'DifferentCommand':
      return 'This serial or idempotency key was used for another command: use a new one, or retry with the very same command.'
    case 'IdempotencyKeyUnfit':
      return `An idempotency key has 1 to ${refusal.maxIdempotencyKeyBytes} bytes: choose another.`
    default:
      return F.absurd(refusal)
  }
}

const overheadBytes = 100

/** An estimate of the memory that remembering a result takes, the same on every server. */
export const sizeOfResult = (result: KvResult): number => {
  switch (result._tag) {
    case 'Got':
    case 'Conflict':
      return overheadBytes + sizeOfAll([result.kv])
    case 'Written':
      return overheadBytes + sizeOfAll([result.prevKv])
    case 'Ranged':
      return overheadBytes + sizeOfAll(result.kvs)
    case 'Deleted':
      return overheadBytes + sizeOfAll(result.prevKvs)
    case 'TxnDone':
      return result.answers.reduce((bytes, answer) => bytes + sizeOfResult(answer), overheadBytes)
    default:
      return overheadBytes
  }
}

const sizeOfAll = (kvs: ReadonlyArray<KeyValue | null>): number => kvs.reduce((bytes, kv) => bytes + (kv === null ? 0 : sizeOf(kv)), 0)
