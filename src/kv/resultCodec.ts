import type { either } from 'fp-ts'
import { type BadBytes, Reader, Writer } from './bytes.js'
import { array, ascii, type Codec, flag, natural, naturalOrNull, nullable, recursive, tagged, type Variants } from './codec.js'
import { keyValueCodec } from './keyCodec.js'
import type { KvAnswer, KvResult } from './result.js'

const revision = natural<KvAnswer['revision']>()

const answers: Variants<KvAnswer> = {
  Got: [1, { revision, kv: nullable(keyValueCodec) }],
  Ranged: [2, { revision, kvs: array(keyValueCodec), more: flag, count: naturalOrNull() }],
  Written: [3, { revision, prevKv: nullable(keyValueCodec) }],
  Deleted: [4, { revision, deleted: natural(), prevKvs: array(keyValueCodec) }],
  Conflict: [5, { revision, kv: nullable(keyValueCodec) }],
  TxnDone: [6, { revision, succeeded: flag, answers: array(recursive((): Codec<KvAnswer> => answer)) }],
  CompactDone: [7, { revision }],
  Registered: [8, { revision, session: natural() }],
  Expired: [9, { revision, sessions: natural(), idempotencyKeys: natural() }],
}
const answer = tagged<KvAnswer>('answer', answers)

export const resultCodec = tagged<KvResult>('result', {
  ...answers,
  Malformed: [32, { reason: ascii }],
  Compacted: [33, { compactRevision: natural() }],
  FutureRevision: [34, { revision }],
  KeyEmpty: [35, {}],
  KeyTooLong: [36, { maxKeyBytes: natural() }],
  ValueTooLarge: [37, { maxValueBytes: natural() }],
  TxnTooLarge: [38, { maxTxnOps: natural() }],
  StoreFull: [39, { maxLiveBytes: natural() }],
  UnknownSession: [40, { session: natural() }],
  SerialAnswered: [41, { firstUnanswered: natural() }],
  TooManyUnanswered: [42, { maxUnanswered: natural() }],
  DifferentCommand: [43, {}],
  IdempotencyKeyUnfit: [44, { maxIdempotencyKeyBytes: natural() }],
})

/**
 * A result as bytes: so snapshots keep remembered answers, and one server can pass a result to another.
 *
 * @example
 * encodeResult({ _tag: 'KeyTooLong', maxKeyBytes: 100 }) // 36 100
 */
export const encodeResult = (result: KvResult): Uint8Array => {
  const writer = new Writer()
  resultCodec.write(writer, result)
  return writer.take()
}

/**
 * The result that these bytes are: total, so that any bytes give a result or say what is wrong with them.
 *
 * @example
 * decodeResult(Uint8Array.of(36, 100)) // either.right({ _tag: 'KeyTooLong', maxKeyBytes: 100 })
 */
export const decodeResult = (bytes: Uint8Array): either.Either<BadBytes, KvResult> => {
  const reader = new Reader(bytes)
  return reader.done(resultCodec.read(reader))
}
